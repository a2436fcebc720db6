"""Words of messages for people."""


def counted(number: int, noun: str) -> str:
    """Return a number and its noun, whose plural ends in s: 1 second, 2 seconds."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
