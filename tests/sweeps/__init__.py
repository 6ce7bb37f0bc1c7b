"""Sweeps over many inputs: too long for the suite, which runs a sample of each."""
