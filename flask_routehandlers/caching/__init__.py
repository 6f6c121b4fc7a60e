"""Static handlers: what is stored, where, for how long, and who computes it."""
