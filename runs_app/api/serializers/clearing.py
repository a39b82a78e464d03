"""Clearing: what is to run again, and what does."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


class ClearSerializer(serializers.Serializer[Any]):
    """Which tasks are to run again."""

    task_ids = serializers.ListField(
        child=serializers.CharField(max_length=250),
        required=False,
        allow_null=True,
        help_text="Left out: all tasks. Of a mapped task `load[3]` is one instance.",
    )
    upstream = serializers.BooleanField(
        default=False, help_text="Also what comes before the tasks named."
    )
    downstream = serializers.BooleanField(
        default=True, help_text="Also what comes after the tasks named."
    )
    only_failed = serializers.BooleanField(
        default=False, help_text="Of these only failed, upstream_failed and cancelled ones."
    )
    conf = serializers.DictField(
        required=False,
        allow_null=True,
        help_text="The run's conf from then on; checked as when it is triggered.",
    )
    dry_run = serializers.BooleanField(default=False, help_text="Only list what would be cleared.")


class ClearRangeSerializer(ClearSerializer):
    """Which tasks of which runs are to run again."""

    from_date = serializers.DateTimeField(help_text="The first logical date.")
    to_date = serializers.DateTimeField(help_text="The last logical date, this one included.")


class ClearedTaskSerializer(serializers.Serializer[Any]):
    task_id = serializers.CharField()
    map_index = serializers.IntegerField()
    state = serializers.CharField(help_text="Its state before.")


class ClearedSerializer(serializers.Serializer[Any]):
    """What was, or would be, cleared."""

    dry_run = serializers.BooleanField()
    tasks = ClearedTaskSerializer(many=True)


class ClearedRunSerializer(serializers.Serializer[Any]):
    """What was, or would be, cleared of a run."""

    run_id = serializers.CharField(source="run.run_id")
    logical_date = serializers.DateTimeField(source="run.logical_date")
    tasks = ClearedTaskSerializer(many=True)
    passed_over = serializers.CharField(help_text="Why nothing of it; empty otherwise.")


class ClearedRangeSerializer(serializers.Serializer[Any]):
    """What was, or would be, cleared."""

    dry_run = serializers.BooleanField()
    runs = ClearedRunSerializer(many=True)
