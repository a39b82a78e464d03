"""Runs, tasks and what belongs to them, as REST shows them."""

from runs_app.api.serializers.approvals import ApprovalSerializer, DecisionSerializer
from runs_app.api.serializers.clearing import (
    ClearedRangeSerializer,
    ClearedRunSerializer,
    ClearedSerializer,
    ClearedTaskSerializer,
    ClearRangeSerializer,
    ClearSerializer,
)
from runs_app.api.serializers.dead_letters import (
    DeadLetterDetailSerializer,
    DeadLetterSerializer,
    DroppedSerializer,
    ManyDeadLettersSerializer,
    NamedLetterSerializer,
    PassedOverSerializer,
    ReplayedSerializer,
    ReplaySerializer,
    TaskOfRunSerializer,
)
from runs_app.api.serializers.left import (
    ArtifactSerializer,
    NamedOutputSerializer,
    OutputSerializer,
    StateSerializer,
)
from runs_app.api.serializers.operations import PoolSerializer, WorkerSerializer
from runs_app.api.serializers.runs import (
    NoteSerializer,
    RepeatSerializer,
    RunSerializer,
    SkippedTickSerializer,
    StatusSerializer,
    TriggerSerializer,
)
from runs_app.api.serializers.tasks import (
    AttemptSerializer,
    FailureSerializer,
    RenderedSerializer,
    TaskRunSerializer,
)
from runs_app.api.serializers.words import RUN_STATES, TASK_STATES

__all__ = [
    "RUN_STATES",
    "TASK_STATES",
    "ApprovalSerializer",
    "ArtifactSerializer",
    "AttemptSerializer",
    "ClearRangeSerializer",
    "ClearSerializer",
    "ClearedRangeSerializer",
    "ClearedRunSerializer",
    "ClearedSerializer",
    "ClearedTaskSerializer",
    "DeadLetterDetailSerializer",
    "DeadLetterSerializer",
    "DecisionSerializer",
    "DroppedSerializer",
    "FailureSerializer",
    "ManyDeadLettersSerializer",
    "NamedLetterSerializer",
    "NamedOutputSerializer",
    "NoteSerializer",
    "OutputSerializer",
    "PassedOverSerializer",
    "PoolSerializer",
    "RenderedSerializer",
    "RepeatSerializer",
    "ReplaySerializer",
    "ReplayedSerializer",
    "RunSerializer",
    "SkippedTickSerializer",
    "StateSerializer",
    "StatusSerializer",
    "TaskOfRunSerializer",
    "TaskRunSerializer",
    "TriggerSerializer",
    "WorkerSerializer",
]
