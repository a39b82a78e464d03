"""Next ticks that have moved since they were stored: a zone has new rules, a country new holidays.

Processes that start with newer data compute other ticks than those before them. A stored one that
is no tick any more does no harm, for it is only a lower bound; but one that comes earlier now would
be missed.
"""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from dags_app.domain.timing.catchup import first_run_at
from dags_app.models import Dag
from skytrail.database.clock import database_now

#: DAGs looked at in one transaction.
BATCH = 500


def realign() -> int:
    """Computes every next tick that lies ahead anew; how many have moved. What is due stays due."""
    moved, after = 0, UUID(int=0)
    while True:
        batch, changed = _realign_after(after)
        moved += changed
        if len(batch) < BATCH:
            return moved
        after = batch[-1].pk


@transaction.atomic
def _realign_after(key: UUID) -> tuple[list[Dag], int]:
    batch = list(
        Dag.objects.present()
        .filter(next_run_at__gt=Now(), pk__gt=key)
        .order_by("pk")
        .select_for_update(no_key=True, skip_locked=True)[:BATCH]
    )
    now = database_now()
    moved = []
    for dag in batch:
        timetable = dag.timetable
        assert timetable is not None, "a DAG without a schedule has no next_run_at"
        following = first_run_at(
            timetable,
            now=now,
            start_date=dag.start_date,
            end_date=dag.end_date,
            catchup=False,
            last_logical_date=dag.last_logical_date,
        )
        if following != dag.next_run_at:
            dag.next_run_at = following
            moved.append(dag)
    Dag.objects.bulk_update(moved, ["next_run_at"], batch_size=BATCH)
    return batch, len(moved)
