"""The outputs of `show`."""
