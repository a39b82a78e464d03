"""Holding a DAG's schedule back, and letting it go on."""

from __future__ import annotations

from django.db import transaction

from dags_app.actions.pauses import note_pause
from dags_app.actions.registration import set_next_run
from dags_app.models import Dag


def pause(dag: Dag, *, actor: str = "") -> Dag:
    """No scheduled run starts from now on; runs that are under way go on. Pausing twice is fine."""
    return _set_paused(dag, paused=True, actor=actor)


def resume(dag: Dag, *, actor: str = "") -> Dag:
    """The schedule goes on: with catchup from the last tick that ran, else from the next one."""
    return _set_paused(dag, paused=False, actor=actor)


@transaction.atomic
def _set_paused(dag: Dag, *, paused: bool, actor: str) -> Dag:
    locked = Dag.objects.select_for_update(no_key=True).select_related(None).get(pk=dag.pk)
    if locked.paused != paused:
        locked.paused = paused
        if not paused:
            set_next_run(locked)
        locked.save(update_fields=["paused", "next_run_at", "updated_at"])
        note_pause(locked, actor=actor)
    return locked
