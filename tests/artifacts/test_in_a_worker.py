"""What tasks leave in the artifact store, executed as a worker does, on a real database."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from runs_app.actions import artifacts as keeping
from runs_app.actions import retention
from runs_app.actions.dispatching_steps import dispatch
from runs_app.domain.artifacts import ArtifactOvertaken, handle_in, to_keep
from runs_app.models import Artifact, DagRun, Output, TaskRun
from runs_app.selectors.artifacts import artifact_store
from skytrail.sdk import DAG, Bash, Python
from skytrail.testing import run_dag
from tests.factories import save_dag, start_run, task
from tests.workers.calls import EXECUTION
from tests.workers.stations import done, last_attempt, output_of, ready
from workers.gateway import DatabaseGateway

pytestmark = pytest.mark.usefixtures("committing", "no_companion_stays")

CHORES = "tests.artifacts.chores"
LARGE = 5_000


def _two(first: dict[str, Any], second: dict[str, Any]) -> DagRun:
    return start_run(
        save_dag({"first": [], "second": ["first"]}, tasks={"first": first, "second": second})
    )


def _see_through(run: DagRun) -> None:
    for name in ("first", "second"):
        found = _next(run, name)
        assert done(found) == "success", last_attempt(found).message


def _next(run: DagRun, name: str) -> TaskRun:
    """A task of the run, when it is its turn."""
    dispatch(run.pk, None, actor="test")
    return task(run, name)


def test_a_large_output_is_an_artifact_and_read_as_an_output(artifacts: Path) -> None:
    run = _two(
        {"type": "python", "callable": f"{CHORES}.rows", "args": [LARGE]},
        {"type": "python", "callable": f"{CHORES}.measure", "args": ["{{ outputs.first }}"]},
    )
    _see_through(run)
    (kept,) = Artifact.objects.all()
    assert kept.is_output
    assert kept.size is not None
    assert kept.size > 65_536
    handle = handle_in(output_of(task(run, "first")))
    assert handle is not None
    assert (handle.id, handle.sha256, handle.size) == (kept.pk, kept.sha256, kept.size)
    assert len(json.loads((artifacts / kept.key).read_bytes())) == LARGE
    assert output_of(task(run, "second")) == LARGE


def test_named_outputs_go_there_one_by_one(artifacts: Path) -> None:
    run = _two(
        {
            "type": "python",
            "callable": f"{CHORES}.named",
            "args": [LARGE],
            "outputs": ["rows", "count"],
        },
        {
            "type": "python",
            "callable": f"{CHORES}.measure",
            "args": ["{{ outputs.first.rows[3:] }}"],
        },
    )
    _see_through(run)
    assert Output.objects.get(task_run=task(run, "first"), name="count").value == LARGE
    assert [artifact.name for artifact in Artifact.objects.all()] == ["rows.json"]
    assert output_of(task(run, "second")) == LARGE - 3


def test_a_command_leaves_a_large_output_too(artifacts: Path) -> None:
    run = _two(
        {"type": "bash", "command": "printf '[\"%0100000d\"]' 7 > $SKYTRAIL_OUTPUT"},
        {"type": "python", "callable": f"{CHORES}.measure", "args": ["{{ outputs.first[0] }}"]},
    )
    _see_through(run)
    assert output_of(task(run, "second")) == 100_000


def test_files_go_from_task_to_task(artifacts: Path) -> None:
    run = _two(
        {"type": "python", "callable": f"{CHORES}.report"},
        {"type": "python", "callable": f"{CHORES}.read", "args": ["{{ outputs.first }}"]},
    )
    _see_through(run)
    found = output_of(task(run, "second"))
    assert found.pop("folder_is_there")
    assert not Path(found.pop("folder")).exists()
    assert found == {
        "name": "report.html",
        "kind": "text/html",
        "text": "<h1>ready</h1>",
        "begun": "<h1>",
        "copy": "report.html",
    }
    kept = Artifact.objects.get()
    assert kept.expires_at is not None
    assert kept.expires_at - timezone.now() > timedelta(days=89)


def test_commands_leave_files_and_are_given_copies(artifacts: Path) -> None:
    run = _two(
        {"type": "bash", "command": "echo ready > $SKYTRAIL_ARTIFACTS/page.txt"},
        {
            "type": "bash",
            "command": 'echo "text=$(cat "$PAGE")" > $SKYTRAIL_OUTPUT',
            "env": {"PAGE": "{{ outputs.first['page.txt'] }}"},
        },
    )
    _see_through(run)
    assert output_of(task(run, "second")) == {"text": "ready"}


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("ln -s /etc/passwd $SKYTRAIL_ARTIFACTS/x", "'x': it is a link"),
        ("mkdir $SKYTRAIL_ARTIFACTS/x", "'x': it is not an ordinary file"),
        ("touch $SKYTRAIL_ARTIFACTS/{1..101}", "at most 100 are kept"),
        ("touch $SKYTRAIL_ARTIFACTS/x; echo '[1]' > $SKYTRAIL_OUTPUT", "beside artifacts"),
    ],
)
def test_what_cannot_be_kept_fails_the_command(artifacts: Path, command: str, words: str) -> None:
    found = ready("bash", command=command)
    assert done(found) == "failed"
    assert words in last_attempt(found).message


def test_a_store_that_does_not_answer_fails_the_try_and_may_be_tried_again(artifacts: Path) -> None:
    artifacts.write_text("no folder")
    found = ready("python", callable=f"{CHORES}.rows", args=[LARGE], also={"retries": 1})
    assert done(found) == "up_for_retry"
    assert last_attempt(found).reason == "store_failed"


def test_what_is_gone_fails_the_task_that_needs_it_for_good(artifacts: Path) -> None:
    run = _two(
        {"type": "python", "callable": f"{CHORES}.rows", "args": [LARGE]},
        {
            "type": "python",
            "callable": f"{CHORES}.measure",
            "args": ["{{ outputs.first }}"],
            "retries": 3,
        },
    )
    assert done(task(run, "first")) == "success"
    Artifact.objects.update(expires_at=timezone.now())
    assert keeping.sweep(artifact_store()) == 1
    assert not list(artifacts.rglob("*.json"))
    found = _next(run, "second")
    assert done(found) == "failed"
    attempt = last_attempt(found)
    assert attempt.reason == "artifact_gone"
    assert "Run the task again that made it" in attempt.message


def test_content_that_has_changed_is_found_out(artifacts: Path) -> None:
    run = _two(
        {"type": "python", "callable": f"{CHORES}.rows", "args": [LARGE]},
        {"type": "python", "callable": f"{CHORES}.measure", "args": ["{{ outputs.first }}"]},
    )
    assert done(task(run, "first")) == "success"
    (file,) = artifacts.rglob("*.json")
    file.write_text("[1]")
    found = _next(run, "second")
    assert done(found) == "failed"
    assert last_attempt(found).reason == "damaged"


def test_an_execution_that_was_overtaken_leaves_nothing(artifacts: Path) -> None:
    found = ready("empty")
    claimed = DatabaseGateway().claim(task_run_id=found.pk, epoch=found.epoch, worker="w")
    assert not isinstance(claimed, str)
    TaskRun.objects.filter(pk=found.pk).update(epoch=found.epoch + 1)
    with pytest.raises(ArtifactOvertaken):
        keeping.begin(claimed, EXECUTION.task_run_id, to_keep("a"))  # type: ignore[arg-type]
    assert not Artifact.objects.exists()


def test_artifacts_go_with_their_run_and_what_was_never_completed_goes_too(artifacts: Path) -> None:
    run = _two(
        {"type": "python", "callable": f"{CHORES}.report"},
        {"type": "python", "callable": f"{CHORES}.read", "args": ["{{ outputs.first }}"]},
    )
    _see_through(run)
    begun = Artifact.objects.create(
        task_run=task(run, "first"),
        epoch=1,
        name="half",
        media_type="a/b",
        key="half/way/there",
        is_output=False,
    )
    assert keeping.sweep(artifact_store()) == 0
    Artifact.objects.filter(pk=begun.pk).update(created_at=timezone.now() - timedelta(days=2))
    assert keeping.sweep(artifact_store()) == 1
    DagRun.objects.update(state="success", finished_at=timezone.now() - timedelta(days=9))
    assert retention.prune(keep=timedelta(days=8)) == 1
    assert Artifact.objects.get().task_run_id is None
    assert keeping.sweep(artifact_store()) == 1
    assert not Artifact.objects.exists()
    assert not list(artifacts.rglob("*.html"))


def test_a_sweep_that_the_store_does_not_answer_tries_again_later(artifacts: Path) -> None:
    found = ready("python", callable=f"{CHORES}.report")
    assert done(found) == "success"
    Artifact.objects.update(expires_at=timezone.now())
    artifacts.rename(artifacts.with_name("away"))
    artifacts.write_text("no folder")
    assert keeping.sweep(artifact_store()) == 0
    assert Artifact.objects.get().removed_at is None


def test_in_a_run_that_is_tried_all_of_it_works_without_a_store() -> None:

    with DAG("tried") as dag:
        made = Python("made", callable=f"{CHORES}.report")
        large = Python("large", callable=f"{CHORES}.rows", args=[LARGE])
        Python("read", callable=f"{CHORES}.read", args=[made.output])
        Python("measured", callable=f"{CHORES}.measure", args=[large.output])
        Bash("shown", command='grep -c ready "$PAGE"', env={"PAGE": made.output})
    result = run_dag(dag)
    assert result.state == "success", result
    assert result["read"].output["text"] == "<h1>ready</h1>"
    assert result["measured"].output == LARGE
    assert result["shown"].log == "1\n"
