"""Questions to a matrix: each one a function that returns a frozen record."""
