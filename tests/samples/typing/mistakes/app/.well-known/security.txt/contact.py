ADDRESS = "mailto:security@example.com"
