"""From a document to a `DagSpec`, or to every problem with it at once."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

from pydantic import BaseModel, ValidationError

from dags_app.domain import defaults, problems, validate
from dags_app.domain.commands import TaskType
from dags_app.domain.problems import Finding, Place
from dags_app.domain.spec import ALIASES, DagSpec
from dags_app.domain.tasks import TASK_CLASSES, TriggerRule
from dags_app.domain.timing.definition import KINDS, Except
from skytrail.documents import oversize, path, unstorable
from skytrail.errors import Invalid, Problem

_OTHER_NAMES = {name: alias for alias, name in ALIASES.items()}


class BadDefinition(Invalid):
    """The DAG's definition has problems."""


def parse(document: Any) -> DagSpec:
    """The spec that `document` (what JSON or YAML made of a file) describes.

    Raises `BadDefinition` with all problems: those of single fields and those between them. Only a
    document that is too large, or cannot be stored, is not looked into any further.
    """
    if not isinstance(document, dict):
        raise BadDefinition(
            problems=[Problem("", "not_an_object", "a definition must be an object: { … }")]
        )
    if too_large := validate.too_large(document):
        raise BadDefinition(problems=[too_large])
    if flaws := unstorable(document):
        raise BadDefinition(problems=flaws)
    if too_large := oversize(document):
        raise BadDefinition(problems=[too_large])
    found = list(defaults.flaws(document))
    document = defaults.spread(document)
    found += islice(validate.relations(document), problems.MAX_FOUND)
    try:
        spec = DagSpec.model_validate(document)
    except ValidationError as error:
        wording = _Wording(document)
        found += problems.from_validation(error, place_of=wording.place, special=wording.special)
        raise BadDefinition(problems=problems.listed(found)) from None
    if found:
        raise BadDefinition(problems=problems.listed(found))
    return spec


class _Wording:
    """Where pydantic's findings belong in a definition, and what some of them mean there."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self.suggest = problems.Suggestions()

    def place(self, finding: Finding) -> Place:
        """pydantic's location, without the tags of its unions, and keys as they were written."""
        location: list[str | int] = list(finding["loc"])
        if location[-1:] == ["[key]"]:  # the place of a key is that of its entry
            location.pop()
        match location:
            case ["tasks", index, _, *rest]:
                return ["tasks", index, *self._as_written(rest, self.document["tasks"][index])]
            case ["schedule" | "cron" as key, _, *rest]:
                return [key, *self._in_schedule(rest, self.document[key])]
            case _:
                return self._as_written(location, self.document)

    def special(self, finding: Finding, place: Place) -> Problem | None:
        """Findings that need to know what stands around them."""
        kind, last = finding["type"], place[-1] if place else ""
        if kind == "extra_forbidden":
            return self._unknown_key(place)
        if kind == "unknown_type":
            given = finding["input"].get("type")
            return self._unknown(given, [*place, "type"], "type", "type of task", TaskType)
        if kind == "enum" and last == "trigger_rule":
            given = finding["input"]
            return self._unknown(given, place, "trigger_rule", "trigger rule", TriggerRule)
        return None

    def _unknown_key(self, place: Place) -> Problem:
        *around, key = place
        if ALIASES.get(str(key)) in self._model_at(around).model_fields:
            message = (
                f"this is another name for {ALIASES[str(key)]!r}, which is given too; keep one"
            )
            return Problem(path(place), "given_twice", message)
        hint = self.suggest(str(key), self._keys_at(around)) or "; remove it"
        return Problem(path(place), "unknown_key", f"there is no such key{hint}")

    def _unknown(
        self, given: Any, place: Place, code: str, what: str, choices: type[TaskType | TriggerRule]
    ) -> Problem:
        names = [choice.value for choice in choices]
        if not isinstance(given, str):
            message = f"write a {what} in quotes: one of {', '.join(names)}"
        else:
            hint = self.suggest(given, names) or f"; use one of {', '.join(names)}"
            message = f"there is no {what} {problems.quoted(given)}{hint}"
        return Problem(path(place), f"unknown_{code}", message)

    def _keys_at(self, around: Place) -> list[str]:
        """The keys that are known at a place: the DAG's, its schedule's, or those of a task."""
        match list(around):
            case ["schedule" | "cron" as key]:
                return self._schedule_keys(self.document[key])
            case ["schedule" | "cron", "except"]:
                return list(Except.model_fields)
        fields = self._model_at(around).model_fields
        names = [field.alias or name for name, field in fields.items()]
        return names + [_OTHER_NAMES[name] for name in names if name in _OTHER_NAMES]

    def _model_at(self, around: Place) -> type[BaseModel]:
        match list(around):
            case ["tasks", int(index)]:
                return TASK_CLASSES[self.document["tasks"][index].get("type", TaskType.EMPTY)]
            case []:
                return DagSpec
            case _:
                return BaseModel

    @staticmethod
    def _schedule_keys(written: Mapping[str, Any]) -> list[str]:
        """What the kind has that is written; where none is, the names of the kinds."""
        kind = next((KINDS[key] for key in KINDS if key in written), None)
        if kind is None:
            return list(KINDS)
        return [field.alias or name for name, field in kind.model_fields.items()]

    @staticmethod
    def _in_schedule(location: list[str | int], written: Any) -> list[str | int]:
        """Text, and a list of it, stand for an object with the key `cron`; one text for a list."""
        if isinstance(written, dict):
            if location[:1] == ["cron"] and not isinstance(written.get("cron"), list):
                return location[:1]
            return location
        return location[1:] if isinstance(written, list) else []

    @staticmethod
    def _as_written(location: list[str | int], here: Any) -> list[str | int]:
        """An alias is reported under its first name; say the one that was used."""
        first = location[0] if location else ""
        alias = _OTHER_NAMES.get(str(first))
        if alias and isinstance(here, dict) and first not in here and alias in here:
            return [alias, *location[1:]]
        return location
