"""Bringing the DAGs of a folder up to what its files say.

Files are loaded first, in processes of their own. Then each is written in a transaction of its own:
so a large folder holds nothing up, and one file's trouble is no other's. Doing it twice at once is
safe: the files' rows are locked in the order of their names.
"""

from __future__ import annotations

import enum
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from django.db import transaction

from dags_app.actions import registration
from dags_app.actions.pauses import note_pause
from dags_app.actions.registration import Origin
from dags_app.authoring.fingerprints import DIRTY, Commits, digest_of
from dags_app.authoring.folders import File, faults_of, files_in, load, storable
from dags_app.authoring.loading import Fault
from dags_app.domain.claims import Settled, settle
from dags_app.domain.spec import DagSpec
from dags_app.models import Dag, DagFile, DagImportError, DagSource
from skytrail.database.clock import database_now
from skytrail.errors import Conflict, SkytrailError


class FolderIsEmpty(Conflict):
    """The folder {folder} holds no files of DAGs any more (DAGs that come from there: {count}).
    Nothing was changed: is it the right folder, and is it mounted? If they are to be paused as
    gone, say so with --allow-empty.
    """


class MadeElsewhere(Conflict):
    """There is a DAG {dag_id!r} already, made by {where}: give one of them another name, or let the
    files of this folder take it over with --take-over.
    """


class MadeTwice(Conflict):
    """{file} makes a DAG {dag_id!r} already; give one of them another name"""


