"""Numbers of things, in words."""


def counted(number: int, noun: str) -> str:
    """``1 route file``, ``2 route files``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
