"""Labelled texts, the classifier, the fit, and the run folder that it leaves."""
