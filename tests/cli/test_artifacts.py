"""`skytrail artifacts`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from runs_app.models import Artifact, DagRun
from runs_app.selectors.artifacts import artifact_store
from tests.cli.conftest import CommandLine
from tests.factories import keep_artifact, save_dag, start_run, task

pytestmark = pytest.mark.usefixtures("committing")


@pytest.fixture
def run(committing: None, tmp_path: Path, settings: Settings) -> Iterator[DagRun]:
    """A run whose task `a` has left a table."""
    settings.SKYTRAIL_ARTIFACTS_URL = str(tmp_path / "store")
    artifact_store.cache_clear()
    run = start_run(save_dag({"a": []}))
    keep_artifact(task(run, "a"), b"a,b\n", name="rows.csv", key="story/1/rows.csv")
    yield run
    artifact_store.cache_clear()


def test_it_is_listed_shown_and_downloaded(
    run: DagRun, command: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (listed,) = command("artifacts", "list", "story", run.run_id, "-o", "json").json
    assert (listed["name"], listed["size"]) == ("rows.csv", 4)
    assert command("artifacts", "show", listed["id"], "-o", "json").json == listed
    monkeypatch.chdir(tmp_path)
    assert "rows.csv: 4 bytes" in command("artifacts", "download", listed["id"]).out
    assert (tmp_path / "rows.csv").read_text() == "a,b\n"
    refused = command("artifacts", "download", listed["id"], expect=5)
    assert "--overwrite" in refused.err
    command("artifacts", "download", listed["id"], "--overwrite")


def test_what_has_changed_is_not_handed_out(
    run: DagRun, command: CommandLine, tmp_path: Path
) -> None:
    (tmp_path / "store/story/1/rows.csv").write_text("c,d\n")
    key = str(Artifact.objects.get().pk)
    said = command("artifacts", "download", key, "--to", str(tmp_path / "copy"), expect=1)
    assert "not what was kept" in said.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["store"]


def test_a_run_without_any_says_so(run: DagRun, command: CommandLine) -> None:
    Artifact.objects.all().delete()
    assert "There are no artifacts" in command("artifacts", "list", "story", run.run_id).out
