"""How the OpenAPI document describes a definition: by the spec's own JSON Schema."""

from __future__ import annotations

from typing import Any

from drf_spectacular.contrib.pydantic import PydanticExtension
from drf_spectacular.plumbing import ResolvedComponent
from pydantic import BaseModel
from pydantic.json_schema import model_json_schema

from dags_app.domain.spec import DagSpec


class PartialDefinition(BaseModel):
    """Some of a definition's fields; named only for the OpenAPI document."""


class DefinitionExtension(PydanticExtension):  # type: ignore[no-untyped-call]  # untyped hook
    """What may be sent, with its defaults optional and both spellings of its keys."""

    target_class = "dags_app.domain.spec.DagSpec"
    priority = 1

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        return _schema(auto_schema)


class PartialDefinitionExtension(PydanticExtension):  # type: ignore[no-untyped-call]  # untyped hook
    """The same, with nothing required."""

    target_class = "dags_app.api.schema.PartialDefinition"
    priority = 1

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        schema = _schema(auto_schema)
        for demand in ("required", "oneOf"):
            schema.pop(demand, None)
        return schema | {"title": "PartialDefinition", "description": PartialDefinition.__doc__}


def _schema(auto_schema: Any) -> dict[str, Any]:
    schema = model_json_schema(
        DagSpec, ref_template="#/components/schemas/{model}", mode="validation"
    )
    for name, inner in schema.pop("$defs", {}).items():
        auto_schema.registry.register_on_missing(
            ResolvedComponent(  # type: ignore[no-untyped-call]  # untyped library
                name=name, type=ResolvedComponent.SCHEMA, object=name, schema=inner
            )
        )
    return schema
