"""Deleting a DAG: its name is free again, its history stays."""

from __future__ import annotations

from django.db import transaction
from django.db.models.functions import Now

from dags_app.actions.registration import check_free
from dags_app.models import Dag
from dags_app.signals import dag_deleting


@transaction.atomic
def delete(dag: Dag) -> None:
    """Takes `dag` out of sight. Raises what a receiver of `dag_deleting` raises to keep it, and
    `DefinedByFile`.
    """
    locked = Dag.objects.select_for_update(no_key=True).select_related(None).get(pk=dag.pk)
    check_free(locked)
    dag_deleting.send(sender=Dag, dag=locked)
    locked.paused = True
    locked.next_run_at = None
    locked.deleted_at = Now()
    locked.save(update_fields=["paused", "next_run_at", "deleted_at", "updated_at"])
