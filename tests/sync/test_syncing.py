"""A folder's DAGs are what its files say."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dags_app.actions import registration
from dags_app.actions.deletion import delete
from dags_app.actions.pausing import pause, resume
from dags_app.actions.registration import DefinedByFile
from dags_app.actions.syncing import FolderIsEmpty, Synced, sync
from dags_app.domain.parse import parse
from dags_app.models import Dag, DagFile, DagImportError, DagSource, DagVersion
from skytrail.documents.finding import FolderNotReadable, NoSuchFolder
from tests.factories import save_dag

pytestmark = pytest.mark.django_db

Sync: TypeAlias = Callable[..., Synced]

PYTHON = "from skytrail.sdk import DAG, Empty\nwith DAG({!r}): Empty('a')\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "dags"
    folder.mkdir()
    return folder


@pytest.fixture
def synced(root: Path) -> Sync:
    def sync_it(**options: Any) -> Synced:
        return sync(root, author="cli:alice", **options)

    return sync_it


def write(root: Path, name: str, *, task: str = "a", file: str = "", extra: str = "") -> Path:
    path = root / (file or f"{name}.yaml")
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"name: {name}\n{extra}tasks:\n- id: {task}\n")
    return path


def outcomes(synced: Synced) -> dict[str, str]:
    return {dag: str(outcome) for dag, _, outcome in synced.dags}


def dag_named(name: str) -> Dag:
    return Dag.objects.present().get(dag_id=name)


# ------------------------------------------------------------------------- saving


def test_files_become_dags_that_say_where_they_come_from(root: Path, synced: Sync) -> None:
    (root / "etl").mkdir()
    (root / "etl/py.py").write_text(PYTHON.format("py"))
    write(root, "data")
    assert outcomes(synced()) == {"py": "created", "data": "created"}
    dag = dag_named("py")
    assert (dag.source, dag.source_root, dag.source_path) == ("file", str(root), "etl/py.py")
    assert dag.version is not None
    assert (dag.version.source, dag.version.author) == ("file", "cli:alice")


def test_what_is_as_it_was_is_not_even_loaded(root: Path, synced: Sync) -> None:
    write(root, "a")
    (root / "b.py").write_text(PYTHON.format("b"))
    synced()
    again = synced()
    assert again.loaded == 0
    assert outcomes(again) == {"a": "unchanged", "b": "unchanged"}


def test_a_changed_file_makes_a_version_and_another_form_of_it_none(
    root: Path, synced: Sync
) -> None:
    file = write(root, "a")
    synced()
    write(root, "a", task="b")
    assert outcomes(synced()) == {"a": "changed"}
    file.write_text("# said otherwise\n" + file.read_text())
    assert outcomes(synced()) == {"a": "unchanged"}
    assert DagVersion.objects.count() == 2


def test_a_file_is_loaded_again_when_a_module_that_it_imports_has_changed(
    root: Path, synced: Sync
) -> None:
    (root / "common.py").write_text("TASK = 'one'\n")
    (root / "d.py").write_text(
        "from skytrail.sdk import DAG, Empty\nfrom common import TASK\nwith DAG('d'): Empty(TASK)\n"
    )
    assert not synced().faults
    assert outcomes(synced()) == {"d": "unchanged"}
    (root / "common.py").write_text("TASK = 'two'\n")
    assert outcomes(synced()) == {"d": "changed"}
    assert [task.task_id for task in dag_named("d").tasks.all()] == ["two"]


def test_a_module_is_found_by_its_path_below_the_folder(root: Path, synced: Sync) -> None:
    (root / "etl").mkdir()
    (root / "etl/d.py").write_text(
        "from skytrail.sdk import DAG, task\n@task\ndef load(): ...\nwith DAG('d'): load()\n"
    )
    assert not synced().faults
    assert dag_named("d").tasks.get().parameters["callable"] == "etl.d:load"


def test_paused_is_said_by_a_file_at_the_beginning_only(root: Path, synced: Sync) -> None:
    write(root, "a", extra="paused: true\n")
    write(root, "b", extra="paused: false\n")
    synced()
    assert dag_named("a").paused
    resume(dag_named("a"))
    pause(dag_named("b"))
    write(root, "a", extra="paused: true\n", task="z")
    write(root, "b", extra="paused: false\n", task="z")
    assert outcomes(synced()) == {"a": "changed", "b": "changed"}
    assert (dag_named("a").paused, dag_named("b").paused) == (False, True)


def test_a_commit_is_kept_and_a_file_that_differs_from_it_says_so(root: Path, synced: Sync) -> None:
    def git(*arguments: str) -> str:
        who = ("-c", "user.name=alice", "-c", "user.email=alice@example.org")
        command = ["git", "-C", str(root), *who, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    write(root, "a")
    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "first")
    write(root, "b")
    synced()
    head = git("rev-parse", "HEAD")
    assert dag_named("a").source_commit == head
    assert dag_named("b").source_commit == f"{head}-dirty"
    version = dag_named("a").version
    assert version is not None
    assert version.commit == head
    git("add", ".")
    git("commit", "-qm", "second")
    assert outcomes(synced()) == {"a": "unchanged", "b": "unchanged"}
    assert dag_named("b").source_commit == git("rev-parse", "HEAD")


def test_nothing_is_saved_by_a_dry_run(root: Path, synced: Sync) -> None:
    write(root, "a")
    assert outcomes(synced(dry_run=True)) == {"a": "created"}
    assert not Dag.objects.exists()
    assert not DagFile.objects.exists()


# ------------------------------------------------------------------------- errors


def test_a_broken_file_harms_no_other_and_is_kept_with_its_line(root: Path, synced: Sync) -> None:
    write(root, "good")
    (root / "bad.py").write_text("import skytrail\n\n1 / 0\n")
    found = synced()
    assert outcomes(found) == {"good": "created"}
    error = DagImportError.objects.get()
    assert (error.file, error.line) == ("bad.py", 3)
    assert "ZeroDivisionError" in error.error
    assert "1 / 0" in error.traceback
    (root / "bad.py").write_text(PYTHON.format("well"))
    assert outcomes(synced())["well"] == "created"
    assert not DagImportError.objects.exists()


def test_a_name_that_no_database_keeps_is_told_and_harms_no_other(root: Path, synced: Sync) -> None:
    write(root, "good")
    (root / os.fsdecode(b"bad\xff.yaml")).write_text("name: bad\ntasks:\n- id: a\n")
    found = synced()
    assert outcomes(found) == {"good": "created"}
    ((file, fault),) = found.faults
    assert (file, fault.message) == ("bad?.yaml", "its name is not UTF-8; give it another one")


def test_a_folder_that_can_be_read_in_part_only_loses_nothing(root: Path, synced: Sync) -> None:
    write(root, "good")
    write(root, "inner", file="inner/inner.yaml")
    synced()
    loop = root / "loop.yaml"
    loop.symlink_to(loop)
    with pytest.raises(FolderNotReadable, match=r"loop\.yaml cannot be read"):
        synced()
    assert dag_named("inner").gone_at is None


def test_an_error_goes_with_its_file(root: Path, synced: Sync) -> None:
    write(root, "good")
    (root / "bad.yaml").write_text("name: x\ntasks: 3\n")
    synced()
    assert DagImportError.objects.count() == 1
    (root / "bad.yaml").unlink()
    synced()
    assert not DagImportError.objects.exists()


def test_a_file_that_breaks_keeps_its_dags(root: Path, synced: Sync) -> None:
    file = write(root, "a")
    synced()
    file.write_text("name: [\n")
    found = synced()
    assert len(found.faults) == 1
    assert not found.dags
    assert dag_named("a").gone_at is None


def test_what_was_broken_is_looked_at_again_each_time(root: Path, synced: Sync) -> None:
    file = root / "d.py"
    file.write_text("from common import TASK  # for a DAG\n" + PYTHON.format("d"))
    assert len(synced().faults) == 1
    (root / "common.py").write_text("TASK = 'a'\n")
    assert outcomes(synced()) == {"d": "created"}


def test_the_second_file_of_a_name_is_told_and_gets_it_when_the_first_gives_it_up(
    root: Path, synced: Sync
) -> None:
    first = write(root, "x", file="a.yaml")
    write(root, "x", file="b.yaml", task="b")
    (said,) = synced().faults
    assert said[0] == "b.yaml"
    assert "a.yaml makes a DAG 'x' already" in said[1].message
    assert len(synced().faults) == 1, "each time, for it is still so"
    first.unlink()
    assert outcomes(synced()) == {"x": "changed"}
    assert dag_named("x").source_path == "b.yaml"


def test_what_was_made_elsewhere_is_taken_over_only_if_that_is_said(
    root: Path, synced: Sync
) -> None:
    save_dag({"old": []}, name="a")
    write(root, "a")
    (said,) = synced().faults
    assert "made by the REST API" in said[1].message
    assert dag_named("a").source == "api"
    assert outcomes(synced(take_over=True)) == {"a": "changed"}
    assert dag_named("a").is_from_file


def test_another_folder_takes_nothing_without_being_told_to(
    root: Path, synced: Sync, tmp_path: Path
) -> None:
    write(root, "a")
    synced()
    other = tmp_path / "other"
    other.mkdir()
    write(other, "a")
    (said,) = sync(other, author="cli:bob").faults
    assert str(root / "a.yaml") in said[1].message
    assert outcomes(sync(other, author="cli:bob", take_over=True)) == {"a": "unchanged"}
    assert dag_named("a").source_root == str(other)


# ------------------------------------------------------------------------- going, and coming back


def test_a_dag_whose_file_is_gone_is_paused_and_returns_with_it(root: Path, synced: Sync) -> None:
    write(root, "kept")
    file = write(root, "a", extra="schedule: 0 9 * * *\n")
    synced()
    file.unlink()
    assert outcomes(synced()) == {"kept": "unchanged", "a": "gone"}
    gone = dag_named("a")
    assert gone.paused
    assert gone.gone_at is not None
    assert outcomes(synced()) == {"kept": "unchanged"}, "it is gone once"
    write(root, "a", extra="schedule: 0 9 * * *\n")
    assert outcomes(synced())["a"] == "returned"
    back = dag_named("a")
    assert (back.pk, back.paused, back.gone_at) == (gone.pk, False, None)
    assert back.next_run_at is not None
    assert DagVersion.objects.filter(dag=back).count() == 1


def test_what_people_had_paused_returns_paused(root: Path, synced: Sync) -> None:
    write(root, "kept")
    file = write(root, "a")
    synced()
    pause(dag_named("a"))
    file.unlink()
    synced()
    write(root, "a")
    synced()
    assert dag_named("a").paused


def test_a_dag_that_its_file_no_longer_makes_is_gone(root: Path, synced: Sync) -> None:
    (root / "two.py").write_text(PYTHON.format("one") + "with DAG('two'): Empty('a')\n")
    synced()
    (root / "two.py").write_text(PYTHON.format("one"))
    assert outcomes(synced()) == {"one": "unchanged", "two": "gone"}


def test_a_dag_moves_with_its_file(root: Path, synced: Sync) -> None:
    file = write(root, "a")
    synced()
    file.rename(root / "c.yaml")
    assert outcomes(synced()) == {"a": "unchanged"}
    assert dag_named("a").source_path == "c.yaml"


def test_an_empty_folder_and_none_at_all_pause_nothing(root: Path, synced: Sync) -> None:
    file = write(root, "a")
    synced()
    file.unlink()
    with pytest.raises(FolderIsEmpty, match="come from there: 1"):
        synced()
    root.rmdir()
    with pytest.raises(NoSuchFolder):
        synced(allow_empty=True)
    assert not dag_named("a").paused
    root.mkdir()
    assert outcomes(synced(allow_empty=True)) == {"a": "gone"}


# ------------------------------------------------------------------------- read-only elsewhere


def test_what_a_file_defines_is_changed_and_deleted_there_only(root: Path, synced: Sync) -> None:
    write(root, "kept")
    file = write(root, "a")
    synced()
    spec = parse({"name": "a", "tasks": [{"id": "b"}]})
    with pytest.raises(DefinedByFile, match=r"comes from the file .*a\.yaml"):
        registration.replace(dag=dag_named("a"), spec=spec, author="x", source=DagSource.API)
    with pytest.raises(DefinedByFile):
        delete(dag_named("a"))
    file.unlink()
    synced()
    held = parse({"name": "a", "paused": True, "tasks": [{"id": "b"}]})
    registration.replace(dag=dag_named("a"), spec=held, author="x", source=DagSource.API)
    assert dag_named("a").paused, "for that is what was asked for"
    assert (dag_named("a").source, dag_named("a").source_root) == ("api", "")
    delete(dag_named("a"))


# ------------------------------------------------------------------------- how long it takes


def test_a_hundred_unchanged_files_take_a_moment_and_a_few_statements(
    root: Path, synced: Sync
) -> None:
    for number in range(100):
        write(root, f"dag_{number}")
    synced()
    began = time.monotonic()
    with CaptureQueriesContext(connection) as asked:
        assert synced().loaded == 0
    assert time.monotonic() - began < 1
    assert len(asked) < 10
