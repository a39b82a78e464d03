"""DAGs and versions as REST shows them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from dags_app.models import Dag, DagVersion


class DagSerializer(serializers.ModelSerializer[Dag]):
    """A DAG in lists."""

    name = serializers.CharField(source="dag_id", read_only=True)
    is_paused = serializers.BooleanField(source="paused", read_only=True)
    is_active = serializers.SerializerMethodField(help_text="Not paused.")
    version = serializers.IntegerField(source="version.number", read_only=True)
    schedule = serializers.DictField(
        read_only=True, allow_null=True, help_text="When it runs by itself, in canonical form."
    )
    timetable_summary = serializers.CharField(
        read_only=True, help_text="The schedule in a few words."
    )
    cron = serializers.CharField(
        read_only=True, allow_null=True, help_text="Its cron expression, where it has just one."
    )
    interval_seconds = serializers.IntegerField(
        read_only=True, allow_null=True, help_text="The seconds from run to run, if it has such."
    )

    class Meta:
        model = Dag
        fields = [
            "id", "dag_id", "name", "description", "owner", "tags", "is_paused", "is_active",
            "schedule", "timetable_summary", "cron", "interval_seconds", "timezone", "start_date",
            "end_date", "catchup", "catchup_window_seconds", "overlap_policy", "max_active_runs",
            "max_active_tasks", "run_timeout_seconds", "next_run_at", "version",
            "next_version_at", "source",
            "source_path", "source_commit", "gone_at", "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = fields

    def get_is_active(self, dag: Dag) -> bool:
        return not dag.paused


class DagDetailSerializer(DagSerializer):
    """One DAG, with its definition in canonical form."""

    spec = serializers.SerializerMethodField(
        help_text="The definition of the current version, without what is left at its default."
    )

    class Meta(DagSerializer.Meta):
        fields = [*DagSerializer.Meta.fields, "spec"]
        read_only_fields = fields

    def get_spec(self, dag: Dag) -> dict[str, Any]:
        assert dag.version is not None
        spec: dict[str, Any] = dag.version.spec
        return spec


class VersionSerializer(serializers.ModelSerializer[DagVersion]):
    """A version in lists."""

    class Meta:
        model = DagVersion
        fields = [
            "id", "number", "checksum", "author", "source", "commit", "note", "effective_from",
            "created_at",
        ]  # fmt: skip
        read_only_fields = fields


class VersionDetailSerializer(VersionSerializer):
    """One version, with its definition."""

    spec = serializers.JSONField(read_only=True)

    class Meta(VersionSerializer.Meta):
        fields = [*VersionSerializer.Meta.fields, "spec"]
        read_only_fields = fields
