"""How the admin looks: django-unfold's settings. Nothing in it is fetched from another host."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy

FORMAT_MODULE_PATH = ["skytrail.settings.formats"]
STATICFILES_DIRS = [Path(__file__).resolve().parent.parent / "static"]


def _file(name: str) -> Callable[[HttpRequest], str]:
    """One of our static files, its address asked for only when a page needs it."""
    return lambda _request: static(f"skytrail/{name}")


def _allowed(*permissions: str) -> Callable[[HttpRequest], bool]:
    """Whether to show an entry: to those who have one of the permissions."""
    return lambda request: any(map(request.user.has_perm, permissions))


def _list(title: str, icon: str, model: str, *permissions: str) -> dict[str, Any]:
    """The entry that leads to a model's list; `model` is `app.model` as in permissions."""
    app, name = model.split(".")
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{app}_{name}_changelist"),
        "permission": _allowed(*permissions or [f"{app}.view_{name}", f"{app}.change_{name}"]),
    }


def _is_staff(request: HttpRequest) -> bool:
    return bool(request.user.is_staff)


# Runs, versions and history are seen by whoever may see their DAG.
_SEES_DAGS = "dags_app.view_dag"

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Skytrail",
    "SITE_HEADER": "Skytrail",
    "SITE_ICON": _file("logo.svg"),
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _file("logo.svg")}],
    "SITE_URL": None,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "STYLES": [_file("admin.css")],
    "BORDER_RADIUS": "6px",
    "COLORS": {
        # One accent, a clear sky. From 600 on, white text on it has a contrast of 5 to 1 and more.
        "primary": {
            "50": "oklch(97.7% .013 236.62)",
            "100": "oklch(95.1% .026 236.82)",
            "200": "oklch(90.1% .058 230.9)",
            "300": "oklch(82.8% .111 230.32)",
            "400": "oklch(74.6% .135 232.66)",
            "500": "oklch(68.5% .145 237.32)",
            "600": "oklch(50% .134 242.75)",
            "700": "oklch(44.3% .11 240.79)",
            "800": "oklch(39.1% .09 240.88)",
            "900": "oklch(34% .078 242)",
            "950": "oklch(29.3% .066 243.16)",
        },
    },
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": [
            {"items": [{"title": "Back to the pages", "icon": "home", "link": "/"}]},
            {
                "title": "Definitions",
                "items": [
                    _list("DAGs", "account_tree", "dags_app.dag"),
                    _list("Versions", "history", "dags_app.dagversion", _SEES_DAGS),
                    _list("Import errors", "error", "dags_app.dagimporterror", _SEES_DAGS),
                ],
            },
            {
                "title": "Runs",
                "separator": True,
                "items": [
                    _list("Runs", "play_circle", "runs_app.dagrun", _SEES_DAGS),
                    _list("Backfills", "update", "runs_app.backfill", _SEES_DAGS),
                    _list("Task runs", "checklist", "runs_app.taskrun", _SEES_DAGS),
                    _list("Approvals", "how_to_vote", "runs_app.approval", _SEES_DAGS),
                    _list("Dead letters", "mark_email_unread", "runs_app.deadletter", _SEES_DAGS),
                    _list("Skipped ticks", "skip_next", "runs_app.skippedtick", _SEES_DAGS),
                    _list("Asset events", "dataset", "runs_app.assetevent", _SEES_DAGS),
                    _list("Artifacts", "attach_file", "runs_app.artifact", _SEES_DAGS),
                    _list("State", "bookmark", "runs_app.stateentry", _SEES_DAGS),
                    _list("Attempts", "replay", "runs_app.attempt", _SEES_DAGS),
                    _list("Transitions", "swap_horiz", "runs_app.transition", _SEES_DAGS),
                ],
            },
            {
                "title": "Operations",
                "separator": True,
                "items": [
                    _list("Connections", "cable", "skytrail_security.connection"),
                    _list("Variables", "data_object", "skytrail_security.variable"),
                    _list("Pools", "water_drop", "runs_app.pool"),
                    _list("Workers", "memory", "runs_app.worker"),
                    _list("Periodic tasks", "schedule", "django_celery_beat.periodictask"),
                    {
                        "title": "Flower",
                        "icon": "local_florist",
                        "link": "/flower/",
                        "permission": _is_staff,
                    },
                    {
                        "title": "API",
                        "icon": "api",
                        "link": reverse_lazy("swagger"),
                        "permission": _is_staff,
                    },
                ],
            },
            {
                "title": "Access",
                "separator": True,
                "items": [
                    _list("Users", "person", "auth.user"),
                    _list("Groups", "group", "auth.group"),
                    _list("API tokens", "key", "skytrail_security.apitoken"),
                ],
            },
        ],
    },
}
