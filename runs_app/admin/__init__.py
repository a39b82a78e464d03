"""Runs in Django's admin: read-only, with the few verbs that people need."""

from runs_app.admin.approvals import ApprovalAdmin
from runs_app.admin.artifacts import ArtifactAdmin
from runs_app.admin.assets import AssetEventAdmin
from runs_app.admin.backfills import BackfillAdmin
from runs_app.admin.dead_letters import DeadLetterAdmin
from runs_app.admin.history import AttemptAdmin, TransitionAdmin
from runs_app.admin.operations import PoolAdmin, WorkerAdmin
from runs_app.admin.runs import DagRunAdmin
from runs_app.admin.skipped_ticks import SkippedTickAdmin
from runs_app.admin.state import StateEntryAdmin
from runs_app.admin.tasks import TaskRunAdmin

__all__ = [
    "ApprovalAdmin",
    "ArtifactAdmin",
    "AssetEventAdmin",
    "AttemptAdmin",
    "BackfillAdmin",
    "DagRunAdmin",
    "DeadLetterAdmin",
    "PoolAdmin",
    "SkippedTickAdmin",
    "StateEntryAdmin",
    "TaskRunAdmin",
    "TransitionAdmin",
    "WorkerAdmin",
]
