"""One file for each command: its options, one call into the domain, one output."""
