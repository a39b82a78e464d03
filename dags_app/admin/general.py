"""What a DAG is besides its tasks, in the admin's form."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django import forms
from unfold import widgets

from dags_app.admin.fields import Json, Number, Typed, Words, json_area
from dags_app.domain.spec import DagSpec
from dags_app.models import Dag


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
        label="Cron", help_text="Minute hour day month weekday, or a preset such as @daily."
    )
    interval_seconds = Number(
        label="Interval (s)", help_text="Instead of cron: so many seconds from run to run."
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
    max_active_runs = Number(initial=16, help_text=_help("max_active_runs"))
    max_active_tasks = Number(help_text=_help("max_active_tasks"))
    run_timeout_seconds = Number(label="Run timeout (s)", help_text=_help("run_timeout_seconds"))
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
        ("Schedule", ("cron", "interval_seconds", "timezone", "catchup", "start_date", "end_date")),
        (
            "Limits and parameters",
            ("max_active_runs", "max_active_tasks", "run_timeout_seconds", "params"),
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
        values = {name: self._value(name) for name in self.fields}
        cron, interval = values.pop("cron"), values.pop("interval_seconds")
        if cron:
            values["schedule"] = {"cron": cron}
        elif interval not in ("", None):
            values["schedule"] = {"interval_seconds": interval}
        return {name: value for name, value in values.items() if value not in ("", None)}

    def has_two_schedules(self) -> bool:
        """Whether both a cron expression and an interval are given."""
        return bool(self._value("cron")) and self._value("interval_seconds") not in ("", None)

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
            stored = getattr(self.dag, "dag_id" if name == "name" else name)
            return stored.isoformat() if isinstance(stored, datetime) else stored
        return self.cleaned_data.get(name)


def _stored(dag: Dag) -> dict[str, Any]:
    names = [name for name in GeneralForm.base_fields if name not in {"name", "paused"}]
    return {"name": dag.dag_id} | {name: getattr(dag, name) for name in names}


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
