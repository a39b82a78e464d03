"""Questions to people, and their answers."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from runs_app.models import (
    Approval,
)


class ApprovalSerializer(serializers.ModelSerializer[Approval]):
    """What a task has asked people, and what was answered."""

    dag_id = serializers.CharField(source="task_run.dag.dag_id", read_only=True)
    run_id = serializers.CharField(source="task_run.run.run_id", read_only=True)
    task_id = serializers.CharField(source="task_run.task_id", read_only=True)
    map_index = serializers.IntegerField(source="task_run.map_index", read_only=True)
    is_pending = serializers.BooleanField(
        read_only=True, help_text="Somebody waits for the answer; if not, it is given or void."
    )

    class Meta:
        model = Approval
        fields = [
            "id", "dag_id", "run_id", "task_id", "map_index", "attempt", "subject", "body",
            "options", "assigned_users", "requested_at", "times_out_at", "is_pending", "choice",
            "decided_by", "note", "decided_at",
        ]  # fmt: skip
        read_only_fields = fields


class DecisionSerializer(serializers.Serializer[Any]):
    """An answer."""

    choice = serializers.CharField(max_length=100, help_text="One of the options.")
    note = serializers.CharField(
        default="", allow_blank=True, max_length=10_000, help_text="Why: kept with the answer."
    )
