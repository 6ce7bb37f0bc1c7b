"""Whether an embedding is any good: what published and own tests say of its rows."""
