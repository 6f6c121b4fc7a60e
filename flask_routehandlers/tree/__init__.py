"""A root on disk: folder names, files and their conflicts. Knows neither Flask nor Werkzeug.

``discovery`` walks a root. It reads each folder name by the ``grammar`` as one of the
``segments``, and returns a tree, whose parts are in ``model``. ``conflicts`` compares the paths of
its route files, and ``lookalikes`` finds files that are never loaded and look as if they were.
``spelling`` writes segments as folder names again, for hints.
"""
