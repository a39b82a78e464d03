"""Assets that are new: noting it, and starting the DAGs that wait for them.

An event is written with the end of the task that made the asset new, and with it a delivery for
each DAG that waits for it. The tick looks at DAGs with new deliveries: it is its own sweep, so that
nothing is lost with a message.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from dags_app.domain import params
from dags_app.domain.timing.catchup import Tick
from dags_app.domain.timing.overlap import OverlapPolicy, judge
from dags_app.models import Dag
from runs_app.actions.asset_deliveries import DELIVERIES
from runs_app.actions.cancellation import cancel_run
from runs_app.actions.launching import RunRequest, insert, run_id_for
from runs_app.domain.states import RUN_ACTIVE, RUN_UNFINISHED, RunState
from runs_app.models import AssetDelivery, AssetEvent, DagRun, RunType, SkippedTick
from skytrail.database.statement import Statement
from skytrail.documents import unstorable
from skytrail.errors import Invalid, Problem

#: DAGs looked at in one transaction.
BATCH = 100

#: What is said about an event may have so many bytes as JSON.
MAX_EXTRA = 16_384

MAX_NAME = 250

ACTOR = "assets"


class BadEvent(Invalid):
    """The event cannot be noted like this."""


@dataclass(frozen=True)
class _Noted:
    id: UUID


_NOTE = Statement(
    "note_asset_event",
    f"""
WITH events AS (
  INSERT INTO skytrail_asset_event
    (asset, at, extra, dag_id, run_id, task_id, map_index, emitted_by)
  VALUES (%(asset)s, clock_timestamp(), %(extra)s::jsonb, '', '', '', -1, %(actor)s)
  RETURNING id, asset
), {DELIVERIES}
SELECT id FROM events
""",
    _Noted,
)


def emit(asset: str, *, extra: dict[str, Any] | None = None, actor: str) -> AssetEvent:
    """Notes that somebody else than a task has brought an asset up to date. Raises `BadEvent`."""
    if not asset or len(asset) > MAX_NAME or unstorable(asset):
        message = f"name the asset, in 1 to {MAX_NAME} characters"
        raise BadEvent(problems=[Problem("asset", "bad_asset", message)])
    text = json.dumps(extra or {})
    if len(text) > MAX_EXTRA or unstorable(extra or {}):
        message = f"say at most {MAX_EXTRA:,} bytes of JSON about it, without NUL characters"
        raise BadEvent(problems=[Problem("extra", "bad_extra", message)])
    noted = _NOTE.one(asset=asset, extra=text, actor=actor)
    assert noted is not None
    return AssetEvent.objects.get(pk=noted.id)


def start_runs() -> int:
    """Starts the runs of DAGs whose assets are new; how many."""
    started = 0
    while True:
        looked, runs = _start_batch()
        started += runs
        if looked < BATCH:
            return started


@transaction.atomic
def _start_batch() -> tuple[int, int]:
    waiting = AssetDelivery.objects.filter(is_new=True)
    dags = list(
        Dag.objects.present()
        .filter(paused=False, pk__in=waiting.values("dag"))
        .order_by("pk")
        .select_for_update(skip_locked=True, no_key=True)[:BATCH]
    )
    started = sum(_look_at(dag) for dag in dags)
    return len(dags), started


def _look_at(dag: Dag) -> int:
    deliveries = list(
        AssetDelivery.objects.filter(dag=dag, run=None)
        .select_related("event")
        .order_by("event__at", "event_id")
    )
    wanted = [delivery for delivery in deliveries if delivery.event.asset in dag.waits_for]
    keys = [delivery.pk for delivery in wanted]
    if not _is_met(dag, {delivery.event.asset for delivery in wanted}):
        AssetDelivery.objects.filter(dag=dag, is_new=True).update(is_new=False)
        return 0
    tick = _tick_of(dag, [delivery.event.at for delivery in wanted])
    if not _may_begin(dag, tick):
        AssetDelivery.objects.filter(pk__in=keys).delete()  # passed over, and told so
        AssetDelivery.objects.filter(dag=dag, is_new=True).update(is_new=False)
        return 0
    run = _run(dag, tick)
    AssetDelivery.objects.filter(pk__in=keys).update(run=run, is_new=False)
    AssetDelivery.objects.filter(dag=dag, is_new=True).update(is_new=False)
    return 1


def _is_met(dag: Dag, new: set[str]) -> bool:
    is_any = "any_asset" in (dag.schedule or {})
    return bool(new) if is_any else bool(dag.waits_for) and new >= set(dag.waits_for)


def _tick_of(dag: Dag, times: Sequence[datetime]) -> Tick:
    """From the last event of the run before, or from the first one there is, to the last one."""
    before = (
        DagRun.objects.filter(dag=dag, run_type=RunType.ASSET_TRIGGERED)
        .order_by("-queued_at", "-id")
        .values_list("data_interval_end", flat=True)
        .first()
    )
    return Tick(
        logical_date=times[-1], data_interval_start=before or times[0], data_interval_end=times[-1]
    )


def _may_begin(dag: Dag, tick: Tick) -> bool:
    """What the overlap policy says; what it passes over is noted, what it ends is ended."""
    unfinished = DagRun.objects.filter(dag=dag, state__in=sorted(RUN_UNFINISHED))
    waiting = unfinished.filter(state=RunState.QUEUED).count()
    judged = judge(
        OverlapPolicy(dag.overlap_policy),
        (tick,),
        running=unfinished.filter(state__in=sorted(RUN_ACTIVE)).count(),
        waiting=waiting,
    )
    SkippedTick.objects.bulk_create(
        [
            SkippedTick(dag=dag, logical_date=passed.logical_date, reason=judged.reason)
            for passed in judged.passed_over
        ],
        ignore_conflicts=True,
    )
    if judged.cancels:
        others = unfinished.filter(
            run_type=RunType.ASSET_TRIGGERED, state__in=[RunState.QUEUED, RunState.RUNNING]
        )
        for run in others.select_for_update(no_key=True).order_by("id"):
            cancel_run(run, actor=ACTOR)
    return bool(judged.start)


def _run(dag: Dag, tick: Tick) -> UUID:
    request = RunRequest(
        run_type=RunType.ASSET_TRIGGERED,
        run_id=run_id_for(RunType.ASSET_TRIGGERED, tick.logical_date),
        data_interval_start=tick.data_interval_start,
        data_interval_end=tick.data_interval_end,
        conf=params.resolve(dag.params, {}),
    )
    (run,) = insert([(dag, request)], actor=ACTOR)
    return run
