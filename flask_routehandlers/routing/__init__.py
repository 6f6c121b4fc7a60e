"""Trees as Werkzeug rules: the only place that uses Werkzeug's private names."""
