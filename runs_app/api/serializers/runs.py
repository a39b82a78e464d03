"""Runs as REST shows them, and what may be said when one is asked for."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from runs_app.actions.noting import LONGEST
from runs_app.api.serializers.words import RUN_ID, RUN_STATES
from runs_app.models import (
    DagRun,
    SkippedTick,
)
from skytrail.rest.fields import Sparse


class RunSerializer(Sparse, serializers.ModelSerializer[DagRun]):
    """A run. `finished_at` is left out while it is not over."""

    dag_id = serializers.CharField(source="dag.dag_id", read_only=True)
    version = serializers.IntegerField(source="version.number", read_only=True)
    state = serializers.ChoiceField(choices=RUN_STATES, read_only=True)
    repeats = serializers.CharField(
        source="repeats.run_id",
        read_only=True,
        default=None,
        allow_null=True,
        help_text="The run that it repeats, if it does.",
    )
    earlier_confs = serializers.JSONField(
        read_only=True, help_text="Its confs before it was cleared with others."
    )
    timed_out = serializers.BooleanField(
        read_only=True, help_text="It took longer than its DAG's run_timeout_seconds: it fails."
    )

    class Meta:
        model = DagRun
        fields = [
            "id", "dag_id", "run_id", "run_type", "triggered_by", "state", "version",
            "logical_date", "data_interval_start", "data_interval_end", "conf",
            "earlier_confs", "note", "repeats", "degraded",
            "timed_out", "queued_at", "started_at", "finished_at", "times_out_at",
        ]  # fmt: skip
        read_only_fields = fields


class NoteSerializer(serializers.Serializer[Any]):
    """What may be changed of a run."""

    note = serializers.CharField(
        allow_blank=True, max_length=LONGEST, help_text="Empty takes it away."
    )


class StatusSerializer(serializers.Serializer[Any]):
    """A DAG's run history."""

    dag_id = serializers.CharField()
    is_paused = serializers.BooleanField()
    next_run_at = serializers.DateTimeField(allow_null=True)
    counts = serializers.DictField(
        child=serializers.IntegerField(), help_text="Runs by state, all states listed."
    )
    runs = RunSerializer(many=True, help_text="The latest runs, newest first.")


class TriggerSerializer(serializers.Serializer[Any]):
    """What may be said about a run that is asked for."""

    conf = serializers.DictField(
        required=False, help_text="Values for the DAG's parameters; checked by their schemas."
    )
    run_id = serializers.CharField(
        required=False,
        trim_whitespace=False,
        validators=[RUN_ID],
        help_text="Made from the time, if left out.",
    )
    logical_date = serializers.DateTimeField(required=False, allow_null=True)
    version = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=2**31 - 1,
        help_text="The number of a version of the DAG; left out: the one that holds now.",
    )


class RepeatSerializer(serializers.Serializer[Any]):
    """How a run is to be repeated."""

    conf = serializers.DictField(
        required=False, allow_null=True, help_text="Left out: the one that it had."
    )


class SkippedTickSerializer(serializers.ModelSerializer[SkippedTick]):
    """A time at which a schedule was due and its overlap policy let nothing begin."""

    class Meta:
        model = SkippedTick
        fields = ["logical_date", "reason", "at"]
        read_only_fields = fields
