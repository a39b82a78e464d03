"""How states, times and links of runs are shown."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from dags_app.models import Dag


def badge(state: str, word: str = "") -> SafeString:
    """A state in its colour, or another word; the stylesheet knows the colours."""
    shown = (word or state).replace("_", " ")
    return format_html('<span class="sky-badge is-{}">{}</span>', state, shown)


def link(model: str, key: UUID, text: Any) -> SafeString:
    """A link to the page of one row of a model of ours."""
    page = reverse(f"admin:{model}_change", args=[key])
    return format_html('<a class="sky-link" href="{}">{}</a>', page, text)


def duration(started_at: datetime | None, finished_at: datetime | None) -> str | None:
    """How long it took, or has taken so far."""
    if started_at is None:
        return None
    took = (finished_at or timezone.now()) - started_at
    seconds = max(took.total_seconds(), 0.0)
    if seconds < 60:
        return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.0f} s"
    return str(timedelta(seconds=round(seconds)))


def dag_link(dag: Dag) -> SafeString | str:
    """A link to a DAG's page, unless it has been deleted."""
    if dag.deleted_at is not None:
        return f"{dag.dag_id} (deleted)"
    return link("dags_app_dag", dag.pk, dag.dag_id)


def as_json(value: Any) -> str:
    """A value as people read it."""
    return json.dumps(value, indent=2, ensure_ascii=False)
