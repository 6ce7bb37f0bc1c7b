"""Measurements as ratios against named rivals; run by hand, never by the test suite."""
