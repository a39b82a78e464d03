"""A client that holds every answer against docs/openapi.json."""

from __future__ import annotations

import copy
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from django.http import StreamingHttpResponse
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012
from rest_framework.test import APIClient

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "openapi.json"

API = "/api/v1/"

_HERE = "urn:openapi"


class CheckedClient(APIClient):
    """Takes paths below /api/v1/, and fails where an answer is not as documented."""

    def generic(  # type: ignore[override]  # whatever it takes is handed on
        self, method: str, path: str, *args: Any, **kwargs: Any
    ) -> Any:
        local = path if path.startswith(("/", "http")) else API + path
        return super().generic(method, local, *args, **kwargs)

    def request(self, **kwargs: Any) -> Any:
        response = super().request(**kwargs)
        if kwargs["PATH_INFO"].startswith(API):
            check(kwargs["REQUEST_METHOD"], kwargs["PATH_INFO"], response)
        return response


def check(method: str, path: str, response: Any) -> None:
    """Raises an AssertionError unless the answer is one that the document speaks of."""
    operation = _operation(method, path)
    if operation is None or method in {"HEAD", "OPTIONS"}:
        if response.status_code >= 400 and method != "HEAD":
            check_error(response)
        return
    about = f"{method} {path} answered {response.status_code}"
    documented = operation["responses"].get(str(response.status_code))
    assert documented is not None, f"{about}, which is not documented"
    content = documented.get("content")
    if not content:
        assert not response.content, f"{about} with content, and none is documented"
        return
    kind = response.headers["Content-Type"].partition(";")[0]
    assert kind in content, f"{about} as {kind}; documented is {', '.join(content)}"
    if isinstance(response, StreamingHttpResponse) or kind == "text/plain":
        return
    _check_body(response.json(), content[kind]["schema"], about)


def check_error(response: Any) -> None:
    """The one shape of errors, for answers outside the document too."""
    shape = {"$ref": "#/components/schemas/ErrorAnswer"}
    _check_body(response.json(), shape, f"the error {response.status_code}")


def _check_body(body: Any, schema: dict[str, Any], about: str) -> None:
    local = json.loads(json.dumps(schema).replace('"#/', f'"{_HERE}#/'))
    checker = Draft202012Validator(local, registry=_registry(), format_checker=FormatChecker())
    for error in checker.iter_errors(body):
        raise AssertionError(f"{about}: {error.json_path} {error.message}")


@cache
def document() -> dict[str, Any]:
    """The document, with objects closed: what it does not name must not be there."""
    found: dict[str, Any] = json.loads(DOCUMENT.read_text())
    for schema in found["components"]["schemas"].values():
        _close(schema)
    return found


def _close(schema: Any) -> None:
    if isinstance(schema, list):
        for inner in schema:
            _close(inner)
    elif isinstance(schema, dict):
        for inner in schema.values():
            _close(inner)
        if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
            schema.setdefault("additionalProperties", False)


@cache
def _registry() -> Registry[Any]:
    resource: Resource[Any] = DRAFT202012.create_resource(copy.deepcopy(document()))
    registry: Registry[Any] = Registry().with_resource(_HERE, resource)
    return registry


@cache
def _paths() -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    # The ones without parameters first: `dags/{dag_id}` would match them too.
    ordered = sorted(document()["paths"].items(), key=lambda item: item[0].count("{"))
    return [
        (re.compile("[^/]+".join(map(re.escape, re.split(r"\{\w+\}", path)))), operations)
        for path, operations in ordered
    ]


def _operation(method: str, path: str) -> dict[str, Any] | None:
    for pattern, operations in _paths():
        if pattern.fullmatch(path):
            found: dict[str, Any] | None = operations.get(method.lower())
            return found
    return None
