"""Pools and workers."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from runs_app.api.serializers.words import NAME
from runs_app.models import (
    Pool,
    Worker,
)


class PoolSerializer(serializers.ModelSerializer[Pool]):
    """A pool and how much of it is taken."""

    occupied_slots = serializers.IntegerField(
        read_only=True, help_text="Taken by tasks that are queued or running."
    )
    waiting_slots = serializers.IntegerField(
        read_only=True, help_text="Wanted by tasks that only a slot is missing for."
    )

    class Meta:
        model = Pool
        fields = ["id", "name", "slots", "description", "occupied_slots", "waiting_slots"]
        read_only_fields = ["id"]
        # That the name is free is for the database to say, as a conflict.
        extra_kwargs = {
            "name": {"validators": [NAME], "trim_whitespace": False},
            "description": {"max_length": 10_000},
        }


class WorkerSerializer(serializers.ModelSerializer[Worker]):
    """A worker process."""

    status = serializers.SerializerMethodField(
        help_text="Inactive: it has stopped, or has not been heard of for half a lease."
    )

    class Meta:
        model = Worker
        fields = [
            "id", "name", "hostname", "pid", "queues", "concurrency", "started_at",
            "last_heartbeat", "stopped_at", "status",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(serializers.ChoiceField(choices=["active", "inactive"]))
    def get_status(self, worker: Worker) -> str:
        return "active" if getattr(worker, "is_active", False) else "inactive"
