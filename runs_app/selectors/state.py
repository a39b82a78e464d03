"""What tasks keep for later runs, as it is read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from runs_app.domain.executions import Execution
from runs_app.domain.state import Entry, Place
from runs_app.models import StateEntry
from runs_app.models.state_entry import Owner, place_of
from skytrail.database.statement import Statement
from skytrail.security import vault
from skytrail.security.subject import Subject


@dataclass(frozen=True)
class _Row:
    value: Any
    sealed: str | None
    version: int
    expires_at: datetime | None


_GET = Statement(
    "state_get",
    """
SELECT s.value::json AS value, s.sealed, s.version, s.expires_at
FROM skytrail_state_entry s
WHERE s.key = %(key)s AND s.place = CASE %(scope)s::text
    WHEN 'asset' THEN 'asset:' || %(asset)s::text
    WHEN 'dag' THEN 'dag:' || (SELECT dag_id FROM skytrail_task_run WHERE id = %(try)s::uuid)
    ELSE 'task:' || (SELECT dag_id FROM skytrail_task_run WHERE id = %(try)s::uuid)
      || ':' || %(task_id)s::text END
  AND (s.expires_at IS NULL OR s.expires_at > clock_timestamp())
""",
    _Row,
)


def state_for(execution: Execution, place: Place, key: str) -> Entry | None:
    """What is kept under a key, as the code of a task sees it: secrets in clear.

    Raises `CannotBeDecrypted`.
    """
    row = _GET.one(
        key=key,
        scope=place.scope.value,
        asset=place.asset,
        task_id=execution.task_id,
        **{"try": execution.task_run_id},
    )
    if row is None:
        return None
    return Entry(
        value=row.value if row.sealed is None else json.loads(vault.unseal(row.sealed)),
        version=row.version,
        is_secret=row.sealed is not None,
        expires_at=row.expires_at,
    )


def entry_of(owner: Owner, key: str) -> StateEntry | None:
    """What is kept under a key of somebody's; None where nothing is, or its time is up."""
    entries = StateEntry.objects.kept().select_related("dag")
    return entries.filter(place=place_of(owner), key=key).first()


def entries_matching(
    user: Subject,
    *,
    dag_id: str | None = None,
    task_id: str | None = None,
    asset: str | None = None,
    key: str | None = None,
) -> QuerySet[StateEntry]:
    """What is kept, as far as `user` may see it."""
    found = StateEntry.objects.visible_to(user).kept().select_related("dag")
    wanted = {"dag__dag_id": dag_id, "task_id": task_id, "asset": asset, "key": key}
    given = {name: value for name, value in wanted.items() if value is not None}
    # Names are free again when a DAG is deleted: what it left is not its successor's.
    return found.filter(**given).exclude(dag__deleted_at__isnull=False)
