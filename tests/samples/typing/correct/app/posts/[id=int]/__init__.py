"""A package, whose name is no identifier."""
