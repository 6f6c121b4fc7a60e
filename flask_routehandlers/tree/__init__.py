"""A root on disk: folder names, files and their conflicts. Knows neither Flask nor Werkzeug."""
