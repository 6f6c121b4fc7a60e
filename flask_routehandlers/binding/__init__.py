"""How a function is called: with what it names in its signature."""
