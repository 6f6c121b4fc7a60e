"""Import the files of a tree as ordinary modules, through Python's import system."""
