"""From pydantic's errors to problems that tell a person where and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from pydantic import ValidationError

from skytrail.errors import Problem

#: More than these are counted, not listed: nobody reads the hundred-and-first.
MAX_PROBLEMS = 100

# pydantic's own words are kept where they are clear; these are not.
_PLAIN = {
    "missing": "this is required; add it",
    "string_type": "this must be text in quotes",
    "int_type": "this must be a whole number",
    "int_parsing": "this must be a whole number",
    "int_from_float": "this must be a whole number",
    "float_type": "this must be a number",
    "float_parsing": "this must be a number",
    "bool_type": "this must be true or false",
    "bool_parsing": "this must be true or false",
    "list_type": "this must be a list: [ … ]",
    "dict_type": "this must be an object: { … }",
    "model_type": "this must be an object: { … }",
    "model_attributes_type": "this must be an object: { … }",
    "datetime_parsing": "write a date and time like 2026-01-31T09:00:00+00:00",
    "datetime_from_date_parsing": "write a date and time like 2026-01-31T09:00:00+00:00",
    "datetime_type": "write a date and time like 2026-01-31T09:00:00+00:00",
}


#: Given a path's parts and the document, the keys that would have been right there.
KeysAt = Callable[[Sequence[str | int], Any], Iterable[str]]


def from_validation(error: ValidationError, *, document: Any, keys_at: KeysAt) -> list[Problem]:
    """Each of `error`'s findings as a problem, its path written as in `document`."""
    return [_problem(finding, document, keys_at) for finding in error.errors(include_url=False)]


def suggestion(name: str, choices: Iterable[str]) -> str:
    """`; did you mean 'x'?` for the closest of `choices`, or nothing."""
    close = difflib.get_close_matches(name, list(choices), n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else ""


def listed(problems: Sequence[Problem]) -> list[Problem]:
    """In reading order, without repetitions, and not endless."""
    ordered = sorted(dict.fromkeys(problems), key=lambda problem: _reading_order(problem.path))
    if len(ordered) <= MAX_PROBLEMS:
        return ordered
    more = len(ordered) - MAX_PROBLEMS
    return [*ordered[:MAX_PROBLEMS], Problem("", "and_more", f"and {more:,} more problems")]


def _problem(finding: Any, document: Any, keys_at: KeysAt) -> Problem:
    location = _without_tags(finding["loc"], document)
    kind: str = finding["type"]
    if kind == "extra_forbidden":
        close = suggestion(str(location[-1]), keys_at(location[:-1], document))
        return Problem(path(location), "unknown_key", f"there is no such key{close}")
    message = _PLAIN.get(kind) or finding["msg"].removeprefix("Value error, ")
    if kind == "too_long" and (limit := finding.get("ctx", {}).get("max_length")):
        message = f"at most {limit:,} are allowed, not {finding['ctx']['actual_length']:,}"
    return Problem(path(location), kind, message[:1].lower() + message[1:])


def path(location: Sequence[str | int]) -> str:
    """`("tasks", 2, "id")` as `tasks[2].id`."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _without_tags(location: Sequence[Any], document: Any) -> list[str | int]:
    """pydantic puts the tag of a union's member into the path; a reader has written no such key.

    A part is kept if it leads somewhere in the document, or is the last (a key that is missing).
    """
    kept: list[str | int] = []
    here = document
    for index, part in enumerate(location):
        last = index == len(location) - 1
        if (isinstance(here, dict) and part in here) or (
            isinstance(here, list) and isinstance(part, int) and part < len(here)
        ):
            kept.append(part)
            here = here[part]
        elif last and isinstance(here, dict):
            kept.append(_as_written(part, here))
    return kept


def _as_written(part: str | int, here: dict[str, Any]) -> str | int:
    """An alias is reported under its first name; say the one that was used."""
    for first, other in (("name", "dag_id"), ("retries", "retry_count"), ("schedule", "cron")):
        if part == first and other in here:
            return other
    return part


def _reading_order(path: str) -> list[tuple[int, str]]:
    """Sorts `tasks[10]` behind `tasks[9]`."""
    parts = path.replace("]", "").replace("[", ".").split(".")
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]
