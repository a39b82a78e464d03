"""A message's way through a worker, on a real database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from celery.exceptions import Ignore, Reject
from django.db import DataError, OperationalError, connection, transaction
from pytest_django import Settings

from runs_app.domain.executions import Execution
from runs_app.domain.outcomes import Outcome
from runs_app.models import TaskRun
from tests.workers.stations import done, last_attempt, log_of, output_of, ready
from workers import execution
from workers.gateway import DatabaseGateway
from workers.guards.interruption import Reason
from workers.log import Piece

pytestmark = pytest.mark.usefixtures("committing", "no_companion_stays")

CHORES = "tests.workers.chores"


def test_a_task_is_claimed_executed_and_finished() -> None:
    found = ready("python", callable=f"{CHORES}.give", args=[{"rows": 3}])
    assert done(found) == "success"
    assert output_of(found) == {"rows": 3}
    assert last_attempt(found).state == "success"


def test_a_message_that_comes_twice_executes_once() -> None:
    found = ready("bash", command="echo once")
    assert done(found) == "success"
    done(found)
    assert log_of(found) == "once\n"


def test_a_message_of_an_old_execution_is_ignored() -> None:
    found = ready("empty")
    TaskRun.objects.filter(pk=found.pk).update(epoch=found.epoch + 1)
    with pytest.raises(Ignore):
        done(found)


@pytest.mark.parametrize(
    ("type_", "parameters"),
    [
        ("python", {"callable": f"{CHORES}.break_down_nastily"}),
        ("bash", {"command": r"printf 'NUL \x00 \xff\n'; exit 1"}),
    ],
)
def test_nasty_text_reaches_the_database(type_: str, parameters: Any) -> None:
    found = ready(type_, **parameters)
    assert done(found) == "failed"
    assert "NUL \ufffd" in log_of(found)
    assert last_attempt(found).message


def test_a_template_that_cannot_be_filled_in_fails_the_task() -> None:
    found = ready("python", callable=f"{CHORES}.give", args=["{{ params.nothing }}"])
    assert done(found) == "failed"
    attempt = last_attempt(found)
    assert attempt.reason == "bad_template"
    assert attempt.message.startswith("args")


def test_a_command_that_is_not_what_was_asked_for_is_not_executed() -> None:
    found = ready("bash", command="echo good")
    with connection.cursor() as cursor:  # as somebody who can do everything with the database
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE skytrail_command SET canonical = replace(canonical, 'good', 'evil')")
        cursor.execute("SET session_replication_role = origin")
    assert done(found) == "failed"
    assert last_attempt(found).reason == "digest_mismatch"
    assert log_of(found) == ""


def test_a_timeout_is_a_failure_that_names_the_limit(settings: Settings) -> None:
    found = ready("bash", command="echo begun; sleep 1000", also={"timeout_seconds": 0.3})
    assert done(found) == "failed"
    attempt = last_attempt(found)
    assert attempt.reason == "timeout"
    assert "time limit of 0.3 s" in attempt.message
    assert log_of(found) == "begun\n"


def test_python_code_has_a_time_limit_too() -> None:
    found = ready("python", callable=f"{CHORES}.say_then_wait", also={"timeout_seconds": 0.3})
    assert done(found) == "failed"
    assert last_attempt(found).reason == "timeout"


def test_a_celery_task_is_ended_by_its_own_time_limit() -> None:
    found = ready("celery", task=f"{CHORES}.celery_limited")
    assert done(found) == "failed"
    attempt = last_attempt(found)
    assert attempt.reason == "timeout"
    assert "time limit of 0.3 s" in attempt.message


@pytest.fixture
def mess() -> Iterator[None]:
    """Whatever a test leaves of the connection, the next one has a fresh one."""
    yield
    connection.in_atomic_block = False
    connection.close()


@pytest.mark.usefixtures("mess")
@pytest.mark.parametrize("name", ["enter_atomic", "begin", "switch_off_autocommit", "break_it"])
def test_a_connection_that_user_code_has_left_in_a_mess_swallows_nothing(name: str) -> None:
    found = ready("python", callable=f"tests.workers.test_performing.{name}")
    word = done(found)
    connection.close()
    found.refresh_from_db()
    assert found.state == word == "success"


def enter_atomic() -> None:
    transaction.atomic().__enter__()


def begin() -> None:
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")


def switch_off_autocommit() -> None:
    transaction.set_autocommit(False)


def break_it() -> None:
    connection.ensure_connection()
    connection.connection.close()


def test_an_end_that_the_database_does_not_take_is_a_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    finish = DatabaseGateway.finish

    def refusing(self: DatabaseGateway, execution: Any, outcome: Any, **more: Any) -> Any:
        if outcome.output is not None:
            raise DataError("no such value")
        return finish(self, execution, outcome, **more)

    monkeypatch.setattr(DatabaseGateway, "finish", refusing)
    found = ready("python", callable=f"{CHORES}.give", args=[1])
    assert done(found) == "failed"
    assert last_attempt(found).message == "its end could not be kept: no such value"


def test_while_the_database_is_away_a_worker_goes_on_trying() -> None:
    tries = []

    def step() -> str:
        tries.append(1)
        if len(tries) < 3:
            raise OperationalError("away")
        return "done"

    assert DatabaseGateway()._persist(step, "do it") == "done"
    tries.clear()
    with pytest.raises(OperationalError):
        DatabaseGateway(patience=0.0)._persist(step, "do it")


def test_a_message_that_cannot_be_claimed_goes_back_to_its_queue(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def away(*_: object, **__: object) -> None:
        raise OperationalError("away")

    found = ready("empty")
    monkeypatch.setattr(DatabaseGateway, "claim", away)
    with pytest.raises(Reject) as rejected:
        done(found)
    assert rejected.value.args == ("away", True)


def test_work_that_cannot_be_handed_back_is_left_to_recovery(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def away(*_: object, **__: object) -> None:
        raise OperationalError("away")

    found = ready("empty")
    claimed = execution._gateway().claim(task_run_id=found.pk, epoch=found.epoch, worker="w")
    assert isinstance(claimed, Execution)
    monkeypatch.setattr(DatabaseGateway, "hand_back", away)
    assert ending(claimed).write(Reason.CUT_OFF, []) == "lease lost"


def ending(claimed: Execution) -> execution._Ending:
    return execution._Ending(claimed, "w", DatabaseGateway())


def test_work_that_a_stopping_worker_gives_up_is_handed_back() -> None:
    found = ready("empty")
    claimed = execution._gateway().claim(task_run_id=found.pk, epoch=found.epoch, worker="w")
    assert isinstance(claimed, Execution)
    assert ending(claimed).write(Reason.SHUTDOWN, []) == "handed back"
    found.refresh_from_db()
    assert (found.state, found.epoch) == ("queued", claimed.epoch + 1)


def test_the_log_of_a_lost_execution_is_kept_under_its_own_number() -> None:
    found = ready("empty")
    claimed = execution._gateway().claim(task_run_id=found.pk, epoch=found.epoch, worker="w")
    assert isinstance(claimed, Execution)
    TaskRun.objects.filter(pk=found.pk).update(epoch=claimed.epoch + 1)
    outcome = Outcome.success()
    piece = Piece(0, "last words")
    assert ending(claimed).write(outcome, [piece]) == "lease lost"
    assert log_of(found) == "last words"
