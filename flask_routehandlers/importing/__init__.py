"""Import the files of a tree as ordinary modules, through Python's import system.

``names`` chooses the module name of a root, ``finders`` has what Python's own finders lack, and
``loader`` imports the files. To execute files by hand would take less code, and lose relative
imports, dataclasses, pickling, coverage, patching by dotted name, and the lock under which each
file is executed once.
"""
