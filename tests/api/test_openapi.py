"""The OpenAPI document: in the repository, served, and true to the code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.core.management import call_command
from drf_spectacular.drainage import GENERATOR_STATS
from rest_framework.test import APIClient

from tests.api.checking import DOCUMENT, CheckedClient, document

REGENERATE = (
    "python manage.py spectacular --format openapi-json --validate --fail-on-warn"
    " --file docs/openapi.json"
)


def test_it_is_up_to_date_valid_and_made_without_a_warning(tmp_path: Path) -> None:
    GENERATOR_STATS.reset()
    made = tmp_path / "openapi.json"
    call_command(
        "spectacular", format="openapi-json", validate=True, fail_on_warn=True, file=str(made)
    )
    assert json.loads(made.read_text()) == json.loads(DOCUMENT.read_text()), (
        f"docs/openapi.json is not up to date; run: {REGENERATE}"
    )


def test_what_is_served_is_what_is_in_the_repository(as_charlie: CheckedClient) -> None:
    answer = as_charlie.get("openapi.json")
    assert answer.headers["Content-Type"] == "application/vnd.oai.openapi+json"
    assert json.loads(answer.content) == json.loads(DOCUMENT.read_text())


@pytest.mark.django_db
def test_it_is_for_those_who_are_logged_in() -> None:
    assert APIClient().get("/api/v1/openapi.json").status_code == 401


def test_every_operation_says_what_it_does_and_what_can_go_wrong() -> None:
    for path, operations in document()["paths"].items():
        for method, operation in operations.items():
            about = f"{method} {path}"
            assert operation["summary"], about
            assert operation["operationId"], about
            assert "503" in operation["responses"], about
            assert all(answer["description"] for answer in operation["responses"].values()), about
            if "{" in path:
                assert "404" in operation["responses"], about
            if operation.get("security"):
                assert "401" in operation["responses"], about


def test_the_ways_to_log_in_are_described() -> None:
    schemes = document()["components"]["securitySchemes"]
    assert schemes["bearer"] == {"type": "http", "scheme": "bearer"}
    assert schemes["cookieAuth"]["in"] == "cookie"
