"""Which artifacts there are, and where in the store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from runs_app.domain.artifacts import ArtifactGone, NoSuchArtifact
from runs_app.models import Artifact, DagRun
from skytrail.database.statement import Statement
from skytrail.store import Store


@cache
def artifact_store() -> Store:
    """The one that the settings name."""
    return Store(settings.SKYTRAIL_ARTIFACTS_URL, settings.SKYTRAIL_ARTIFACTS_OPTIONS)


@dataclass(frozen=True)
class Whereabouts:
    """Where an artifact's content is, and by what it is known."""

    key: str
    sha256: str
    expires_at: datetime | None
    is_gone: bool


_FIND = Statement(
    "artifact_find",
    """
SELECT a.key, a.sha256, a.expires_at,
  a.removed_at IS NOT NULL OR coalesce(a.expires_at <= clock_timestamp(), false) AS is_gone
FROM skytrail_artifact a
WHERE a.id = %(id)s::uuid AND a.stored_at IS NOT NULL AND a.task_run_id IS NOT NULL
""",
    Whereabouts,
)


def whereabouts(artifact_id: UUID) -> Whereabouts:
    """Raises `NoSuchArtifact`, and `ArtifactGone` for one whose time is up."""
    found = _FIND.one(id=artifact_id)
    if found is None:
        raise NoSuchArtifact(id=str(artifact_id))
    if found.is_gone:
        until = f"{found.expires_at:%Y-%m-%d %H:%M} UTC" if found.expires_at else "some time ago"
        raise ArtifactGone(id=str(artifact_id), until=until)
    return found


def artifacts_of(run: DagRun, *, task_id: str | None = None) -> QuerySet[Artifact]:
    """What the tasks of a run have left in the store."""
    found = Artifact.objects.shown().filter(task_run__run=run)
    return found if task_id is None else found.filter(task_run__task_id=task_id)
