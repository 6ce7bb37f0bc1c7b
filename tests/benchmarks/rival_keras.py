"""The plain script that shows the same with TensorFlow's Keras: the rival of `show`."""

import numpy as np
from tensorflow import keras
from tensorflow.keras.preprocessing.text import Tokenizer

texts = ["This is a text", "This is not a text"]

tokenizer = Tokenizer(num_words=10)
tokenizer.fit_on_texts(texts)
sequences = keras.utils.pad_sequences(tokenizer.texts_to_sequences(texts), maxlen=6)

model = keras.Sequential([keras.Input((6,), dtype="int32"), keras.layers.Embedding(10, 3)])
output = model.predict(sequences, verbose=0)
weights = model.layers[0].get_weights()[0]

print(tokenizer.word_index)
print(sequences)
print(output)
print(weights)
print(np.array_equal(output, weights[sequences]))
