"""Versions that are to hold from a time on, and their taking over when it has come.

Which version of a DAG holds at a time follows from the rows alone: of those whose time has come the
one with the latest time, and of two with the same the later one. `Dag.version` remembers it.
"""

from __future__ import annotations

import logging
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from dags_app.actions import registration
from dags_app.domain.parse import parse
from dags_app.models import Dag, DagVersion
from skytrail.database.clock import database_now
from skytrail.errors import Conflict, SkytrailError

_logger = logging.getLogger(__name__)

#: DAGs that change over in one go; the rest follows with the next one.
BATCH = 200


class NotPending(Conflict):
    """Version {number} of {dag_id} holds already, or did: only one whose time is still to come can
    be withdrawn. To go back to an earlier version, roll back.
    """


def pending(dag: Dag) -> QuerySet[DagVersion]:
    """The versions of `dag` whose time is still to come, the next one first."""
    later = DagVersion.objects.filter(dag=dag, effective_from__gt=Now())
    return later.order_by("effective_from", "number")


def take_over_due() -> int:
    """Has every version whose time has come take over; how many DAGs have changed."""
    due = Dag.objects.present().filter(next_version_at__lte=Now()).order_by("next_version_at")
    return sum(_take_over(key) for key in due.values_list("pk", flat=True)[:BATCH])


def up_to_date(dag: Dag) -> Dag:
    """`dag`, changed over first if the time of its next version has come meanwhile.

    The job that sees to it may be late by a second, or longer where no dispatcher runs.
    """
    if dag.next_version_at is None or dag.next_version_at > database_now():
        return dag
    _take_over(dag.pk)
    return Dag.objects.select_related("version").get(pk=dag.pk)


@transaction.atomic
def withdraw(dag: Dag, version: DagVersion) -> None:
    """Deletes a version whose time has not come. Raises `NotPending`."""
    locked = Dag.objects.select_for_update(no_key=True).select_related(None).get(pk=dag.pk)
    if not pending(locked).filter(pk=version.pk).exists():
        raise NotPending(number=version.number, dag_id=repr(dag.dag_id))
    version.delete()
    note_next(locked)


def note_next(dag: Dag) -> None:
    """Remembers when the next version of `dag` takes over. The caller holds the DAG."""
    times = pending(dag).values_list("effective_from", flat=True)
    following: datetime | None = times.first()
    Dag.objects.filter(pk=dag.pk).update(next_version_at=following)
    dag.next_version_at = following


@transaction.atomic
def _take_over(key: UUID) -> bool:
    dag = (
        Dag.objects.present()
        .select_for_update(no_key=True)
        .select_related(None)
        .filter(pk=key, next_version_at__lte=Now())
        .first()
    )
    if dag is None:
        return False  # another process was quicker
    holds = (
        DagVersion.objects.filter(dag=dag, effective_from__lte=Now())
        .order_by("-effective_from", "-number")
        .first()
    )
    changed = holds is not None and holds.pk != dag.version_id
    if changed:
        assert holds is not None
        try:
            registration.take_over(dag, parse(holds.spec), holds)
        except SkytrailError:
            # It was right when it was saved; this Skytrail reads definitions more strictly.
            _logger.exception("version %s of %s cannot take over", holds.number, dag.dag_id)
            changed = False
    note_next(dag)
    return changed
