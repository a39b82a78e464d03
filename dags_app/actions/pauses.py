"""Keeping in mind when a DAG was paused, and by whom."""

from __future__ import annotations

from django.db.models.functions import Now

from dags_app.models import Dag, DagPause


def note_pause(dag: Dag, *, actor: str) -> None:
    """Writes down that `dag`, which the caller holds, has just been paused or resumed."""
    still = DagPause.objects.filter(dag=dag, resumed_at=None)
    if not dag.paused:
        still.update(resumed_at=Now(), resumed_by=actor)
    elif not still.exists():
        DagPause.objects.create(dag=dag, paused_by=actor)
