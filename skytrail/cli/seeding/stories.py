"""A dozen DAGs, each with a month behind it and something to tell: what the demo leaves for a look.

All their commands can be executed anywhere, and their schedules go on: what is told as history up
to now really runs from now on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.db import transaction

from dags_app.domain.parse import parse
from skytrail.cli.seeding import beside, calendar, planting, population
from skytrail.cli.seeding.calendar import Wish
from skytrail.cli.seeding.chance import Chance
from skytrail.cli.seeding.graphs import Nature, Seeded
from skytrail.cli.seeding.moments import DAY, HOUR, micros
from skytrail.cli.seeding.planting import Planted
from skytrail.cli.seeding.shapes import Document

#: The same each time.
_SEED = 7

_DAYS = 30

#: So many ticks of each: those of each hour for all that time.
_MOST_TICKS = 24 * _DAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One DAG and how it has gone. `speed` is in seconds per task, `broken_for` in hours."""

    document: Document
    speed: float = 8.0
    nature: dict[str, Any] = field(default_factory=dict)
    broken_for: int | None = None
    broken_at: int = 0
    versions: int = 1
    passing_over: float = 0.0
    #: So many days ago it was paused.
    paused_for: int | None = None
    #: So many runs are begun for real when the history has been told.
    begun: int = 0


def _bash(name: str, *after: str, **more: Any) -> Document:
    what = name.rpartition(".")[2].replace("_", " ")
    command = {"type": "bash", "command": f"sleep 1; echo '{what}: done'"}
    return {"id": name, "depends_on": list(after), **command, **more}


def _dag(name: str, description: str, schedule: Any, *tasks: Document, **more: Any) -> Document:
    team = name.partition("_")[0]
    about = {"name": name, "description": description, "schedule": schedule, "tags": [team, "demo"]}
    return {**about, "owner": "grace", **more, "tasks": list(tasks)}


_SOURCES = ("shop", "app", "partners")

