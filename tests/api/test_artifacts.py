"""Artifacts over REST."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from django.utils import timezone
from pytest_django import Settings

from runs_app.models import Artifact, DagRun
from runs_app.selectors.artifacts import artifact_store
from tests.api.checking import CheckedClient
from tests.api.stories import text_of
from tests.factories import keep_artifact, save_dag, start_run, task

pytestmark = pytest.mark.usefixtures("committing")

PAGE = b"<script>alert(1)</script>" * 100_000


@pytest.fixture
def run(committing: None, tmp_path: Path, settings: Settings) -> Iterator[DagRun]:
    """A run whose task `a` has left a page."""
    settings.SKYTRAIL_ARTIFACTS_URL = str(tmp_path)
    artifact_store.cache_clear()
    run = start_run(save_dag({"a": [], "b": ["a"]}))
    keep_artifact(task(run, "a"), PAGE, name='r"é.html', key="story/1/page.html")
    yield run
    artifact_store.cache_clear()


def test_it_is_listed_shown_and_downloaded(run: DagRun, as_oscar: CheckedClient) -> None:
    (listed,) = as_oscar.get(f"dags/story/runs/{run.run_id}/artifacts").json()["results"]
    assert (listed["task_id"], listed["size"], listed["is_gone"]) == ("a", len(PAGE), False)
    assert as_oscar.get(f"artifacts/{listed['id']}").json() == listed
    assert not as_oscar.get(f"dags/story/runs/{run.run_id}/artifacts?task_id=b").json()["results"]
    answer = as_oscar.get(f"artifacts/{listed['id']}/content")
    assert text_of(answer).encode() == PAGE


def test_no_browser_takes_what_a_task_wrote_for_a_page_of_ours(
    run: DagRun, as_oscar: CheckedClient
) -> None:
    answer = as_oscar.get(f"artifacts/{Artifact.objects.get().pk}/content")
    assert answer["Content-Disposition"] == "attachment; filename*=UTF-8''r%22%C3%A9.html"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert answer["Content-Length"] == str(len(PAGE))


def test_what_is_gone_says_so(run: DagRun, as_oscar: CheckedClient) -> None:
    Artifact.objects.update(expires_at=timezone.now())
    key = Artifact.objects.get().pk
    assert as_oscar.get(f"artifacts/{key}").json()["is_gone"]
    answer = as_oscar.get(f"artifacts/{key}/content")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "artifact_gone")


def test_a_store_that_does_not_answer_says_so(
    run: DagRun, as_oscar: CheckedClient, tmp_path: Path
) -> None:
    (tmp_path / "story/1/page.html").unlink()
    answer = as_oscar.get(f"artifacts/{Artifact.objects.get().pk}/content")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "store_failed")


def test_there_is_no_other(run: DagRun, as_oscar: CheckedClient) -> None:
    assert as_oscar.get(f"artifacts/{uuid4()}").status_code == 404
    assert as_oscar.get(f"artifacts/{uuid4()}/content").status_code == 404
