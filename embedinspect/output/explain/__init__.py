"""The outputs of `explain`."""
