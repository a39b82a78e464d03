"""Artifacts: rows that know what is in the store, written before and after it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from runs_app.actions.transitions import sql_list
from runs_app.domain.artifacts import ArtifactOvertaken, Handle, ToKeep, key_of
from runs_app.domain.executions import Execution
from runs_app.domain.states import LEASED
from runs_app.models import Artifact
from skytrail.database.statement import Nothing, Statement
from skytrail.store import Store, Stored, StoreFailed

_logger = logging.getLogger(__name__)

#: What was begun and not completed within this time never will be.
GIVEN_UP_AFTER = timedelta(days=1)

#: Artifacts that are looked at in one go.
BATCH = 500

_BEGIN = Statement(
    "artifact_begin",
    f"""
INSERT INTO skytrail_artifact (id, task_run_id, epoch, name, media_type, key, is_output)
SELECT %(id)s::uuid, t.id, t.epoch, %(name)s, %(media_type)s, %(key)s, %(is_output)s
FROM skytrail_task_run t
WHERE t.id = %(try)s::uuid AND t.epoch = %(epoch)s AND t.state IN {sql_list(LEASED)}
FOR SHARE
ON CONFLICT (id) DO UPDATE SET name = excluded.name
""",
    Nothing,
)


@dataclass(frozen=True)
class _Completed:
    expires_at: datetime | None


_COMPLETE = Statement(
    "artifact_complete",
    """
UPDATE skytrail_artifact SET size = %(size)s, sha256 = %(sha256)s,
  stored_at = clock_timestamp(),
  expires_at = clock_timestamp() + %(ttl)s::float8 * interval '1 second'
WHERE id = %(id)s::uuid
RETURNING expires_at
""",
    _Completed,
)


def begin(execution: Execution, artifact_id: UUID, wanted: ToKeep) -> str:
    """Writes down that something comes; under which key. May be said twice.

    Raises `ArtifactOvertaken`.
    """
    key = key_of(artifact_id, execution.dag_id, wanted.name)
    begun = _BEGIN.count(
        id=artifact_id,
        epoch=execution.epoch,
        name=wanted.name,
        media_type=wanted.media_type,
        key=key,
        is_output=wanted.is_output,
        **{"try": execution.task_run_id},
    )
    if not begun:
        raise ArtifactOvertaken(task_id=execution.task_id)
    return key


def complete(artifact_id: UUID, wanted: ToKeep, stored: Stored) -> Handle:
    """Writes down that it is all there; its handle. May be said twice."""
    ttl = wanted.ttl or settings.SKYTRAIL_ARTIFACT_TTL
    row = _COMPLETE.one(
        id=artifact_id,
        size=stored.size,
        sha256=stored.sha256,
        ttl=ttl.total_seconds() if ttl else None,
    )
    return Handle(
        id=artifact_id,
        name=wanted.name,
        media_type=wanted.media_type,
        size=stored.size,
        sha256=stored.sha256,
        expires_at=row.expires_at if row else None,
        is_output=wanted.is_output,
    )


def sweep(store: Store) -> int:
    """Deletes the content of artifacts whose time is up, whose run is gone, or that were never
    completed; how many. What the store does not delete now is tried again the next time.
    """
    deleted = 0
    while found := list(_over()[:BATCH]):
        for artifact in found:
            try:
                store.delete(artifact.key)
            except StoreFailed as error:
                _logger.warning("artifacts stay where they are for now: %s", error)
                return deleted
            if artifact.task_run_id is None or artifact.stored_at is None:
                artifact.delete()
            else:
                # People are to see that it was there.
                Artifact.objects.filter(pk=artifact.pk).update(removed_at=Now())
            deleted += 1
    return deleted


def _over() -> QuerySet[Artifact]:
    is_left = Q(task_run__isnull=True) | Q(
        stored_at__isnull=True, created_at__lt=Now() - GIVEN_UP_AFTER
    )
    has_expired = Q(removed_at__isnull=True, expires_at__lte=Now())
    return Artifact.objects.filter(is_left | has_expired)
