"""The command check and what it looks for."""
