"""The command export: every static URL of an app as a file."""
