"""The names, filters and macros of templates: Airflow's, where Skytrail has the same thing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from jinja2.exceptions import UndefinedError

from runs_app.domain.executions import Execution
from skytrail.errors import NotFound, SkytrailError
from skytrail.security.redaction import MASK
from skytrail.security.secrets.shown import shown_connection, shown_variable
from workers.services import Services

CONNECTION, VARIABLE, EVENTS = "connection", "variable", "events"


class Moment(datetime):
    """A date and time that is shown as ISO 8601, as everywhere in Skytrail."""

    def __str__(self) -> str:
        return self.isoformat()


class Needed(BaseException):
    """A template wants a secret that has not been looked up yet. Not an `Exception`: nothing that
    fills templates in is to catch it.
    """

    def __init__(self, what: str, name: str) -> None:
        self.what, self.name = what, name
        super().__init__(what, name)


class Lookups:
    """The secrets that the templates of one command have asked for so far.

    Filling in is limited in time and must not wait for a database in between. So who finds that
    something is missing raises `Needed`; it is looked up outside, and the templates begin anew.
    """

    def __init__(self, services: Services, execution: Execution) -> None:
        self._services = services
        self._execution = execution
        self._found: dict[tuple[str, str], Any] = {}
        #: Of those that hold a secret: the same as people may read it.
        self._shown: dict[tuple[str, str], Any] = {}

    @property
    def has_secrets(self) -> bool:
        """Whether a template has been given something that people are not to read."""
        return bool(self._shown)

    def blind(self) -> Lookups:
        """The same as far as people may read it; nothing more is looked up."""
        other = Lookups(self._services, self._execution)
        other._found = self._found | self._shown
        return other

    def look_up(self, needed: Needed) -> None:
        """Raises nothing: what cannot be had is an error where a template wants it."""
        try:
            found, shown = self._look_up(needed)
        except SkytrailError as error:
            found = shown = error
        self._found[needed.what, needed.name] = found
        if shown != found:
            self._shown[needed.what, needed.name] = shown

    def _look_up(self, needed: Needed) -> tuple[Any, Any]:
        """What there is, and as people may read it."""
        if needed.what == EVENTS:
            events = self._services.runs.triggering_events(self._execution)
            return events, events
        if needed.what == CONNECTION:
            value = self._services.secrets.connection(needed.name)
            names = {"conn_id": value.conn_id, "conn_type": value.conn_type}
            found, shown = names | value.fields(), shown_connection(value)
            uri = value.uri
            return found | {"uri": uri}, shown | {"uri": uri if shown == found else MASK}
        variable = self._services.secrets.variable(needed.name)
        return variable.value, shown_variable(variable)

    def get(self, what: str, name: str) -> Any:
        """The secret, or the error that there is instead. Raises `Needed`."""
        try:
            return self._found[what, name]
        except KeyError:
            raise Needed(what, name) from None


_ABSENT = object()


class Table:
    """What stands behind a name like `conn`: its entries are looked up when they are used."""

    def __init__(self, entry: Callable[[str], Any]) -> None:
        self._entry = entry

    def entry(self, name: str) -> Any:
        """The entry of this name. Raises `UndefinedError` where there is none."""
        found = self._entry(name)
        if isinstance(found, Exception):
            raise UndefinedError(str(found))
        return found

    def get(self, name: str, default: Any = _ABSENT) -> Any:
        """The entry of this name, or `default` where there is none."""
        found = self._entry(name)
        if isinstance(found, NotFound) and default is not _ABSENT:
            return default
        return self.entry(name)


class Events(Mapping[str, Any]):
    """By asset, the events that have started the run; looked up when they are used."""

    def __init__(self, look_up: Callable[[], dict[str, list[dict[str, Any]]]]) -> None:
        self._look_up = look_up

    def __getitem__(self, asset: str) -> list[dict[str, Any]]:
        return self._look_up()[asset]

    def __iter__(self) -> Iterator[str]:
        return iter(self._look_up())

    def __len__(self) -> int:
        return len(self._look_up())


def names_to_look_up(lookups: Lookups) -> dict[str, Any]:
    """`conn`, `var` and `triggering_asset_events`."""

    def read_json(key: str) -> Any:
        text = lookups.get(VARIABLE, key)
        if isinstance(text, Exception):
            return text
        try:
            return json.loads(text)
        except ValueError:
            return UndefinedError(f"the variable {key} is no JSON; use var.value.{key}")

    return {
        "conn": Table(lambda name: lookups.get(CONNECTION, name)),
        "var": {
            "value": Table(lambda key: lookups.get(VARIABLE, key)),
            "json": Table(read_json),
        },
        "triggering_asset_events": Events(lambda: lookups.get(EVENTS, "")),
    }


#: The logical date in other forms; each is a filter, too.
_OF_DATES = ("ds", "ds_nodash", "ts", "ts_nodash", "ts_nodash_with_tz")

_DATES = ("logical_date", "data_interval_start", "data_interval_end")

#: What only a run with a logical date knows, and most often with an interval.
DATED = frozenset({*_OF_DATES, *_DATES})


def run_names(execution: Execution) -> dict[str, Any]:
    """What the run and the task are called, and their dates."""
    dates = {
        name: _moment(getattr(execution, name))
        for name in _DATES
        if getattr(execution, name) is not None
    }
    about_run = {
        "dag_id": execution.dag_id,
        "run_id": execution.run_id,
        "run_type": execution.run_type,
        "conf": execution.conf,
        **dates,
    }
    about_task = {
        "dag_id": execution.dag_id,
        "run_id": execution.run_id,
        "task_id": execution.task_id,
        "map_index": execution.map_index,
        "try_number": execution.attempt,
        "max_tries": execution.max_attempts,
    }
    names: dict[str, Any] = {
        "params": execution.conf,
        "conf": execution.conf,
        "dag_run": about_run,
        "ti": about_task,
        "task_instance": about_task,
        "dag_id": execution.dag_id,
        "run_id": execution.run_id,
        "task_id": execution.task_id,
        "map_index": execution.map_index,
        "map": execution.map_values or {},
        "try_number": execution.attempt,
        "macros": MACROS,
        **dates,
    }
    if "logical_date" in dates:
        names |= {name: FILTERS[name](dates["logical_date"]) for name in _OF_DATES}
    return names


def _moment(value: datetime) -> Moment:
    return Moment.fromisoformat(value.isoformat())


# ---------------------------------------------------------------- filters


def _read(value: Any) -> datetime:
    """A date and time as templates have it: one, or its text in ISO 8601."""
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    if isinstance(value, str):
        return datetime.fromisoformat(value)
    raise TypeError(f"a {type(value).__name__} is no date")


def _offset(moment: datetime) -> str:
    return f"{moment:%Y%m%dT%H%M%S%z}"


def _to_json(value: Any, indent: int | None = None) -> str:
    """Jinja's own writes `<` as `\\u003c`, for web pages."""
    return json.dumps(value, indent=indent, ensure_ascii=False, default=str)


FILTERS: Mapping[str, Callable[..., Any]] = {
    "ds": lambda value: f"{_read(value):%Y-%m-%d}",
    "ds_nodash": lambda value: f"{_read(value):%Y%m%d}",
    "ts": lambda value: _read(value).isoformat(),
    "ts_nodash": lambda value: f"{_read(value):%Y%m%dT%H%M%S}",
    "ts_nodash_with_tz": lambda value: _offset(_read(value)),
    "tojson": _to_json,
    "fromjson": json.loads,
}


# ---------------------------------------------------------------- macros


def _ds_add(ds: str, days: int) -> str:
    """`2026-01-31` and so many days."""
    return f"{datetime.fromisoformat(ds) + timedelta(days=days):%Y-%m-%d}"


def _ds_format(ds: str, input_format: str, output_format: str) -> str:
    """A date in another form, as `strftime` has them."""
    return datetime.strptime(ds, input_format).replace(tzinfo=UTC).strftime(output_format)


MACROS: Mapping[str, Any] = {
    "ds_add": _ds_add,
    "ds_format": _ds_format,
    "timedelta": timedelta,
    "datetime": _read,
}