STORIES: Final = (
    Story(
        document=_dag(
            "orders_import",
            "Orders of all channels into the warehouse, each hour.",
            "5 * * * *",
            *(_bash(f"extract.{each}", group="extract") for each in _SOURCES),
            *(
                _bash(f"load.{each}", f"extract.{each}", group="load", pool="warehouse", retries=2)
                for each in _SOURCES
            ),
            _bash("publish", *(f"load.{each}" for each in _SOURCES), outlets=["orders"]),
        ),
        versions=3,
    ),
    Story(
        document=_dag(
            "invoices_report",
            "The invoices of the day before. A column is missing since a few days.",
            "30 5 * * *",
            _bash("fetch"),
            _bash("totals", "fetch", retries=2, retry_delay_seconds=60.0),
            _bash("charts", "totals"),
            _bash("send", "charts"),
            owner="ada",
            timezone="Europe/Berlin",
        ),
        broken_for=80,
        broken_at=1,
    ),
    Story(
        document=_dag(
            "ledger_close",
            "Closes the books when the bank has sent its file: one day after the other.",
            "0 4 * * 1-5",
            {"id": "bank_file", "type": "file_sensor", "path": "/srv/bank/closing.csv"},
            _bash("reconcile", "bank_file"),
            _bash("close", "reconcile"),
            owner="barbara",
            max_active_runs=1,
        ),
        speed=240.0,
        begun=2,
    ),
    Story(
        document=_dag(
            "forecast_models",
            "Tomorrow's demand. Takes longer every week.",
            "15 2 * * *",
            _bash("features"),
            *(_bash(f"fit_{each}", "features") for each in ("north", "south", "islands")),
            _bash("compare", "fit_north", "fit_south", "fit_islands"),
            owner="katherine",
        ),
        speed=120.0,
        nature={"growth": 3.0},
        versions=2,
    ),
    Story(
        document=_dag(
            "churn_training",
            "Needs both cards of the training machine, whose worker is away.",
            "0 1 * * 0",
            _bash("collect"),
            _bash("train", "collect", queue="gpu", pool="gpu", pool_slots=2),
            _bash("evaluate", "train"),
            owner="radia",
        ),
        speed=300.0,
        begun=2,
    ),
    Story(
        document=_dag(
            "prices_release",
            "New prices go out when somebody has looked at them.",
            None,
            _bash("draft"),
            {
                "id": "release",
                "type": "approval",
                "depends_on": ["draft"],
                "subject": "Publish the new prices?",
                "body": "12 prices have changed since yesterday.",
            },
            _bash("publish", "release"),
            owner="frances",
        ),
        begun=1,
    ),
    Story(
        document=_dag(
            "photos_resize",
            "One task that becomes as many as there are folders.",
            "40 */6 * * *",
            _bash("list_folders"),
            _bash(
                "resize", "list_folders", expand={"folder": [f"2026-{n:02d}" for n in range(12)]}
            ),
            _bash("index", "resize"),
        ),
        speed=15.0,
        nature={"failing": 0.004},
    ),
    Story(
        document=_dag(
            "payments_check",
            "Asks a bank that is often away; what fails is tried again, and cleared by hand.",
            "20 */2 * * *",
            _bash("ask_bank", retries=4, retry_delay_seconds=30.0),
            _bash("compare", "ask_bank", retries=1, retry_delay_seconds=60.0),
            _bash("report", "compare"),
            {
                "id": "alert",
                "type": "empty",
                "depends_on": ["ask_bank", "compare"],
                "trigger_rule": "one_failed",
            },
            owner="edsger",
            overlap_policy="skip",
        ),
        nature={"failing": 0.3, "cleared": 0.7},
    ),
    Story(
        document=_dag(
            "sessions_rollup",
            "Counts visits per day.",
            "10 0 * * *",
            _bash("count"),
            _bash("rank", "count"),
            catchup=True,
        ),
        speed=40.0,
    ),
    Story(
        document=_dag(
            "catalog_refresh",
            "All of the catalog, or what has changed, as it decides.",
            "50 3,15 * * *",
            _bash("measure"),
            {
                "id": "decide",
                "type": "branch",
                "depends_on": ["measure"],
                "value": "{{ params.mode }}",
                "cases": {"full": ["full_load"]},
                "default": ["delta_load"],
            },
            _bash("full_load", "decide"),
            _bash("delta_load", "decide"),
            _bash("publish", "full_load", "delta_load", trigger_rule="none_failed_min_one_success"),
            params={"mode": "delta"},
            owner="linus",
        ),
        speed=25.0,
        versions=5,
    ),
    Story(
        document=_dag(
            "meters_read",
            "Reads the meters each quarter of an hour, and passes over what it has no time for.",
            "*/15 * * * *",
            _bash("read"),
            _bash("store", "read"),
            overlap_policy="skip",
        ),
        speed=5.0,
        passing_over=0.04,
        nature={"skipping": 0.05},
    ),
    Story(
        document=_dag(
            "orders_digest",
            "Whenever the orders are new.",
            {"assets": ["orders"]},
            _bash("summarise"),
            _bash("mail", "summarise"),
        ),
        begun=1,
    ),
    Story(
        document=_dag(
            "archive_legacy",
            "Paused since the old shop is gone.",
            "0 3 * * 6",
            _bash("pack"),
            _bash("upload", "pack"),
            owner="dennis",
        ),
        speed=90.0,
        paused_for=9,
    ),
)


def plant_stories(now: datetime) -> Planted:
    """Writes the stories, up to `now`, with all that belongs to them."""
    chance = Chance(_SEED)
    wish = Wish(dags=len(STORIES), task_runs=0, days=_DAYS, now=now, live=True)
    dags = [_told(story, wish, chance) for story in STORIES]
    history = calendar.history(wish, dags, chance, make_up=False)
    planted = planting.write(
        dags, history, now=now, chance=chance, tell=lambda *_: None, logs_of=1.0
    )
    with transaction.atomic():
        beside.write(dags, now=now, chance=chance)
    return planted


def _told(story: Story, wish: Wish, chance: Chance) -> Seeded:
    now = micros(wish.now)
    spec = parse(story.document)
    nature = Nature(**story.nature, broken_at=story.broken_at)
    if story.broken_for is not None:
        nature.broken_since = now - story.broken_for * HOUR
    dag = population.grown(
        spec,
        born=now - wish.days * DAY,
        now=now,
        nature=nature,
        speed=story.speed,
        versions=story.versions,
        chance=chance,
        paused_since=None if story.paused_for is None else now - story.paused_for * DAY,
    )
    ticks = calendar.ticks_of(spec, dag.born, now - calendar.SETTLED, _MOST_TICKS)
    population.give_ticks(dag, ticks, passing_over=story.passing_over, chance=chance)
    return dag


def begun() -> list[str]:
    """The DAGs of which runs are to be begun for real, as often as they stand here."""
    return [story.document["name"] for story in STORIES for _ in range(story.begun)]
