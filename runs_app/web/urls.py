"""The pages of runs."""

from django.urls import path

from runs_app.web import (
    acting,
    approvals,
    backfills,
    dead_letters,
    explaining,
    history,
    home,
    latest,
    listing,
    live,
    operating,
    run,
    task,
    timeline,
    trigger,
)

DAG = "dags/<name:dag_id>/"
RUN = f"{DAG}runs/<run:run_id>/"
TASK = f"{RUN}tasks/<name:task_id>/"

urlpatterns = [
    path("", home.home, name="home"),
    path("last-day/", home.day, name="home-day"),
    path("events/", live.events, name="events"),
    path("timeline/", timeline.timeline, name="timeline"),
    path("latest-runs/", latest.squares, name="latest-runs"),
    path("runs/", listing.runs, name="runs"),
    path("trigger/", trigger.several, name="trigger"),
    path(f"{DAG}recent/", latest.recent, name="dag-recent"),
    path(f"{DAG}trigger/", trigger.trigger, name="dag-trigger"),
    path(f"{DAG}runs/", listing.of_dag, name="dag-runs"),
    path(f"{DAG}grid/", history.grid, name="dag-grid"),
    path(f"{DAG}calendar/", history.calendar, name="dag-calendar"),
    path(f"{DAG}durations/", history.durations, name="dag-durations"),
    path(f"{DAG}backfills/", backfills.of_dag, name="dag-backfills"),
    path(f"{DAG}audit/", history.audit, name="dag-audit"),
    path(f"{DAG}why/", explaining.dag, name="dag-why"),
    path(RUN, run.run, name="run"),
    path(f"{RUN}why/", explaining.run, name="run-why"),
    path(f"{RUN}head/", run.head, name="run-head"),
    path(f"{RUN}gantt/", run.chart, name="run-gantt"),
    path(f"{RUN}tasks/", run.tasks, name="run-tasks"),
    path(f"{RUN}details/", run.details, name="run-details"),
    path(f"{RUN}history/", run.history, name="run-history"),
    path(f"{RUN}cancel/", acting.cancel, name="run-cancel"),
    path(f"{RUN}clear/", acting.clear, name="run-clear"),
    path(f"{RUN}repeat/", acting.repeat, name="run-repeat"),
    path(TASK, task.task, name="task"),
    path(f"{TASK}why/", explaining.task, name="task-why"),
    path(f"{TASK}head/", task.head, name="task-head"),
    path(f"{TASK}cancel/", acting.cancel_task, name="task-cancel"),
    path("backfills/", backfills.backfills, name="backfills"),
    path("backfills/<uuid:key>/", backfills.backfill, name="backfill"),
    path("backfills/<uuid:key>/steer/", backfills.steer, name="backfill-steer"),
    path("dead-letters/", dead_letters.dead_letters, name="dead-letters"),
    path("dead-letters/chosen/", dead_letters.chosen, name="dead-letters-chosen"),
    path("approvals/", approvals.approvals, name="approvals"),
    path("approvals/<uuid:key>/", approvals.approval, name="approval"),
    path("pools/", operating.pools, name="pools"),
    path("pools/<name:name>/", operating.pool, name="pool"),
    path("queues/", operating.queues, name="queues"),
    path("workers/", operating.workers, name="workers"),
]
