"""Problems of a definition, with the tasks' names in place of their numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from skytrail.documents import path
from skytrail.errors import Problem

#: More problems than these are counted, in a message of one line.
_SHOWN = 5

_TASK = re.compile(r"\btasks\[([0-9]+)\]")


def in_words(problems: Iterable[Problem], document: Mapping[str, Any]) -> list[Problem]:
    """`problems` as an author in Python, who has written no list, can find their places."""

    def named(text: str) -> str:
        return _TASK.sub(lambda found: path(["tasks", ids[int(found[1])]]), text)

    ids = [task["id"] for task in document["tasks"]]
    return [
        replace(problem, path=named(problem.path), message=named(problem.message))
        for problem in problems
    ]


def sentence(problems: Sequence[Problem]) -> str:
    """The first of `problems` in one line; the error that has them has all of them."""
    first = (": ".join(filter(None, (each.path, each.message))) for each in problems[:_SHOWN])
    more = len(problems) - _SHOWN
    return "; ".join(first) + (f"; and {more} more" if more > 0 else "")
