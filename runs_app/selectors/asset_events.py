"""Events of assets, as they are read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from dags_app.models import Dag
from runs_app.models import AssetEvent, DagRun
from skytrail.database.statement import Statement
from skytrail.security.subject import Subject


@dataclass(frozen=True)
class KnownAsset:
    """A name that DAGs use, or that there are events of. Names of DAGs, in their order."""

    name: str
    producers: list[str]
    consumers: list[str]
    last_event_at: datetime | None


_KNOWN = Statement(
    "known_assets",
    """
WITH producing AS (
  SELECT DISTINCT unnest(t.outlets) AS name, d.dag_id
  FROM skytrail_task t JOIN skytrail_dag d ON d.id = t.dag_id
  WHERE d.deleted_at IS NULL AND t.outlets <> '{}'
), consuming AS (
  SELECT unnest(d.waits_for) AS name, d.dag_id
  FROM skytrail_dag d WHERE d.deleted_at IS NULL AND d.waits_for <> '{}'
), named AS (
  SELECT name FROM producing UNION SELECT name FROM consuming
  UNION SELECT DISTINCT asset FROM skytrail_asset_event
)
SELECT n.name::text AS name,
  ARRAY(SELECT p.dag_id::text FROM producing p WHERE p.name = n.name ORDER BY 1) AS producers,
  ARRAY(SELECT c.dag_id::text FROM consuming c WHERE c.name = n.name ORDER BY 1) AS consumers,
  (SELECT max(e.at) FROM skytrail_asset_event e WHERE e.asset = n.name) AS last_event_at
FROM named n
WHERE n.name > %(after)s
ORDER BY n.name
LIMIT %(limit)s
""",
    KnownAsset,
)


def known_assets(user: Subject, *, after: str = "", limit: int) -> list[KnownAsset]:
    """The assets that there are, by name, those behind `after`."""
    if not user.has_perm("dags_app.view_dag"):
        return []
    return _KNOWN.all(after=after, limit=limit)


def events_matching(
    user: Subject, *, asset: str | None = None, dag_id: str | None = None
) -> QuerySet[AssetEvent]:
    """Events, of one asset, or by one DAG's tasks."""
    events = AssetEvent.objects.visible_to(user)
    if asset is not None:
        events = events.filter(asset=asset)
    if dag_id is not None:
        events = events.filter(dag_id=dag_id)
    return events


def events_of_run(run: DagRun) -> QuerySet[AssetEvent]:
    """The events that a run has been started by."""
    return AssetEvent.objects.filter(deliveries__run=run)


def waiting_events(dag: Dag) -> QuerySet[AssetEvent]:
    """The events that a DAG has, and that have started no run yet."""
    return AssetEvent.objects.filter(deliveries__dag=dag, deliveries__run=None)


def triggering_events(run_pk: UUID) -> dict[str, list[dict[str, Any]]]:
    """What has started a run, as its templates and code see it: by asset, the first event first."""
    found: dict[str, list[dict[str, Any]]] = {}
    events = AssetEvent.objects.filter(deliveries__run=run_pk).order_by("at", "id")
    for event in events:
        found.setdefault(event.asset, []).append(
            {
                "asset": event.asset,
                "timestamp": event.at.isoformat(),
                "extra": event.extra,
                "source_dag_id": event.dag_id or None,
                "source_run_id": event.run_id or None,
                "source_task_id": event.task_id or None,
                "source_map_index": event.map_index,
            }
        )
    return found
