"""One route file as one view: what it exports, how it is called, and its middleware."""
