from django.urls import path

from runs_app.api.approvals import ApprovalDecideView, ApprovalListView, ApprovalView
from runs_app.api.artifacts import ArtifactContentView, ArtifactView, RunArtifactListView
from runs_app.api.assets import (
    AssetEventListView,
    AssetListView,
    RunAssetEventListView,
    WaitingAssetEventListView,
)
from runs_app.api.backfills import (
    BackfillCancelView,
    BackfillListView,
    BackfillPauseView,
    BackfillResumeView,
    BackfillView,
)
from runs_app.api.dead_letters import (
    DeadLetterDropView,
    DeadLetterListView,
    DeadLetterReplayView,
    DeadLettersDropView,
    DeadLettersReplayView,
    DeadLetterView,
)
from runs_app.api.explaining import DagExplainView, RunExplainView, TaskExplainView
from runs_app.api.logs import TaskLogView
from runs_app.api.operations import PoolListView, PoolView, WorkerListView
from runs_app.api.runs import (
    DagClearView,
    DagRunListView,
    DagStatusView,
    RunCancelView,
    RunClearView,
    RunListView,
    RunRepeatView,
    RunView,
    SkippedTickListView,
)
from runs_app.api.state import StateListView, StateView
from runs_app.api.tasks import (
    TaskCancelView,
    TaskListView,
    TaskOutputListView,
    TaskOutputView,
    TaskRenderedView,
    TaskView,
)

RUN = "dags/<name:dag_id>/runs/<run:run_id>"
TASK = f"{RUN}/tasks/<name:task_id>"
LETTER = "dead-letters/<uuid:key>"
BACKFILL = "backfills/<uuid:key>"

urlpatterns = [
    path("runs", RunListView.as_view()),
    path("dags/<name:dag_id>/status", DagStatusView.as_view()),
    path("dags/<name:dag_id>/skipped-ticks", SkippedTickListView.as_view()),
    path("dags/<name:dag_id>/runs", DagRunListView.as_view()),
    path("dags/<name:dag_id>/explain", DagExplainView.as_view()),
    path(RUN, RunView.as_view()),
    path(f"{RUN}/explain", RunExplainView.as_view()),
    path(f"{RUN}/cancel", RunCancelView.as_view()),
    path(f"{RUN}/clear", RunClearView.as_view()),
    path(f"{RUN}/repeat", RunRepeatView.as_view()),
    path("dags/<name:dag_id>/clear", DagClearView.as_view()),
    path(f"{RUN}/tasks", TaskListView.as_view()),
    path(TASK, TaskView.as_view()),
    path(f"{TASK}/explain", TaskExplainView.as_view()),
    path(f"{TASK}/logs", TaskLogView.as_view()),
    path(f"{TASK}/rendered", TaskRenderedView.as_view()),
    path(f"{TASK}/output", TaskOutputView.as_view()),
    path(f"{TASK}/outputs", TaskOutputListView.as_view()),
    path(f"{TASK}/cancel", TaskCancelView.as_view()),
    path(f"{RUN}/artifacts", RunArtifactListView.as_view()),
    path("artifacts/<uuid:key>", ArtifactView.as_view()),
    path("artifacts/<uuid:key>/content", ArtifactContentView.as_view()),
    path(f"{RUN}/asset-events", RunAssetEventListView.as_view()),
    path("dags/<name:dag_id>/waiting-asset-events", WaitingAssetEventListView.as_view()),
    path("assets", AssetListView.as_view()),
    path("assets/events", AssetEventListView.as_view()),
    path("backfills", BackfillListView.as_view()),
    path(BACKFILL, BackfillView.as_view()),
    path(f"{BACKFILL}/pause", BackfillPauseView.as_view()),
    path(f"{BACKFILL}/resume", BackfillResumeView.as_view()),
    path(f"{BACKFILL}/cancel", BackfillCancelView.as_view()),
    path("dead-letters", DeadLetterListView.as_view()),
    path("dead-letters/replay", DeadLettersReplayView.as_view()),
    path("dead-letters/drop", DeadLettersDropView.as_view()),
    path(LETTER, DeadLetterView.as_view()),
    path(f"{LETTER}/replay", DeadLetterReplayView.as_view()),
    path(f"{LETTER}/drop", DeadLetterDropView.as_view()),
    path("approvals", ApprovalListView.as_view()),
    path("approvals/<uuid:approval>", ApprovalView.as_view()),
    path("approvals/<uuid:approval>/decide", ApprovalDecideView.as_view()),
    path("state", StateListView.as_view()),
    path("state/entry", StateView.as_view()),
    path("pools", PoolListView.as_view()),
    path("pools/<name:name>", PoolView.as_view()),
    path("workers", WorkerListView.as_view()),
]
