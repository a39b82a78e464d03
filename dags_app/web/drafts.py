"""A definition while it is being written: what it says, and what is wrong with it at which line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from dags_app.domain.parse import BadDefinition, parse
from dags_app.domain.spec import DagSpec
from skytrail.documents import BadDocument, DocumentTooLarge, Located, read_json, read_yaml
from skytrail.errors import Invalid, Problem

#: Where the readers of documents say in their messages where something stands.
_PLACE = re.compile(r"^line (\d+), column (\d+): ")

#: PyYAML knows the numbers of YAML 1.1; those of 1.2 are more.
_LIKE_A_NUMBER = re.compile(r"[-+]?\.?[0-9]|[-+]?\.(inf|Inf|INF|nan|NaN|NAN)$")


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something that is wrong: in which line (from 1), at what, and what to do about it."""

    line: int
    path: str
    message: str


@dataclass(frozen=True, slots=True)
class Draft:
    """What was written: a definition, or what is wrong with it."""

    spec: DagSpec | None
    flaws: list[Flaw]


def read(text: str) -> Draft:
    """The definition that `text` describes, in YAML or JSON."""
    try:
        located = _located(text)
    except (BadDocument, DocumentTooLarge) as error:
        return Draft(None, list(_in_document(error)))
    try:
        return Draft(parse(located.value), [])
    except BadDefinition as error:
        flaws = [Flaw(located.where(p.path)[0], p.path, p.message) for p in error.problems]
        return Draft(None, sorted(flaws, key=lambda flaw: flaw.line))


def _located(text: str) -> Located:
    """JSON is YAML but for tabs, which people indent it with."""
    try:
        return read_yaml(text)
    except BadDocument:
        if text.lstrip()[:1] != "{":
            raise
        return Located(read_json(text.encode()))


def _in_document(error: Invalid) -> Iterator[Flaw]:
    problems: Sequence[Problem] = error.problems or [Problem("", error.code, error.message)]
    for problem in problems:
        found = _PLACE.match(problem.message)
        line = int(found[1]) if found else 1
        yield Flaw(line, problem.path, _PLACE.sub("", problem.message))


class _Dumper(yaml.SafeDumper):
    """Writes text of several lines as such, and in quotes what could be read as something else."""


def _text(dumper: yaml.SafeDumper, value: str) -> Any:
    style = "'" if _LIKE_A_NUMBER.match(value) else None
    if "\n" in value and not any(line.endswith((" ", "\t")) for line in value.split("\n")):
        style = "|"
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def as_yaml(spec: Mapping[str, Any]) -> str:
    """A definition as people like to edit it. Reading it gives the same definition back."""
    return yaml.dump(
        dict(spec), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100,
        default_flow_style=False,
    )  # fmt: skip
