"""How the preprocessing layers of Keras turn a text into ids, computed without Keras."""
