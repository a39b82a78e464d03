"""What the measured tasks do."""


def nothing() -> None:
    """Nothing."""
