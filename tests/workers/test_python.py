from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from runs_app.domain.outcomes import Outcome
from runs_app.domain.states import TaskState
from tests.workers.calls import EXECUTION, Bench
from workers.guards.interruption import Reason

CHORES = "tests.workers.chores"


def run(bench: Bench, name: str, *args: Any, **kwargs: Any) -> Outcome:
    return bench.run("python", callable=f"{CHORES}.{name}", args=list(args), kwargs=kwargs)


@pytest.mark.parametrize("value", [None, 0, "", [], {"a": [1, 2.5, True, None, "é"]}])
def test_what_it_returns_is_its_output(bench: Bench, value: object) -> None:
    assert run(bench, "give", value).output == value
    assert run(bench, "give", value=value).output == value


def test_dates_decimals_and_tuples_are_kept_as_json(bench: Bench) -> None:
    output = run(bench, "kinds").output
    assert output == {"day": "2026-01-31", "price": "1.10", "pair": [1, 2]}


@pytest.mark.parametrize("name", ["not_a_number", "nul", "a_set"])
def test_what_json_cannot_say_is_no_output(bench: Bench, name: str) -> None:
    outcome = run(bench, name)
    assert (outcome.reason, outcome.may_retry) == ("bad_output", False)


@pytest.mark.parametrize("name", ["count_up", "count_up_later"])
def test_a_generator_is_told_from_a_list(bench: Bench, name: str) -> None:
    assert "return a list instead" in run(bench, name).message


def test_an_async_function_runs_to_its_end(bench: Bench) -> None:
    assert run(bench, "say_later", "at last").output == "at last"
    assert bench.log == "at last\n"


def test_a_method_is_named_with_a_colon(bench: Bench) -> None:
    outcome = bench.run("python", callable=f"{CHORES}:Shelf.put", args=["a"])
    assert outcome.output == "put a"


def test_prints_bytes_and_logging_are_its_log(bench: Bench) -> None:
    from workers import log

    log.install()
    run(bench, "say_in_every_way")
    lines = bench.log.splitlines()
    assert lines[:3] == ["printed", "to stderr", "bytes é"]
    assert lines[3].endswith("INFO shop: logged so")
    assert len(lines) == 4


def test_reasons_of_skip_and_fail_are_kept(bench: Bench) -> None:
    assert run(bench, "skip", "no orders").message == "no orders"
    assert run(bench, "fail", "no shop").message == "no shop"
    assert run(bench, "skip").message
    assert run(bench, "fail").message


def test_an_exception_is_told_with_the_users_frames_only(bench: Bench) -> None:
    outcome = run(bench, "break_down", "שלום 🙂")
    assert outcome.message == "RuntimeError: שלום 🙂"
    assert bench.log.startswith("Traceback (most recent call last):\n")
    assert bench.log.count('  File "') == 1


def test_an_exception_without_words_is_told_too(bench: Bench) -> None:
    assert "cannot be shown" in run(bench, "break_down_wordlessly").message


@pytest.mark.parametrize(
    ("code", "state", "exit_code"),
    [
        (None, TaskState.SUCCESS, None),
        (0, TaskState.SUCCESS, None),
        (3, TaskState.FAILED, 3),
        ("no money", TaskState.FAILED, 1),
    ],
)
def test_sys_exit_is_an_exit_code(
    bench: Bench, code: object, state: TaskState, exit_code: int | None
) -> None:
    outcome = run(bench, "leave", code)
    assert (outcome.state, outcome.exit_code) == (state, exit_code)


