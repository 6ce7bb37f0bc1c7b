"""The LSTM of the classifier for CPUs: the same numbers as Keras's, from fewer steps and threads of
its own. Only `choice` is imported before it is known that this LSTM is used."""
