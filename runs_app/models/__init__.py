"""What happened: runs, task runs, executions, the history of moves, logs and outputs."""

from runs_app.models.approval import Approval
from runs_app.models.artifact import Artifact
from runs_app.models.asset_event import AssetDelivery, AssetEvent
from runs_app.models.backfill import Backfill, BackfillRun
from runs_app.models.dag_run import DagRun, RunType
from runs_app.models.dead_letter import DeadLetter
from runs_app.models.log_chunk import LogChunk
from runs_app.models.output import Output
from runs_app.models.pool import Pool
from runs_app.models.rendered_fields import RenderedFields
from runs_app.models.skipped_tick import SkippedTick
from runs_app.models.state_entry import StateEntry
from runs_app.models.task_run import Attempt, TaskRun
from runs_app.models.tick import Tick
from runs_app.models.transition import Transition
from runs_app.models.worker import Worker

__all__ = [
    "Approval",
    "Artifact",
    "AssetDelivery",
    "AssetEvent",
    "Attempt",
    "Backfill",
    "BackfillRun",
    "DagRun",
    "DeadLetter",
    "LogChunk",
    "Output",
    "Pool",
    "RenderedFields",
    "RunType",
    "SkippedTick",
    "StateEntry",
    "TaskRun",
    "Tick",
    "Transition",
    "Worker",
]
