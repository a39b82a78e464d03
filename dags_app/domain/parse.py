"""From a document to a `DagSpec`, or to every problem with it at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from dags_app.domain import problems, validate
from dags_app.domain.spec import TASK_CLASSES, DagSpec
from skytrail.errors import Invalid, Problem


class BadDefinition(Invalid):
    """The DAG's definition has problems."""


def parse(document: Any) -> DagSpec:
    """The spec that `document` (what JSON or YAML made of a file) describes.

    Raises `BadDefinition` with all problems: those of single fields and those between them.
    """
    if not isinstance(document, dict):
        raise BadDefinition(
            problems=[Problem("", "not_an_object", "a definition must be an object: { … }")]
        )
    if too_large := validate.too_large(document):
        raise BadDefinition(problems=[too_large])
    found = list(validate.relations(document))
    spec = None
    try:
        spec = DagSpec.model_validate(document)
    except ValidationError as error:
        found += problems.from_validation(error, document=document, keys_at=_keys_at)
    if found or spec is None:
        raise BadDefinition(problems=problems.listed(found))
    return spec


def _keys_at(location: Sequence[str | int], document: Any) -> list[str]:
    """The keys that are known at a place: the DAG's own, or those of a task of that type."""
    match list(location):
        case []:
            return list(DagSpec.model_fields)
        case ["tasks", int(index)]:
            kind = document["tasks"][index].get("type", "empty")
            return list(TASK_CLASSES[kind].model_fields)
        case _:
            return []
