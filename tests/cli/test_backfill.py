"""`skytrail backfill`."""

from __future__ import annotations

import threading

import pytest
from django.db import connection

from runs_app.actions.backfilling import advance
from runs_app.models import Backfill, DagRun
from tests.cli.conftest import CommandLine
from tests.conveyor import Conveyor, ends, failing
from tests.factories import save_dag

ROW = {"fetch": [], "report": ["fetch"]}

JANUARY = ("--dag-id", "story", "--from-date", "2026-01-01", "--to-date", "2026-01-03")


@pytest.mark.django_db
def test_it_is_created_listed_shown_and_steered(command: CommandLine) -> None:
    save_dag(ROW, cron="@daily", timezone="Europe/Berlin")
    made = command("backfill", "create", *JANUARY, "--max-active-runs", "2", "-o", "json").json
    assert (made["state"], made["dates"], made["from_date"]) == (
        "running", 3, "2025-12-31T23:00:00Z"
    )  # fmt: skip
    advance()
    assert "running" in command("backfill", "list").out
    (row,) = command("backfill", "list", "--dag-id", "story", "-o", "json").json
    assert (row["id"], row["active"]) == (made["id"], 2)
    for verb, state in (("pause", "paused"), ("resume", "running"), ("cancel", "cancelled")):
        assert command("backfill", verb, made["id"], "-o", "json").json["state"] == state
    assert "cancelled" in command("backfill", "show", made["id"]).out
    said = command("backfill", "resume", made["id"], expect=5)
    assert "nothing of it is left to be done" in said.err


@pytest.mark.django_db
def test_a_dry_run_lists_the_dates_and_creates_nothing(command: CommandLine) -> None:
    save_dag(ROW, cron="@daily")
    said = command("backfill", "create", *JANUARY, "--dry-run", "--run-backwards")
    assert said.out.index("2026-01-03T00:00:00+00:00") < said.out.index("2026-01-01T00:00:00")
    assert "3 dates: 3 created" in said.out
    assert not Backfill.objects.exists()
    plan = command("backfill", "create", *JANUARY, "--dry-run", "-o", "json").json
    assert [each["treatment"] for each in plan["dates"]] == ["created"] * 3


@pytest.mark.django_db
def test_what_is_wrong_with_it_is_said(command: CommandLine) -> None:
    save_dag(ROW)
    said = command("backfill", "create", *JANUARY, expect=3)
    assert "needs cron, an interval or events" in said.err
    command("backfill", "create", *JANUARY, "--reprocess-behavior", "all", expect=2)


@pytest.mark.parametrize(("breaks", "code"), [(False, 0), (True, 1)])
def test_it_is_watched_to_its_end(
    committing: None, command: CommandLine, conveyor: Conveyor, breaks: bool, code: int
) -> None:
    save_dag(ROW, cron="@daily")
    conveyor.script = ends(fetch=failing()) if breaks else ends()
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            advance()
            conveyor.run()
        connection.close()

    worker = threading.Thread(target=work)
    worker.start()
    try:
        said = command("backfill", "create", *JANUARY, "--wait", expect=code)
    finally:
        over.set()
        worker.join()
    last = said.out.strip().splitlines()[-1]
    verdict = "3 failed" if breaks else "3 succeeded"
    assert last == f"completed: 3 of 3 dates done · {verdict}"
    assert DagRun.objects.count() == 3