class Outcome(enum.StrEnum):
    """What became of a DAG."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    RETURNED = "returned"
    GONE = "gone"


@dataclass(frozen=True, kw_only=True)
class Synced:
    """What syncing came to: each DAG with its file, and what is wrong with files."""

    root: Path
    files: int
    loaded: int
    dags: Sequence[tuple[str, str, Outcome]]
    faults: Sequence[tuple[str, Fault]]

    def count(self, outcome: Outcome) -> int:
        """How many DAGs came to this."""
        return sum(1 for _, _, found in self.dags if found is outcome)


@dataclass(frozen=True, kw_only=True)
class _Writing:
    """All that writing a file has to know, and what has been written."""

    root: str
    author: str
    commits: Commits
    settled: Settled
    take_over: bool
    dags: list[tuple[str, str, Outcome]] = field(default_factory=list)
    faults: list[tuple[str, Fault]] = field(default_factory=list)


def sync(
    folder: Path,
    *,
    author: str,
    dry_run: bool = False,
    take_over: bool = False,
    allow_empty: bool = False,
    told: Callable[[int], None] = lambda _: None,
) -> Synced:
    """Makes the DAGs that come from `folder` what its files say; with `dry_run` only says it.

    `told` is called with the number of files that have to be loaded whenever one more of them is.
    What is wrong with a file is an answer. Raises `NoSuchFolder`, and `FolderIsEmpty` unless
    `allow_empty`: then nothing was changed.
    """
    root = Path(os.path.abspath(folder))  # noqa: PTH100  # a link stays one: its target may change
    names, unnamed = files_in(root)
    owners = _owners(str(root))
    if owners and not names and not allow_empty:
        raise FolderIsEmpty(folder=root, count=len(owners))
    same = _unchanged(root, names, owners)
    files = load(root, [name for name in names if name not in same], told)
    claims = {**same, **{file.path: file.claims for file in files}}
    settled = settle(owners=owners, claims=claims)
    writing = _Writing(
        root=str(root),
        author=author,
        commits=Commits(root),
        settled=settled,
        take_over=take_over,
        dags=[(dag, path, Outcome.UNCHANGED) for path, dags in same.items() for dag in dags],
    )
    if dry_run:
        with transaction.atomic():
            _write_all(writing, files, names, owners)
            transaction.set_rollback(True)
    else:
        _write_all(writing, files, names, owners)
    writing.faults.extend(unnamed)
    return Synced(
        root=root,
        files=len(names),
        loaded=len(files),
        dags=sorted(writing.dags),
        faults=sorted(writing.faults, key=lambda fault: (fault[0], fault[1].line)),
    )


def _owners(root: str) -> dict[str, str]:
    """From which file of the folder each of its DAGs came until now."""
    dags = Dag.objects.present().filter(source_root=root, gone_at=None)
    return dict(dags.values_list("dag_id", "source_path"))


# ------------------------------------------------------------------------- reading


def _unchanged(
    root: Path, names: Sequence[str], owners: dict[str, str]
) -> dict[str, Sequence[str]]:
    """The files that are as they were when they were synced last, with their DAGs."""
    had: dict[str, set[str]] = {}
    for dag, path in owners.items():
        had.setdefault(path, set()).add(dag)
    rows = {row.path: row for row in DagFile.objects.filter(root=str(root)).exclude(digest="")}
    return {
        name: row.dag_ids
        for name in names
        if (row := rows.get(name)) is not None
        and set(row.dag_ids) == had.get(name, set())
        and row.digest == digest_of(root, name, row.reads)
    }


# ------------------------------------------------------------------------- writing


def _write_all(
    writing: _Writing, files: Sequence[File], names: Sequence[str], owners: dict[str, str]
) -> None:
    for file in files:
        _write(writing, file)
    _forget(writing, names, owners)
    _note_commits(writing)


@transaction.atomic
def _write(writing: _Writing, file: File) -> None:
    keys = {"root": writing.root, "path": file.path}
    DagFile.objects.bulk_create([DagFile(**keys, digest="")], ignore_conflicts=True)
    row = DagFile.objects.select_for_update().get(**keys)
    faults, saved = list(file.faults), []
    for spec in file.specs:
        try:
            with transaction.atomic():
                writing.dags.append((spec.name, file.path, _save(writing, file, spec)))
        except SkytrailError as error:
            faults += faults_of(error)
        else:
            saved.append(spec.name)
    row.digest = "" if faults else file.digest
    row.reads, row.dag_ids = list(file.reads), saved
    row.save()
    _note(writing, file.path, faults)


def _save(writing: _Writing, file: File, spec: DagSpec) -> Outcome:
    if other := writing.settled.repeated.get(file.path, {}).get(spec.name):
        raise MadeTwice(file=Path(writing.root) / other, dag_id=spec.name)
    commit = writing.commits.of(file.path)
    origin = Origin(root=writing.root, path=file.path, commit=commit)
    author, source = writing.author, DagSource.FILE
    dags = Dag.objects.present().select_for_update(no_key=True)
    dag = dags.filter(dag_id=spec.name).first()
    if dag is None:
        registration.create(spec=spec, author=author, source=source, origin=origin)
        return Outcome.CREATED
    was_gone = dag.gone_at is not None
    if not (was_gone or dag.source_root == writing.root or writing.take_over):
        raise MadeElsewhere(dag_id=spec.name, where=_where(dag))
    saved = registration.replace(dag=dag, spec=spec, author=author, source=source, origin=origin)
    if was_gone:
        return Outcome.RETURNED
    return Outcome.CHANGED if saved.version_is_new else Outcome.UNCHANGED


def _where(dag: Dag) -> str:
    if dag.source_root:
        return f"the file {Path(dag.source_root) / dag.source_path}"
    return f"the {DagSource(dag.source).label}"


def _note(writing: _Writing, path: str, faults: Sequence[Fault]) -> None:
    """Keeps what is wrong with a file where people see it, for as long as it is wrong."""
    writing.faults.extend((path, fault) for fault in faults)
    kept = DagImportError.objects.filter(root=writing.root, file=path)
    if not faults:
        kept.delete()
        return
    first = faults[0]
    text = "\n".join(fault.message for fault in faults)
    DagImportError.objects.update_or_create(
        root=writing.root,
        file=path,
        defaults={
            "error": storable(text),
            "traceback": storable("\n".join(filter(None, (f.traceback for f in faults)))),
            "line": first.line or None,
            "timestamp": database_now(),
        },
    )


@transaction.atomic
def _forget(writing: _Writing, names: Sequence[str], owners: dict[str, str]) -> None:
    """Pauses the DAGs that no file makes any more; their history stays."""
    DagFile.objects.filter(root=writing.root).exclude(path__in=names).delete()
    DagImportError.objects.filter(root=writing.root).exclude(file__in=names).delete()
    if not writing.settled.gone:
        return
    dags = Dag.objects.present().select_for_update(no_key=True).order_by("pk")
    there = dags.filter(source_root=writing.root, gone_at=None, dag_id__in=writing.settled.gone)
    for dag in there:
        if dag.source_path != owners[dag.dag_id]:
            continue  # another one has just found it again
        dag.paused_before_gone, dag.paused, dag.gone_at = dag.paused, True, database_now()
        dag.save(update_fields=["paused_before_gone", "paused", "gone_at", "updated_at"])
        note_pause(dag, actor="its file is gone")
        writing.dags.append((dag.dag_id, dag.source_path, Outcome.GONE))


def _note_commits(writing: _Writing) -> None:
    """What was not committed when it was synced may be so by now, as it is."""
    dags = Dag.objects.present().filter(source_root=writing.root, gone_at=None)
    for dag in dags.filter(source_commit__endswith=DIRTY).only("source_path", "source_commit"):
        if (commit := writing.commits.of(dag.source_path)) not in {"", dag.source_commit}:
            Dag.objects.filter(pk=dag.pk, source_commit=dag.source_commit).update(
                source_commit=commit
            )
