"""A page for a browser: one file that loads nothing, from the same parts as a terminal shows."""
