"""Handles of artifacts, and what can be one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from runs_app.at_work.artifacts import Artifact, revived
from runs_app.at_work.here import NotAtWork
from runs_app.domain.artifacts import BadArtifact, Handle, file_name, handle_in, key_of, to_keep
from runs_app.domain.outcomes import keepable

HANDLE = Handle(
    id=UUID(int=7),
    name="report.html",
    media_type="text/html",
    size=3,
    sha256="ab" * 32,
    expires_at=datetime(2026, 12, 24, tzinfo=UTC),
)


def test_a_handle_goes_through_json_and_back() -> None:
    kept = keepable({"reports": [HANDLE]})
    assert kept["reports"][0]["name"] == "report.html"
    assert handle_in(kept["reports"][0]) == HANDLE


def test_what_a_task_is_given_can_be_read_by_it_only() -> None:
    (found,) = revived(keepable([HANDLE]))
    assert isinstance(found, Artifact)
    assert (found.name, found.size) == ("report.html", 3)
    with pytest.raises(NotAtWork):
        found.read_bytes()


@pytest.mark.parametrize(
    "value",
    [None, 7, "x", [], {}, {"$artifact": 7}, {"$artifact": "x", "name": "x"}, {"id": "x"}],
)
def test_other_values_stay_what_they_are(value: Any) -> None:
    assert handle_in(value) is None
    assert revived(value) == value


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"name": ""}, "the name of a file"),
        ({"name": ".."}, "the name of a file"),
        ({"name": "a/b"}, "the name of a file"),
        ({"name": "a\nb"}, "printable"),
        ({"name": "a" * 201}, "at most 200"),
        ({"name": "a", "media_type": "text"}, "text/html"),
        ({"name": "a", "media_type": "text/html\r\nX: y"}, "text/html"),
        ({"name": "a", "ttl": 0}, "more than 0 seconds"),
        ({"name": "a", "ttl": True}, "more than 0 seconds"),
        ({"name": "a", "ttl": timedelta(days=4000)}, "at most 3,650 days"),
    ],
)
def test_what_cannot_be_kept_says_which_field(wanted: dict[str, Any], words: str) -> None:
    with pytest.raises(BadArtifact) as caught:
        to_keep(**wanted)
    (problem,) = caught.value.problems
    assert problem.path == list(wanted)[-1]
    assert words in problem.message


def test_the_media_type_is_guessed_from_the_name() -> None:
    assert to_keep("page.html").media_type == "text/html"
    assert to_keep("thing").media_type == "application/octet-stream"
    assert to_keep("thing", media_type="text/csv; charset=utf-8", ttl=60).ttl == timedelta(
        minutes=1
    )


def test_a_key_stays_within_its_own_folder() -> None:
    assert key_of(UUID(int=7), "etl", "ü etc.txt") == f"etl/{UUID(int=7)}/__etc.txt"
    assert key_of(UUID(int=7), "../x", "..") == f"_x/{UUID(int=7)}/_"


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("März 1.pdf", "März 1.pdf"),
        ("../../etc/x.json", "x.json"),
        ("/etc/x", "x"),
        ("..", "artifact"),
        ("a/..", "artifact"),
        ("", "artifact"),
        ("a\x00b", "artifact"),
    ],
)
def test_no_name_leads_out_of_a_folder(name: str, file: str) -> None:
    assert file_name(name) == file
