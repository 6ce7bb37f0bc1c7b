"""From records to text: the only rooms that know rich, JSON and CSV."""