@pytest.mark.parametrize("name", ["keyboard", "cancelled"])
def test_no_exception_of_user_code_reaches_the_worker(bench: Bench, name: str) -> None:
    assert run(bench, "raise_base", name).reason == "exception"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("no_such_module.work", "there is no module 'no_such_module'"),
        (f"{CHORES}.giev", "did you mean 'give'?"),
        (f"{CHORES}:Shelf.putt", "has no 'putt'; did you mean 'put'?"),
        (f"{CHORES}.Shelf.put", "A method is written with a colon"),
        (f"{CHORES}.not_callable", "is a int and cannot be called"),
        ("tests.workers.broken.exits.work", "fails with SystemExit: 3"),
        ("tests.workers.broken.raises.work", "fails with ValueError: at import"),
        ("tests.workers.broken.wants.work", "there is no module 'not_installed_here'"),
    ],
)
def test_a_function_that_cannot_be_had_is_explained(bench: Bench, path: str, words: str) -> None:
    outcome = bench.run("python", callable=path)
    assert outcome.message.startswith("callable: cannot import") or "cannot be" in outcome.message
    assert words in outcome.message
    assert (outcome.reason, outcome.may_retry) == ("not_importable", False)
    assert bench.log == ""


def test_a_module_with_a_mistake_is_explained(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sky_mistaken.py").write_text("def work(:")
    monkeypatch.syspath_prepend(tmp_path)
    outcome = bench.run("python", callable="sky_mistaken.work")
    assert "fails with SyntaxError" in outcome.message
    assert "sky_mistaken.py, line 1" in outcome.message


def test_arguments_that_do_not_fit_are_told_from_failing_code(bench: Bench) -> None:
    outcome = run(bench, "break_down", 1, 2, 3)
    assert outcome.message.startswith("args, kwargs: tests.workers.chores.break_down")
    assert (outcome.reason, outcome.may_retry) == ("bad_arguments", False)


def test_it_knows_what_it_is_executed_for_as_a_command_does(bench: Bench) -> None:
    """Above all what makes effects happen once: a key for all its executions, and a fence."""
    told = run(bench, "what_it_is_executed_for").output
    assert told["SKYTRAIL_IDEMPOTENCY_KEY"] == str(EXECUTION.task_run_id)
    assert told["SKYTRAIL_FENCE"] == str(EXECUTION.epoch)
    assert told["SKYTRAIL_TASK_ID"] == EXECUTION.task_id
    assert "SKYTRAIL_FENCE" not in os.environ, "afterwards it is told to nobody else"


def test_what_it_does_to_its_surroundings_is_put_back(bench: Bench, tmp_path: Path) -> None:
    environment, directory = dict(os.environ), Path.cwd()
    timer = signal.getitimer(signal.ITIMER_REAL)
    # pytest's own time limit uses the alarm; without it, none is under way.
    signal.setitimer(signal.ITIMER_REAL, 0)
    try:
        run(bench, "make_a_mess", str(tmp_path))
        assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    finally:
        signal.setitimer(signal.ITIMER_REAL, *timer)
    assert (dict(os.environ), Path.cwd()) == (environment, directory)
    assert bench.log == ""


def test_code_that_swallows_its_interruption_is_stopped_all_the_same(bench: Bench) -> None:
    interrupted = bench.stop(
        "python",
        callable=f"{CHORES}.say_then_insist",
        once=lambda log: "begun" in "".join(piece.text for piece in log.take()),
        reason=Reason.TIMEOUT,
    )
    assert interrupted.reason is Reason.TIMEOUT
    assert "still here" in bench.log


def test_named_outputs_are_each_kept(bench: Bench) -> None:
    call = {"callable": f"{CHORES}.give", "args": [{"rows": 3, "place": "x"}]}
    outcome = bench.run("python", **call, outputs=["rows", "place"])
    assert (outcome.output, outcome.is_named) == ({"rows": 3, "place": "x"}, True)
    assert bench.run("python", **call, multiple_outputs=True).is_named
    outcome = bench.run("python", **call, outputs=["rows"])
    assert (outcome.reason, outcome.may_retry) == ("bad_output", False)
    assert (
        outcome.message
        == "the task returns 'place', which it does not declare; declare it, or leave it out"
    )
