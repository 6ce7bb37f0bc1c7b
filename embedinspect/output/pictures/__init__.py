"""Pictures in a terminal: lines of characters, and the numbers of each as a table."""
