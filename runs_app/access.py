"""The only way from a request to a run: "not there" and "not yours" answer alike."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from dags_app.access import Purpose, access_dag, check_allowed
from dags_app.models import Task
from runs_app.domain.artifacts import ArtifactGone, NoSuchArtifact
from runs_app.domain.state import BadState, Place, Scope, asset_place
from runs_app.models import Approval, Artifact, Backfill, DagRun, DeadLetter, TaskRun
from runs_app.models.state_entry import Owner
from skytrail.errors import NotFound, Problem
from skytrail.security.subject import Subject


class RunNotFound(NotFound):
    """The DAG {dag_id} has no run {run_id}."""


class TaskRunNotFound(NotFound):
    """The run {run_id} has no task {task_id}."""


class TaskNotFound(NotFound):
    """The DAG {dag_id} has no task {task_id}."""


class BackfillNotFound(NotFound):
    """There is no backfill {id}, or you may not see it."""


class ApprovalNotFound(NotFound):
    """There is no approval {id}, or you may not see it."""


class DeadLetterNotFound(NotFound):
    """There is no dead letter {id}: it has been replayed or dropped, or you may not see it."""


def access_run(user: Subject, dag_id: str, run_id: str, *, to: Purpose = "view") -> DagRun:
    """A run of a DAG that `user` may see, and use for that purpose.

    Raises what `access_dag` does, and `RunNotFound`.
    """
    dag = access_dag(user, dag_id, to=to)
    runs = DagRun.objects.filter(dag=dag, run_id=run_id)
    run = runs.select_related("version", "repeats").defer("version__spec").first()
    if run is None:
        raise RunNotFound(dag_id=repr(dag_id), run_id=repr(run_id))
    run.dag = dag
    return run


def access_task_run(
    user: Subject,
    dag_id: str,
    run_id: str,
    task_id: str,
    *,
    map_index: int = -1,
    to: Purpose = "view",
) -> TaskRun:
    """A task of a run. Raises what `access_run` does, and `TaskRunNotFound`."""
    run = access_run(user, dag_id, run_id, to=to)
    task_run = TaskRun.objects.filter(run=run, task_id=task_id, map_index=map_index).first()
    if task_run is None:
        which = repr(task_id) if map_index == -1 else f"{task_id!r} with map_index {map_index}"
        raise TaskRunNotFound(run_id=repr(run_id), task_id=which)
    task_run.run, task_run.dag = run, run.dag
    return task_run


def access_backfill(user: Subject, key: UUID, *, to: Literal["view", "run"] = "view") -> Backfill:
    """A backfill of a DAG that `user` may see, to look at it or to steer it.

    Raises `BackfillNotFound`, or `NotAllowed` where it may only be seen.
    """
    backfills = Backfill.objects.visible_to(user).with_progress()
    found: Backfill | None = backfills.filter(pk=key).first()
    if found is None:
        raise BackfillNotFound(id=str(key))
    if to == "run":
        check_allowed(user, "dags_app.run_dag", purpose="run", what=repr(found.dag.dag_id))
    return found


def access_approval(
    user: Subject, key: UUID | str, *, to: Literal["view", "run"] = "view"
) -> Approval:
    """A question of a DAG that `user` may see, to look at it or to answer it.

    Raises `ApprovalNotFound`, or `NotAllowed` where it may only be seen.
    """
    found = Approval.objects.visible_to(user).shown().filter(pk=key).first()
    if found is None:
        raise ApprovalNotFound(id=str(key))
    if to == "run":
        check_allowed(user, "dags_app.run_dag", purpose="answer", what="approvals")
    return found


def access_artifact(user: Subject, key: UUID, *, content: bool = False) -> Artifact:
    """An artifact of a DAG that `user` may see; with `content` one that can be read.

    Raises `NoSuchArtifact`, and `ArtifactGone`.
    """
    found: Artifact | None = Artifact.objects.visible_to(user).shown().filter(pk=key).first()
    if found is None:
        raise NoSuchArtifact(id=str(key))
    if content and found.is_gone:
        raise ArtifactGone(id=str(key), until=found.until)
    return found


def access_dead_letter(
    user: Subject, key: UUID, *, to: Literal["view", "replay", "drop"] = "view"
) -> DeadLetter:
    """A dead letter of a DAG that `user` may see, to do that with it.

    Raises `DeadLetterNotFound`, or `NotAllowed` where it may only be seen.
    """
    found: DeadLetter | None = DeadLetter.objects.visible_to(user).shown().filter(pk=key).first()
    if found is None:
        raise DeadLetterNotFound(id=str(key))
    if to != "view":
        check_dead_letters_allowed(user, to=to)
    return found


def check_dead_letters_allowed(user: Subject, *, to: Literal["replay", "drop"]) -> None:
    """Raises `NotAllowed` unless `user` may do that with dead letters: who may run DAGs may."""
    check_allowed(user, "dags_app.run_dag", purpose=to, what="dead letters")


def access_state_owner(
    user: Subject,
    *,
    dag_id: str | None = None,
    task_id: str | None = None,
    asset: str | None = None,
    to: Literal["view", "run"] = "view",
    must_exist: bool = False,
) -> Owner:
    """To whom keys belong: an asset, a task or a DAG. Who may run DAGs may write them.

    With `must_exist` the DAG has to have that task now. Raises `BadState` where they are not named
    or named twice, and what `access_dag` does.
    """
    if (asset is None) == (dag_id is None) or (task_id is not None and dag_id is None):
        message = "name a DAG, a DAG and one of its tasks, or an asset"
        raise BadState(problems=[Problem("dag_id", "bad_owner", message)])
    if dag_id is None:
        place = asset_place(asset or "")
        check_allowed(user, f"dags_app.{to}_dag", purpose=to, what="the state of assets")
        return Owner(place)
    dag = access_dag(user, dag_id, to=to)
    if task_id is None:
        return Owner(Place(Scope.DAG), dag)
    if must_exist and not Task.objects.filter(dag=dag, task_id=task_id).exists():
        raise TaskNotFound(dag_id=repr(dag_id), task_id=repr(task_id))
    return Owner(Place(Scope.TASK), dag, task_id)
