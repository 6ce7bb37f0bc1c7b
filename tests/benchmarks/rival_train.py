"""The plain script of the classic IMDB recipe: the rival of `train`. Prints one line of JSON.

python rival_train.py imdb.npz SEED EPOCHS [mask]
"""

import json
import resource
import sys
import time

import numpy as np
from tensorflow import keras

path, seed, epochs, mask = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), "mask" in sys.argv
keras.utils.set_random_seed(seed)

# What keras.datasets.imdb.load_data(num_words=5000) does with the file.
with np.load(path, allow_pickle=True) as data:  # a file that whoever measures trusts
    parts = [[data[f"{axis}_{part}"] for axis in "xy"] for part in ("train", "test")]
shuffle = np.random.RandomState(113)
prepared = []
for reviews, labels in parts:
    order = np.arange(len(reviews))
    shuffle.shuffle(order)
    ids = [[1] + [i + 3 if i + 3 < 5000 else 2 for i in reviews[n]] for n in order]
    prepared.append((keras.utils.pad_sequences(ids, maxlen=500), labels[order]))
(x_train, y_train), (x_test, y_test) = prepared

model = keras.Sequential(
    [
        keras.Input((500,), dtype="int32"),
        keras.layers.Embedding(5000, 32, mask_zero=mask),
        keras.layers.LSTM(100),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
)
model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
seconds = []
for _ in range(epochs):
    start = time.perf_counter()
    model.fit(x_train, y_train, epochs=1, batch_size=64, verbose=0)
    seconds.append(round(time.perf_counter() - start, 2))
start = time.perf_counter()
_, accuracy = model.evaluate(x_test, y_test, batch_size=256, verbose=0)
evaluation = round(time.perf_counter() - start, 2)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
result = {"seconds": seconds, "accuracy": round(accuracy, 4), "peak_mib": round(peak)}
print(json.dumps({**result, "evaluation": evaluation}))
