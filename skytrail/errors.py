"""What can go wrong, said once.

Every error that a person may read derives from `SkytrailError`. Its docstring is its message: the
data goes into attributes and is filled in. The kind (`NotFound`, `Conflict`, …) decides what each
door makes of it: a status code for REST, an exit code for the command line.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong with what was sent.

    `path` names the place as a reader would write it (`tasks[2].depends_on[0]`; empty for the
    whole), `code` is for programs, `message` says what is wrong and what to do about it.
    """

    path: str
    code: str
    message: str

    def within(self, prefix: str) -> Problem:
        """The same problem, seen from the document that holds this one at `prefix`."""
        joint = "" if not self.path or self.path.startswith("[") else "."
        return Problem(f"{prefix}{joint}{self.path}", self.code, self.message)


class SkytrailError(Exception):
    """Something went wrong in Skytrail."""

    #: What programs see: derived from the class name (`RunNotFound` -> `run_not_found`).
    code: ClassVar[str] = "skytrail_error"

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "code" not in cls.__dict__:
            cls.code = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", cls.__name__).lower()

    def __init__(self, *, problems: Sequence[Problem] = (), **data: Any) -> None:
        self.problems = tuple(problems)
        self.data = data
        super().__init__(self.message)

    @property
    def message(self) -> str:
        return " ".join(inspect.cleandoc(type(self).__doc__ or "").format(**self.data).split())

    def __str__(self) -> str:
        return self.message

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["data"][name]
        except KeyError:
            raise AttributeError(name) from None


class Invalid(SkytrailError):
    """What was sent cannot be used."""

    @classmethod
    def because(cls, path: str, code: str, message: str) -> Invalid:
        """The error for exactly one problem."""
        return cls(problems=[Problem(path, code, message)])


class NotFound(SkytrailError):
    """There is no such thing here, or it is not yours to see."""


class Forbidden(SkytrailError):
    """You may see this, but not do that to it."""


class Conflict(SkytrailError):
    """That does not go together with what is there."""


class Unavailable(SkytrailError):
    """A part that this needs does not answer."""


def listed(names: Sequence[str], *, most: int = 5) -> str:
    """Some names in a sentence: `a, b and 3 more`."""
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most} more"
