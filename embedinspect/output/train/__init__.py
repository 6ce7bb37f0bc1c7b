"""The outputs of `train`."""
