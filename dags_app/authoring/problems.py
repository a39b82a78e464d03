"""Problems of a definition, with the tasks' names in place of their numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from skytrail.documents import path
from skytrail.errors import Problem

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
