"""What `DAG(schedule=…)` takes, and what stands for it in the definition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from dags_app.authoring.assets import Asset, AssetAll, AssetAny
from dags_app.authoring.errors import BadArgument
from dags_app.authoring.values import plain, seconds

#: A cron expression or a preset; several; an interval; times; assets; or as in a JSON definition.
Schedule: TypeAlias = (
    str
    | timedelta
    | Sequence[str]
    | Sequence[datetime]
    | Sequence[Asset]
    | Asset
    | AssetAll
    | AssetAny
    | Mapping[str, object]
    | None
)


def document(schedule: Schedule, *, owner: str) -> Any:
    """The schedule's form in a definition. Raises `BadArgument` for what is none."""
    match schedule:
        case None | str():
            return schedule
        case timedelta():
            return {"interval_seconds": seconds(schedule)}
        case Asset():
            return {"assets": [schedule.name]}
        case AssetAll(assets):
            return {"assets": [asset.name for asset in assets]}
        case AssetAny(assets):
            return {"any_asset": [asset.name for asset in assets]}
        case Mapping():
            return plain(schedule, owner=owner, name="schedule")
        case [*items] if items:
            return _of_several(items, owner)
    raise _not_a_schedule(owner, schedule)


def _of_several(items: Sequence[object], owner: str) -> dict[str, Any]:
    for kind, key in ((str, "cron"), (Asset, "assets"), (datetime, "events")):
        if all(isinstance(item, kind) for item in items):
            return {key: plain(items, owner=owner, name="schedule")}
    raise _not_a_schedule(owner, items)


def _not_a_schedule(owner: str, value: object) -> BadArgument:
    return BadArgument(
        owner=owner,
        name="schedule",
        problem=f"cannot be {value!r}: give a cron expression, a preset like '@daily', a "
        "timedelta, assets, a list of one of these kinds, or None for a DAG that only people start",
    )
