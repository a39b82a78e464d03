"""From pydantic's errors to problems that tell a person where and what to do."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, TypeAlias

from pydantic import ValidationError

from skytrail.documents import path
from skytrail.errors import Invalid, Problem

#: More than these are counted, not listed: nobody reads the hundred-and-first.
MAX_PROBLEMS = 100

#: And more than these are not even looked for: a hostile document has a hundred thousand.
MAX_FOUND = 5_000

#: Names longer than this are neither compared with others nor repeated in full.
MAX_NAME = 250

#: How many names are compared, for all the hints in one list: each costs some 30 µs.
MAX_COMPARED = 20_000

#: One of pydantic's findings: `type`, `loc`, `msg`, `input` and `ctx`.
Finding: TypeAlias = Any
#: A place in the document that was sent, as keys and indexes.
Place: TypeAlias = Sequence[str | int]

# pydantic's own words are written for programmers; these say what to do.
_PLAIN = {
    "missing": "this is required; add it",
    "string_type": "this must be text in quotes",
    "int_type": "this must be a whole number, without quotes",
    "float_type": "this must be a number, without quotes",
    "bool_type": "this must be true or false, without quotes",
    "list_type": "this must be a list: [ … ]",
    "dict_type": "this must be an object: {{ … }}",
    "model_type": "this must be an object: {{ … }}",
    "model_attributes_type": "this must be an object: {{ … }}",
    "string_too_long": "this has more than {max_length:,} characters; shorten it",
    "string_too_short": "this is empty; write something, or leave it out",
    "greater_than_equal": "use {ge:,g} or more",
    "greater_than": "use more than {gt:,g}",
    "less_than_equal": "use {le:,g} or less",
    "too_short": "this is empty; give at least {min_length:,}",
    "too_long": "at most {max_length:,} are allowed, not {actual_length:,}; take some out",
    "finite_number": "this must be a number that is not infinite",
}

# What our own ids for the same finding are.
_CODES = {"model_attributes_type": "model_type"}


class Suggestions:
    """Did-you-mean hints for one list of problems. A hostile document gets a limited number."""

    def __init__(self, budget: int = MAX_COMPARED) -> None:
        self.budget = budget

    def __call__(self, name: str, choices: Collection[str]) -> str:
        """`; did you mean 'x'?` for the closest of `choices`, or nothing."""
        if len(choices) > self.budget:
            return ""
        self.budget -= len(choices)
        return suggestion(name, choices)


def suggestion(name: str, choices: Iterable[str]) -> str:
    """`; did you mean 'x'?` for the closest of `choices`, or nothing."""
    if len(name) > MAX_NAME:
        return ""
    spelled = {choice.lower(): choice for choice in choices}
    close = difflib.get_close_matches(name.lower(), spelled, n=1, cutoff=0.6)
    return f"; did you mean {spelled[close[0]]!r}?" if close else ""


def quoted(name: str) -> str:
    """A name as it is shown in a message: in quotes, and not endless."""
    return repr(name if len(name) <= MAX_NAME else f"{name[: MAX_NAME - 1]}…")


def from_validation(
    error: ValidationError,
    *,
    place_of: Callable[[Finding], Place],
    special: Callable[[Finding, Place], Problem | None],
) -> list[Problem]:
    """Each of `error`'s findings as a problem, up to `MAX_FOUND`.

    `place_of` says where in the document a finding belongs; `special` may word one itself.
    """
    found = []
    for finding in error.errors(include_url=False)[:MAX_FOUND]:
        place = place_of(finding)
        found.append(special(finding, place) or _problem(finding, place))
    return found


def listed(problems: Sequence[Problem]) -> list[Problem]:
    """In reading order, without repetitions, and not endless."""
    ordered = sorted(dict.fromkeys(problems), key=lambda problem: _reading_order(problem.path))
    if len(ordered) <= MAX_PROBLEMS:
        return ordered
    more = f"{len(ordered) - MAX_PROBLEMS:,}"
    if len(problems) >= MAX_FOUND:
        more = f"more than {MAX_FOUND - MAX_PROBLEMS:,}"
    message = f"and {more} more; correct these first, and they will be shown"
    return [*ordered[:MAX_PROBLEMS], Problem("", "and_more", message)]


def _problem(finding: Finding, place: Place) -> Problem:
    kind: str = finding["type"]
    context: dict[str, Any] = finding.get("ctx", {})
    cause = context.get("error")
    if isinstance(cause, Invalid) and cause.problems:
        return Problem(path(place), cause.problems[0].code, cause.problems[0].message)
    if kind in {"enum", "literal_error"}:
        return _not_a_choice(finding, place)
    if kind == "too_long":  # of tables pydantic does not say it
        context = {**context, "actual_length": len(finding["input"])}
    message = _PLAIN[kind].format(**context) if kind in _PLAIN else finding["msg"]
    return Problem(path(place), _CODES.get(kind, kind), message[:1].lower() + message[1:])


def _not_a_choice(finding: Finding, place: Place) -> Problem:
    choices = re.findall(r"'([^']*)'", finding["ctx"]["expected"])
    given = finding["input"]
    if not isinstance(given, str):
        message = f"this must be text in quotes: one of {', '.join(choices)}"
    else:
        hint = suggestion(given, choices) or f"; use one of {', '.join(choices)}"
        message = f"there is no {quoted(given)} here{hint}"
    return Problem(path(place), "not_a_choice", message)


def _reading_order(where: str) -> list[str | int]:
    """Sorts `tasks[10]` behind `tasks[9]`: text and numbers take turns."""
    parts = re.split(r"([0-9]{1,9})", where)
    return [int(part) if index % 2 else part for index, part in enumerate(parts)]
