"""What stands around everything about one DAG: its name, its flags, its tabs."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from dags_app.models import Dag

#: Address below the DAG's, and name. Those of runs are served by the app that knows runs.
TABS = (
    ("", "Graph"),
    ("grid/", "Grid"),
    ("runs/", "Runs"),
    ("calendar/", "Calendar"),
    ("durations/", "Durations"),
    ("schedule/", "Schedule"),
    ("backfills/", "Backfills"),
    ("why/", "Why?"),
    ("versions/", "Versions"),
    ("definition/", "Definition"),
    ("audit/", "Audit"),
)


def frame(request: HttpRequest, dag: Dag, tab: str) -> dict[str, Any]:
    """The context of `dags_app/frame.html`; `tab` is the address of the tab that is open."""
    may = request.user.has_perm
    return {
        "dag": dag,
        "tab": tab,
        "tabs": TABS,
        "may_run": may("dags_app.run_dag"),
        "may_change": may("dags_app.change_dag"),
    }
