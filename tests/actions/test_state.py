"""The state store: what tasks keep for later runs."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now

from runs_app.actions import attempts, state
from runs_app.domain.executions import Execution
from runs_app.domain.outcomes import Outcome
from runs_app.domain.state import Overtaken, Place, Scope, Write, asset_place
from runs_app.models import StateEntry, TaskRun
from runs_app.models.state_entry import Owner, place_of
from runs_app.selectors.state import state_for
from skytrail.database.keys import new_key
from tests.factories import save_dag, start_run, task
from tests.waiting import wait_until

pytestmark = pytest.mark.usefixtures("committing")

TASK, DAG, ASSET = Place(Scope.TASK), Place(Scope.DAG), asset_place("s3://lake/orders")
PLACES = pytest.mark.parametrize("place", [TASK, DAG, ASSET], ids=str)


def begin(task_id: str = "a", run: Any = None) -> Execution:
    row = task(run or start_run(save_dag({"a": [], "b": []})), task_id)
    found = attempts.claim(task_run_id=row.pk, epoch=row.epoch, worker="one")
    assert isinstance(found, Execution)
    return found


def put(execution: Execution, place: Place, value: Any, **how: Any) -> int | None:
    write = Write(value=value, **how)
    return state.write_by_try(execution, place, "cursor", write, write_key=new_key())


def got(execution: Execution, place: Place) -> Any:
    found = state_for(execution, place, "cursor")
    return None if found is None else found.value


@PLACES
def test_what_is_set_can_be_got_by_the_next_run(place: Place) -> None:
    put(begin(), place, {"since": "2026-01-31"})
    later = begin()
    assert got(later, place) == {"since": "2026-01-31"}
    put(later, place, None)
    found = state_for(later, place, "cursor")
    assert found is not None
    assert found.value is None


def test_each_place_has_keys_of_its_own() -> None:
    run = start_run(save_dag({"a": [], "b": []}))
    a, b = begin("a", run), begin("b", run)
    put(a, TASK, 1)
    put(a, DAG, 2)
    put(a, ASSET, 3)
    assert [got(a, place) for place in (TASK, DAG, ASSET)] == [1, 2, 3]
    assert [got(b, place) for place in (TASK, DAG, ASSET)] == [None, 2, 3]
    other = begin("a", start_run(save_dag({"a": []}, name="other")))
    assert [got(other, place) for place in (TASK, DAG, ASSET)] == [None, None, 3]


@PLACES
def test_only_the_version_that_was_read_is_replaced(place: Place) -> None:
    execution = begin()
    assert put(execution, place, "x", expected=7) is None
    first = put(execution, place, "a", expected=0)
    assert first
    assert put(execution, place, "b", expected=0) is None
    second = put(execution, place, "b", expected=first)
    assert second is not None
    assert second > first
    assert put(execution, place, "c", expected=first) is None
    assert got(execution, place) == "b"


def test_a_version_is_never_used_again() -> None:
    execution = begin()
    first = put(execution, TASK, 1)
    assert state.delete_by_try(execution, TASK, "cursor", expected=first)
    put(execution, TASK, 2)
    assert put(execution, TASK, 3, expected=first) is None


def test_only_the_version_that_was_read_is_deleted() -> None:
    execution = begin()
    first = put(execution, TASK, 1)
    second = put(execution, TASK, 2)
    assert not state.delete_by_try(execution, TASK, "cursor", expected=first)
    assert state.delete_by_try(execution, TASK, "cursor", expected=second)
    assert not state.delete_by_try(execution, TASK, "cursor", expected=None)


@PLACES
def test_what_is_over_is_not_there(place: Place) -> None:
    execution = begin()
    version = put(execution, place, "old", ttl=timedelta(hours=1))
    found = state_for(execution, place, "cursor")
    assert found is not None
    assert found.expires_at is not None
    StateEntry.objects.update(expires_at=Now())
    assert got(execution, place) is None
    assert put(execution, place, "x", expected=version) is None
    assert not state.delete_by_try(execution, place, "another", expected=None)
    assert put(execution, place, "new", expected=0)
    assert got(execution, place) == "new"


def test_the_sweep_deletes_what_is_over_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "BATCH", 2)
    execution = begin()
    for number in range(5):
        write = Write(value=number, ttl=timedelta(seconds=60))
        state.write_by_try(execution, DAG, f"k{number}", write, write_key=new_key())
    StateEntry.objects.update(expires_at=Now())
    put(execution, DAG, "stays")
    put(execution, TASK, "stays too", ttl=timedelta(days=1))
    assert state.sweep() == 5
    assert StateEntry.objects.count() == 2


def test_a_write_whose_answer_was_lost_is_known_again() -> None:
    execution, key = begin(), new_key()
    first = put(execution, TASK, 1)
    again = Write(value=2, expected=first)
    assert state.write_by_try(execution, TASK, "cursor", again, write_key=key)
    assert state.write_by_try(execution, TASK, "cursor", again, write_key=key)
    assert put(execution, TASK, 3, expected=first) is None


@PLACES
def test_a_try_that_was_overtaken_writes_nothing(place: Place) -> None:
    execution = begin()
    put(execution, place, "good")
    TaskRun.objects.filter(pk=execution.task_run_id).update(epoch=execution.epoch + 1)
    with pytest.raises(Overtaken, match="execution of a counts no more"):
        put(execution, place, "late")
    with pytest.raises(Overtaken):
        state.delete_by_try(execution, place, "cursor", expected=None)
    assert got(execution, place) == "good"


def test_a_try_that_has_ended_writes_nothing() -> None:
    execution = begin()
    attempts.finish(execution, Outcome.success(), worker="one")
    with pytest.raises(Overtaken):
        put(execution, TASK, "late")


def test_a_write_waits_for_who_overtakes_it_and_is_refused_then() -> None:
    """The race: the row is being moved, and not yet committed, when the late try writes."""
    execution = begin()
    came_of_it: list[object] = []

    def write_late() -> None:
        try:
            came_of_it.append(put(execution, TASK, "late"))
        except Overtaken as error:
            came_of_it.append(error)
        finally:
            connection.close()

    late = threading.Thread(target=write_late)
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute(
            "UPDATE skytrail_task_run SET epoch = epoch + 1 WHERE id = %s", [execution.task_run_id]
        )
        late.start()
        wait_until(_somebody_waits, what="the late write waits for the row")
        assert not came_of_it
        cursor.execute("COMMIT")
    late.join()
    assert isinstance(came_of_it[0], Overtaken)
    assert not StateEntry.objects.exists()


def test_one_of_many_at_once_wins() -> None:
    execution = begin()
    version = put(execution, DAG, 0)
    barrier = threading.Barrier(4)
    won: list[int | None] = []

    def race(number: int) -> None:
        barrier.wait()
        try:
            won.append(put(execution, DAG, number, expected=version))
        finally:
            connection.close()

    threads = [threading.Thread(target=race, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([version for version in won if version]) == 1


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


def test_people_write_by_their_doors() -> None:
    execution = begin()
    dag = TaskRun.objects.get(pk=execution.task_run_id).dag
    owner = Owner(TASK, dag, "a")
    assert state.write(owner, "cursor", Write(value=5), actor="user:alice")
    assert got(execution, TASK) == 5
    assert StateEntry.objects.get(place=place_of(owner)).written_by == "user:alice"
    assert state.delete(owner, "cursor")
    assert not state.delete(owner, "cursor")
    for place, who in ((DAG, Owner(DAG, dag)), (ASSET, Owner(ASSET))):
        state.write(who, "cursor", Write(value="x"), actor="user:alice")
        assert got(execution, place) == "x"
        assert StateEntry.objects.get(place=place_of(who)).key == "cursor"
