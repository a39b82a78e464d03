"""`skytrail dlq`."""

from __future__ import annotations

import sys

import pytest

from runs_app.actions.cancellation import cancel_run
from runs_app.models import Transition
from tests.actions.test_cancelling import claimed
from tests.cli.conftest import CommandLine
from tests.conveyor import Conveyor
from tests.dead_letters import dead_letter, kill, listed
from tests.factories import save_dag, start_run

pytestmark = pytest.mark.usefixtures("committing")

NOWHERE = "00000000-0000-4000-8000-000000000000"


def dying() -> str:
    """A dead letter whose run is being cancelled."""
    run = start_run(save_dag({"dead": [], "busy": []}, name="dying"), run_id="first")
    letter = kill(run, "dead")
    claimed(run, "busy")
    cancel_run(run, actor="user:alice")
    return str(letter.pk)


# ---------------------------------------------------------------- looking


def test_a_list_in_every_format(command: CommandLine) -> None:
    assert "No dead letters" in command("dlq", "list").out
    one = dead_letter("one", message="no such [table]\n at line 3")
    dead_letter("two", message="x" * 500)
    shown = command("dlq", "list").out
    assert "no such [table] at line 3" in shown
    assert "1 of 1" in shown
    assert "x" * 101 not in shown
    rows = command("dlq", "list", "-o", "json").json
    assert [row["dag_id"] for row in rows] == ["two", "one"]
    assert rows[1]["message"] == "no such [table]\n at line 3"
    lines = command("dlq", "list", "-o", "plain").out.splitlines()
    assert lines[1].split("\t")[:5] == [str(one.pk), "one", "first", "extract", "exit_code"]


def test_filters_say_which_are_listed(command: CommandLine) -> None:
    dead_letter("one")
    dead_letter("two", run_id="second", reason="timeout")
    for options, expected in {
        ("--dag=one",): ["one"],
        ("--run=second",): ["two"],
        ("--task=load",): [],
        ("--reason=timeout",): ["two"],
        ("--queue=default", "--reason=exit_code"): ["one"],
        ("--failed-after=2000-01-01",): ["two", "one"],
        ("--failed-after=2000-01-01T00:00:00+00:00", "--failed-before=2001-01-01"): [],
        ("--limit=1",): ["two"],
    }.items():
        rows = command("dlq", "list", *options, "-o", "json").json
        assert [row["dag_id"] for row in rows] == expected, options


def test_one_with_its_attempts_and_its_last_lines(command: CommandLine) -> None:
    letter = dead_letter(log="reading\nTraceback: [red]x[/red]\n")
    said = command("dlq", "show", str(letter.pk)).out
    assert said.endswith("reading\nTraceback: [red]x[/red]\n")
    assert "it broke" in said
    assert "worker@one" in said
    record = command("dlq", "show", str(letter.pk), "-o", "json").json
    assert record["last_log_lines"] == ["reading", "Traceback: [red]x[/red]"]
    assert "no dead letter" in command("dlq", "show", NOWHERE, expect=4).err
    assert "UUID" in command("dlq", "show", "nothing", expect=2).err


# ---------------------------------------------------------------- replaying and dropping


def test_one_is_replayed_and_runs_to_its_end(command: CommandLine, conveyor: Conveyor) -> None:
    letter = dead_letter()
    said = command("dlq", "replay", str(letter.pk)).out
    assert "1 replayed · tasks that run again with all that follows: 2" in said
    conveyor.run()
    letter.run.refresh_from_db()
    assert letter.run.state == "success"
    assert "no dead letter" in command("dlq", "replay", str(letter.pk), expect=4).err
    actors = Transition.objects.filter(reason="replayed").values_list("actor", flat=True)
    assert all(actor.startswith("cli:") for actor in actors)


def test_a_dry_run_says_what_would_happen(command: CommandLine) -> None:
    dead_letter()
    said = command("dlq", "replay", "--all", "--dry-run").out
    assert "would be replayed" in said
    assert "would run again" in said
    would = command("dlq", "replay", "--dag=story", "--dry-run", "-o", "json").json
    assert [task["task_id"] for task in would["tasks"]] == ["extract", "load"]
    assert "would be dropped" in command("dlq", "drop", "--all", "--dry-run").out
    assert listed() == ["story first extract"]


def test_what_is_passed_over_is_named_and_makes_the_exit_code(command: CommandLine) -> None:
    stuck = dying()
    dead_letter("one")
    said = command("dlq", "replay", "--all", expect=5).out
    assert "1 replayed" in said
    assert "passed over: The run 'first' is being cancelled" in said
    assert listed() == ["dying first dead"]
    answer = command("dlq", "replay", stuck, "-o", "json", expect=5).json
    assert [row["code"] for row in answer["passed_over"]] == ["run_cannot_be_cleared"]


def test_filters_say_which_are_dropped(command: CommandLine) -> None:
    dead_letter("one")
    dead_letter("two", reason="timeout")
    answer = command("dlq", "drop", "--reason=timeout", "-o", "json").json
    assert [letter["dag_id"] for letter in answer["dropped"]] == ["two"]
    assert listed() == ["one first extract"]
    assert "1 dropped" in command("dlq", "drop", "--all").out
    assert listed() == []
    assert "There are none" in command("dlq", "drop", "--all").out


@pytest.mark.parametrize("verb", ["replay", "drop"])
def test_which_are_meant_has_to_be_said_in_one_way(command: CommandLine, verb: str) -> None:
    letter = str(dead_letter().pk)
    for words in ((), ("--all", "--dag=story"), ("--all", letter), (letter, "--dag=story")):
        said = command("dlq", verb, *words, "-o", "json", expect=3)
        assert said.error["code"] == "which_letters"
    assert listed() == ["story first extract"]


def test_in_a_terminal_all_are_asked_about_first(
    command: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead_letter("one")
    dead_letter("two")
    asked = []

    def answer(question: str, **options: object) -> bool:
        asked.append(question)
        raise KeyboardInterrupt

    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.confirm", answer)
    command("dlq", "drop", "--all", expect=130)
    assert asked == ["Drop all 2 dead letters?"]
    assert len(listed()) == 2
    command("dlq", "drop", "--all", "--yes")
    assert len(asked) == 1
    assert listed() == []


def test_of_very_many_only_the_first_are_in_the_table(command: CommandLine) -> None:
    graph: dict[str, list[str]] = {f"t{number}": [] for number in range(60)}
    run = start_run(save_dag(graph))
    for name in graph:
        kill(run, name)
    said = command("dlq", "drop", "--all").out
    assert len(said.splitlines()) < 60
    assert "60 dropped" in said
