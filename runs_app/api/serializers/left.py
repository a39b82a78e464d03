"""What tasks leave: outputs, artifacts, state for later runs."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from runs_app.domain.state import HIDDEN
from runs_app.models import (
    Artifact,
    Output,
    StateEntry,
)


class OutputSerializer(serializers.Serializer[Any]):
    """What a task left for later ones."""

    task_id = serializers.CharField()
    value = serializers.JSONField(allow_null=True)


class NamedOutputSerializer(serializers.ModelSerializer[Output]):
    """One of the outputs that a task left; `return_value` is one that was not given a name."""

    value = serializers.JSONField()

    class Meta:
        model = Output
        fields = ("name", "value", "created_at")
        read_only_fields = fields


class StateSerializer(serializers.ModelSerializer[StateEntry]):
    """What a task keeps for later runs; a secret's value is not shown."""

    dag_id = serializers.CharField(
        source="dag.dag_id", default=None, allow_null=True, help_text="Null for an asset's."
    )
    value = serializers.SerializerMethodField(method_name="shown")
    is_secret = serializers.SerializerMethodField()

    class Meta:
        model = StateEntry
        fields = (
            *("scope", "dag_id", "task_id", "asset", "key", "value", "is_secret", "version"),
            *("expires_at", "written_by", "written_at"),
        )
        read_only_fields = fields

    @extend_schema_field({})
    def shown(self, entry: StateEntry) -> Any:
        """What is kept."""
        return entry.value if entry.sealed is None else HIDDEN

    def get_is_secret(self, entry: StateEntry) -> bool:
        """Whether it is encrypted."""
        return entry.sealed is not None


class ArtifactSerializer(serializers.ModelSerializer[Artifact]):
    """Something large that a task left: a file, or an output beyond 64 KiB."""

    dag_id = serializers.CharField(source="task_run.run.dag.dag_id", read_only=True)
    run_id = serializers.CharField(source="task_run.run.run_id", read_only=True)
    task_id = serializers.CharField(source="task_run.task_id", read_only=True)
    map_index = serializers.IntegerField(source="task_run.map_index", read_only=True)
    is_gone = serializers.BooleanField(
        read_only=True, help_text="Whether its time is up, and it cannot be read any more."
    )

    class Meta:
        model = Artifact
        fields = (
            *("id", "dag_id", "run_id", "task_id", "map_index", "name", "media_type", "size"),
            *("sha256", "is_output", "is_gone", "created_at", "expires_at"),
        )
        read_only_fields = fields
