"""The definitions of seeded DAGs, as anybody might write them: names, schedules and graphs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from skytrail.cli.seeding import words
from skytrail.cli.seeding.chance import Chance

#: A definition or a task of one.
Document = dict[str, Any]

_ZONES = {"UTC": 60, "Europe/Berlin": 15, "America/New_York": 10, "Asia/Tokyo": 5}


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes the tasks of one DAG. With `runnable` every command can be executed anywhere."""

    chance: Chance
    subject: str
    runnable: bool

    def task(self, name: str, after: Sequence[str] = (), **more: Any) -> Document:
        """A task that comes after others."""
        task: Document = {"id": name, "depends_on": list(after)}
        task |= {} if "type" in more else self._command(name)
        if self.chance.happens(0.4):
            task["retries"] = self.chance.randint(1, 3)
            task["retry_delay_seconds"] = self.chance.choice([30.0, 60.0, 300.0])
        if self.chance.happens(0.1):
            task["timeout_seconds"] = self.chance.choice([600.0, 1800.0, 3600.0])
        if (queue := self.chance.weighed(words.QUEUES)) != "default" and not self.runnable:
            task["queue"] = queue
        return task | more

    def _command(self, name: str) -> Document:
        what = name.rpartition(".")[2]
        kinds = {"bash": 6, "sql": 2, "python": 2, "http": 1, "empty": 1}
        match "bash" if self.runnable else self.chance.weighed(kinds):
            case "sql":
                statement = f"INSERT INTO analytics.{self.subject} SELECT * FROM raw.{what}"  # noqa: S608  # nobody executes it here
                return {"type": "sql", "conn_id": "warehouse", "sql": statement}
            case "python":
                return {"type": "python", "callable": f"pipelines.{self.subject}.{what}"}
            case "http":
                return {"type": "http", "uri": f"https://api.example.com/{self.subject}"}
            case "empty":
                return {"type": "empty"}
            case _:
                return {"type": "bash", "command": f"echo {what} of {self.subject}"}


def alone(write: Writer) -> list[Document]:
    """One task."""
    return [write.task(write.chance.choice(words.STEPS))]


def chain(write: Writer) -> list[Document]:
    """One after the other."""
    names = words.STEPS[: write.chance.randint(2, 7)]
    return [
        write.task(name, names[place - 1 : place] if place else ())
        for place, name in enumerate(names)
    ]


def diamond(write: Writer) -> list[Document]:
    """Two to four side by side, between a beginning and an end."""
    sides = write.chance.some(words.REGIONS, 2, 4)
    return [
        write.task("start"),
        *(write.task(f"load_{side}", ["start"]) for side in sides),
        write.task("merge", [f"load_{side}" for side in sides]),
    ]


def fan(write: Writer) -> list[Document]:
    """Many side by side; once in a while very many."""
    chance = write.chance
    width = chance.randint(60, 250) if chance.happens(0.01) else chance.randint(5, 16)
    parts = [f"part_{number:03d}" for number in range(1, width + 1)]
    return [
        write.task("split"),
        *(write.task(part, ["split"]) for part in parts),
        write.task("collect", parts),
    ]


def layers(write: Writer) -> list[Document]:
    """Groups that extract, transform and load; loading needs a pool."""
    sources = write.chance.some(words.REGIONS, 2, 4)
    extract, transform, load = (
        [f"{verb}.{source}" for source in sources] for verb in ("extract", "transform", "load")
    )
    tasks = [write.task(name, group="extract") for name in extract]
    tasks += [
        write.task(name, [before], group="transform")
        for name, before in zip(transform, extract, strict=True)
    ]
    tasks += [
        write.task(name, transform[:2] if number else transform, group="load", pool="warehouse")
        for number, name in enumerate(load)
    ]
    return [*tasks, write.task("publish", load)]


def mapped(write: Writer) -> list[Document]:
    """One task that becomes as many as there are files."""
    files = [f"{write.subject}-{number}.csv" for number in range(1, write.chance.randint(4, 13))]
    command = {"type": "bash", "command": 'echo "$SKYTRAIL_MAP_FILE"', "expand": {"file": files}}
    return [
        write.task("list_files"),
        write.task("process", ["list_files"], **command),
        write.task("merge", ["process"]),
    ]


def branched(write: Writer) -> list[Document]:
    """A decision, and a join behind it."""
    decision = {"type": "branch", "value": "{{ ds }}", "cases": {"full": ["full_load"]}}
    return [
        write.task("measure"),
        write.task("decide", ["measure"], **decision, default=["delta_load"]),
        write.task("full_load", ["decide"]),
        write.task("delta_load", ["decide"]),
        write.task(
            "publish", ["full_load", "delta_load"], trigger_rule="none_failed_min_one_success"
        ),
    ]


