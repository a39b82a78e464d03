"""The addresses of all pages, for a DAG and a run that are there."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What the pages are about."""

    dag_id: str
    run_id: str
    task_id: str
    dag_key: UUID
    approval: UUID
    backfill: UUID
    import_error: UUID


def pages(scene: Scene) -> dict[str, str]:
    """Every page that is looked at with GET, by its name in the URLs."""
    dag = f"/dags/{scene.dag_id}/"
    run = f"{dag}runs/{scene.run_id}/"
    task = f"{run}tasks/{scene.task_id}/"
    return {
        "home": "/",
        "home-day": "/last-day/",
        "timeline": "/timeline/",
        "search": "/search/?q=s",
        "dags": "/dags/",
        "latest-runs": f"/latest-runs/?dag={scene.dag_key}",
        "dag": dag,
        "dag-recent": f"{dag}recent/",
        "dag-grid": f"{dag}grid/",
        "dag-runs": f"{dag}runs/",
        "dag-calendar": f"{dag}calendar/",
        "dag-durations": f"{dag}durations/",
        "dag-schedule": f"{dag}schedule/",
        "dag-backfills": f"{dag}backfills/",
        "dag-versions": f"{dag}versions/",
        "dag-version": f"{dag}versions/1/",
        "dag-diff": f"{dag}versions/1/diff/2/",
        "dag-definition": f"{dag}definition/",
        "dag-audit": f"{dag}audit/",
        "dag-why": f"{dag}why/",
        "runs": "/runs/",
        "run": run,
        "run-head": f"{run}head/",
        "run-gantt": f"{run}gantt/",
        "run-tasks": f"{run}tasks/",
        "run-details": f"{run}details/",
        "run-history": f"{run}history/",
        "run-why": f"{run}why/",
        "task": task,
        "task-head": f"{task}head/",
        "task-why": f"{task}why/",
        "dead-letters": "/dead-letters/",
        "approvals": "/approvals/",
        "approval": f"/approvals/{scene.approval}/",
        "backfills": "/backfills/",
        "backfill": f"/backfills/{scene.backfill}/",
        "import-errors": "/import-errors/",
        "import-error": f"/import-errors/{scene.import_error}/",
        "pools": "/pools/",
        "queues": "/queues/",
        "workers": "/workers/",
        "connections": "/connections/",
        "variables": "/variables/",
    }


def questions(scene: Scene) -> dict[str, str]:
    """What asks before something is done, and forms: for those who may do it."""
    dag = f"/dags/{scene.dag_id}/"
    run = f"{dag}runs/{scene.run_id}/"
    return {
        "editor-new": "/new/",
        "editor-check": "/editor/check/",
        "editor-save": "/editor/save/",
        "dag-edit": f"{dag}edit/",
        "dag-pause": f"{dag}pause/",
        "dag-resume": f"{dag}resume/",
        "dags-chosen": f"/dags-chosen/?do=pause&dag={scene.dag_id}",
        "dag-rollback": f"{dag}versions/1/rollback/",
        "dag-trigger": f"{dag}trigger/",
        "trigger": f"/trigger/?dag={scene.dag_id}&dag={scene.dag_id}2",
        "run-cancel": f"{run}cancel/",
        "run-clear": f"{run}clear/?which=all",
        "run-repeat": f"{run}repeat/",
        "run-note": f"{run}note/",
        "task-cancel": f"{run}tasks/{scene.task_id}/cancel/",
        "dead-letters-chosen": "/dead-letters/chosen/",
        "backfill-steer": f"/backfills/{scene.backfill}/steer/",
        "pool": "/pools/p/",
        "connection-test": "/connections/c/test/",
        "events": "/events/",
    }
