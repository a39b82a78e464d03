from __future__ import annotations

from typing import ClassVar, Self

from django.db import models
from django.db.models import Prefetch

from runs_app.domain.states import TaskState
from runs_app.models.task_run import Attempt, TaskRun
from skytrail.security.subject import Subject


class DeadLetterQuerySet(models.QuerySet["DeadLetter"]):
    def visible_to(self, user: Subject) -> Self:
        """Those whose DAG `user` may know of; of deleted DAGs too, as with runs."""
        return self if user.has_perm("dags_app.view_dag") else self.none()

    def shown(self) -> Self:
        """With the names of their runs and DAGs, and the last execution of each, beside them."""
        latest = Attempt.objects.order_by("task_run_id", "-epoch").distinct("task_run_id")
        columns = [field.name for field in self.model._meta.concrete_fields]  # noqa: SLF001  # Django's own way
        return (
            self.select_related("run", "dag")
            .only(*columns, "run__run_id", "dag__dag_id", "dag__deleted_at")
            .prefetch_related(Prefetch("attempts", queryset=latest, to_attr="latest"))
        )


class DeadLetterManager(models.Manager.from_queryset(DeadLetterQuerySet)):  # type: ignore[misc]
    """Only what has failed and has not been dropped, which the index `task_run_dead` holds."""

    def get_queryset(self) -> DeadLetterQuerySet:
        dead: DeadLetterQuerySet = super().get_queryset()
        return dead.filter(state=TaskState.FAILED, dropped_at=None)


class DeadLetter(TaskRun):
    """A task run that has used up its tries and that nobody has replayed or dropped yet.

    It has no row of its own, so that the list cannot say anything else than the task runs do: see
    docs/adr/0014-dead-letters.md.
    """

    objects: ClassVar[DeadLetterManager] = DeadLetterManager()

    class Meta:
        proxy = True
        default_permissions = ()
        verbose_name = "dead letter"

    @property
    def last_attempt(self) -> Attempt | None:
        """The execution that it died of; None for one that was never begun."""
        latest: list[Attempt] | None = self.__dict__.get("latest")
        if latest is None:
            latest = list(self.attempts.order_by("-epoch")[:1])
        return latest[0] if latest else None
