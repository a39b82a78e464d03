"""What a DAG is besides its tasks, in the admin's form."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django import forms
from unfold import widgets

from dags_app.admin.fields import Choice, Json, Number, Typed, Words, json_area
from dags_app.domain.spec import DagSpec
from dags_app.domain.timing.overlap import OverlapPolicy
from dags_app.models import Dag

#: The fields for a schedule, of which one is used.
_SCHEDULES = ("cron", "interval_seconds", "schedule")


def _help(name: str) -> str:
    return DagSpec.model_fields[name].description or ""


def _area(rows: int) -> forms.Textarea:
    area: forms.Textarea = widgets.UnfoldAdminTextareaWidget(attrs={"rows": rows})
    return area


def _moment() -> Typed:
    """A date and time, read in the DAG's own zone."""
    box = widgets.UnfoldAdminTextInputWidget(attrs={"type": "datetime-local", "step": "any"})
    return Typed(widget=box, help_text="In the DAG's time zone.")


class GeneralForm(forms.Form):
    """A DAG's own fields. What nobody has touched goes into the definition as it is stored."""

    name = Typed(help_text="Letters, digits and the characters _ . - only. A DAG keeps its name.")
    description = Typed(widget=_area(2), help_text=_help("description"))
    owner = Typed(help_text=_help("owner"))
    tags = Words(help_text="Words to find it by, separated by commas.")
    cron = Typed(
        label="Cron",
        help_text="Minute hour day month weekday, or a preset: @daily, @once, @continuous.",
    )
    interval_seconds = Number(
        label="Interval (s)", help_text="Instead of cron: so many seconds from run to run."
    )
    schedule = Json(
        widget=json_area(
            rows=3, placeholder='{"cron": ["0 9 * * MON"], "except": {"holidays": "DE"}}'
        ),
        label="Another schedule",
        help_text="Instead of both: several crons, events, assets, exceptions.",
    )
    timezone = Typed(
        label="Time zone",
        initial="UTC",
        widget=widgets.UnfoldAdminTextInputWidget(attrs={"list": "sky-zones"}),
        help_text="The zone in which the schedule is read, like Europe/Berlin.",
    )
    start_date = _moment()
    end_date = _moment()
    catchup = forms.BooleanField(
        required=False,
        widget=widgets.UnfoldBooleanSwitchWidget(),
        help_text="Make up for every missed tick, not only for the latest.",
    )
    catchup_window_seconds = Number(
        label="Catchup window (s)", help_text=_help("catchup_window_seconds")
    )
    overlap_policy = Choice(
        OverlapPolicy,
        initial=OverlapPolicy.ALLOW.value,
        help_text="What becomes of a tick while earlier runs have not ended.",
    )
    max_active_runs = Number(initial=16, help_text=_help("max_active_runs"))
    max_active_tasks = Number(help_text=_help("max_active_tasks"))
    run_timeout_seconds = Number(label="Run timeout (s)", help_text=_help("run_timeout_seconds"))
    fail_fast = forms.BooleanField(
        required=False, widget=widgets.UnfoldBooleanSwitchWidget(), help_text=_help("fail_fast")
    )
    params = Json(
        widget=json_area(rows=5, placeholder='{"day": {"type": "string", "default": "monday"}}'),
        label="Parameters",
        help_text="What a run can be given: for each parameter a JSON Schema, with its default.",
    )
    paused = forms.BooleanField(
        required=False,
        widget=widgets.UnfoldBooleanSwitchWidget(),
        help_text="Begin with the schedule held back.",
    )

    #: In which order and under which headings they are shown.
    groups = (
        ("General", ("name", "owner", "description", "tags", "paused")),
        (
            "Schedule",
            (
                "cron",
                "interval_seconds",
                "schedule",
                "timezone",
                "overlap_policy",
                "catchup",
                "catchup_window_seconds",
                "start_date",
                "end_date",
            ),
        ),
        (
            "Limits and parameters",
            ("max_active_runs", "max_active_tasks", "run_timeout_seconds", "fail_fast", "params"),
        ),
    )

    def __init__(self, *args: Any, dag: Dag | None = None, **kwargs: Any) -> None:
        self.dag = dag
        if dag is not None:
            kwargs["initial"] = {**_stored(dag), **_dates(dag)}
        super().__init__(*args, **{**kwargs, "use_required_attribute": False})
        if dag is not None:
            del self.fields["paused"]  # the page has buttons for it
            self.fields["name"].disabled = True

    def document(self) -> dict[str, Any]:
        """A definition without tasks."""
        values = {name: self._value(name) for name in self.fields if name not in _SCHEDULES}
        for _, schedule in self._schedules():
            values["schedule"] = schedule
        return {name: value for name, value in values.items() if value not in ("", None)}

    def too_many_schedules(self) -> list[str]:
        """The fields beyond the first in which a schedule is given."""
        return [name for name, _ in self._schedules()][1:]

    def says_schedule_as_json(self) -> bool:
        """Whether the schedule is the one written as JSON."""
        return [name for name, _ in self._schedules()][:1] == ["schedule"]

    def _schedules(self) -> Iterator[tuple[str, Any]]:
        """The fields in which a schedule is given, with what they say in a definition."""
        if cron := self._value("cron"):
            yield "cron", cron
        if (interval := self._value("interval_seconds")) not in ("", None):
            yield "interval_seconds", {"interval_seconds": interval}
        if other := self._value("schedule"):
            yield "schedule", other

    def sections(self) -> Iterator[tuple[str, list[forms.BoundField]]]:
        """The headings, each with its fields."""
        for title, names in self.groups:
            yield title, [self[name] for name in names if name in self.fields]

    @staticmethod
    def zones() -> list[str]:
        """The time zones to choose from."""
        return sorted(zoneinfo.available_timezones())

    def _value(self, name: str) -> Any:
        changed = set(self.changed_data)
        if name in {"start_date", "end_date"} and "timezone" in changed:
            changed.add(name)  # what is shown there is read in the new zone
        if self.dag is not None and name not in changed:
            if name in _SCHEDULES:
                return self.initial[name]
            stored = getattr(self.dag, "dag_id" if name == "name" else name)
            return stored.isoformat() if isinstance(stored, datetime) else stored
        return self.cleaned_data.get(name)


def _stored(dag: Dag) -> dict[str, Any]:
    own = {"name", "paused", *_SCHEDULES}
    names = [name for name in GeneralForm.base_fields if name not in own]
    return {"name": dag.dag_id, **_schedule(dag)} | {name: getattr(dag, name) for name in names}


def _schedule(dag: Dag) -> dict[str, Any]:
    """The schedule in the field that it fits into."""
    shown: dict[str, Any] = dict.fromkeys(_SCHEDULES)
    match dag.schedule:
        case {"cron": str(text), **others} if not others:
            shown["cron"] = text
        case {"interval_seconds": seconds, **others} if not others:
            shown["interval_seconds"] = seconds
        case {"once": True}:
            shown["cron"] = "@once"
        case {"continuous": True, **others} if not others:
            shown["cron"] = "@continuous"
        case other:
            shown["schedule"] = other
    return shown


def _dates(dag: Dag) -> dict[str, str]:
    """The dates as a browser's field wants them, in the DAG's zone."""
    try:
        zone: Any = zoneinfo.ZoneInfo(dag.timezone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        zone = UTC
    moments = {"start_date": dag.start_date, "end_date": dag.end_date}
    return {
        name: "" if at is None else at.astimezone(zone).replace(tzinfo=None).isoformat()
        for name, at in moments.items()
    }
