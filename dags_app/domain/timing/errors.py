"""What is wrong with a schedule."""

from typing import Self

from skytrail.errors import Invalid, Problem

#: So much of a text is shown, and an expression may have so many characters.
MAXIMUM_LENGTH = 128


class BadSchedule(Invalid, ValueError):
    """{explanation}"""

    # A ValueError too: a pydantic validator may let it pass through, and pydantic makes it one
    # entry of its own error (with this one in `ctx["error"]`). Any other caller finds the one
    # `Problem`, with its code, in `problems`.

    @classmethod
    def because(cls, path: str, code: str, message: str) -> Self:
        """The error for exactly one problem."""
        return cls(problems=[Problem(path, code, message)], explanation=message)


def quoted(text: str) -> str:
    """A text as it is shown in a message: in quotes, and not endless."""
    return repr(text if len(text) <= MAXIMUM_LENGTH else text[: MAXIMUM_LENGTH - 3] + "...")