def watched(write: Writer) -> list[Document]:
    """With a task that is there for failures, and one that tidies up in any case."""
    return [
        write.task("fetch"),
        write.task("validate", ["fetch"]),
        write.task("load", ["validate"], pool="crm_api"),
        write.task("publish", ["load"]),
        write.task("alert", ["fetch", "validate", "load"], trigger_rule="one_failed", retries=0),
        write.task("tidy_up", ["load"], trigger_rule="all_done", retries=0),
    ]


_SHAPES: dict[Callable[[Writer], list[Document]], float] = {
    alone: 12,
    chain: 28,
    diamond: 18,
    fan: 8,
    layers: 12,
    mapped: 6,
    branched: 8,
    watched: 8,
}


def documents(chance: Chance, *, runnable: bool, taken: set[str]) -> Iterator[Document]:
    """Definitions without end, none of whose names is in `taken`; it is added there."""
    while True:
        yield _document(chance, runnable=runnable, taken=taken)


def _document(chance: Chance, *, runnable: bool, taken: set[str]) -> Document:
    team, subject = chance.choice(words.TEAMS), chance.choice(words.SUBJECTS)
    kind = chance.choice(words.KINDS)
    name = _free(f"{team}_{subject}_{kind}", taken)
    write = Writer(chance, subject, runnable)
    document: Document = {
        "name": name,
        "description": f"The {kind} of {subject} for the {team} team.",
        "owner": chance.choice(words.OWNERS),
        "tags": [team, *chance.some(words.TAGS, 0, 4)],
        "tasks": chance.weighed(_SHAPES)(write),
        **_schedule(chance),
    }
    if chance.happens(0.05):
        document["max_active_runs"] = 1
    if chance.happens(0.03):
        document["overlap_policy"] = "skip"
    if chance.happens(0.05):
        document["params"] = {"limit": 1000, "region": {"type": "string", "default": "eu"}}
    if chance.happens(0.05):
        document["run_timeout_seconds"] = 7200.0
    waits_for_assets = isinstance(document["schedule"], dict) and "cron" not in document["schedule"]
    if chance.happens(0.1) and not waits_for_assets:
        # What waits for its own assets would start itself for ever.
        document["tasks"][-1]["outlets"] = [f"{subject}_{kind}"]
    return document


def _free(name: str, taken: set[str]) -> str:
    candidate, number = name, 1
    while candidate in taken:
        number += 1
        candidate = f"{name}_{number}"
    taken.add(candidate)
    return candidate


def _schedule(chance: Chance) -> Document:
    minute, hour = chance.randrange(0, 60, 5), chance.randrange(24)
    schedules: dict[str, tuple[float, Any]] = {
        "daily": (32, f"{minute} {hour} * * *"),
        "workdays": (8, f"{minute} {hour} * * 1-5"),
        "weekly": (14, f"{minute} {hour} * * {chance.randrange(7)}"),
        "monthly": (8, f"{minute} {hour} {chance.randint(1, 28)} * *"),
        "hourly": (2, f"{minute} * * * *"),
        "quarter-hourly": (0.5, "*/15 * * * *"),
        "twice": (2, [f"{minute} 6 * * *", f"{minute} 18 * * *"]),
        "preset": (3, chance.choice(["@daily", "@weekly", "@monthly", "@hourly"])),
        "interval": (3, {"interval_seconds": chance.choice([4, 6, 8, 12, 48]) * 3600}),
        "but_not_then": (
            2,
            {"cron": f"{minute} {hour} * * *", "except": {"weekdays": ["SAT", "SUN"]}},
        ),
        "assets": (4, {"assets": [_asset(chance) for _ in range(chance.randint(1, 3))]}),
        "any_asset": (1, {"any_asset": [_asset(chance), _asset(chance)]}),
        "never": (20, None),
    }
    chosen = chance.weighed({name: weight for name, (weight, _) in schedules.items()})
    document: Document = {"schedule": schedules[chosen][1]}
    if chosen == "interval":
        document["start_date"] = "2026-01-01T00:00:00+00:00"
    elif (zone := chance.weighed(_ZONES)) != "UTC":
        document["timezone"] = zone
    return document


def _asset(chance: Chance) -> str:
    return f"{chance.choice(words.SUBJECTS)}_{chance.choice(words.KINDS)}"
