"""What happens at the same moment ends as if it had happened one after the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from django.db import connection, transaction
from django.db.models import Sum

from dags_app.models import Dag
from runs_app.actions import attempts, backfilling, dead_letters
from runs_app.actions.admission import admit
from runs_app.actions.backfilling import BackfillRequest
from runs_app.actions.cancellation import RunHasEnded, RunIsBeingCancelled, cancel_run
from runs_app.actions.dispatching_steps import dispatch
from runs_app.actions.launching import Launched, RunRequest, launch
from runs_app.actions.recovery import take_over_lost
from runs_app.actions.rerunning import RunCannotBeCleared, clear
from runs_app.actions.scheduling import tick
from runs_app.actions.waking import wake
from runs_app.domain.claims import Refusal
from runs_app.domain.clearing import Selection
from runs_app.domain.executions import Execution, Finished
from runs_app.domain.outcomes import Outcome
from runs_app.models import DagRun, Pool, TaskRun, Transition
from runs_app.selectors.dead_letters import matching, oldest_first
from skytrail.database.clock import database_now
from skytrail.security.subject import Operator
from tests.actions.test_cancelling import claimed
from tests.actions.test_recovering import let_the_lease_run_out
from tests.dead_letters import dead_letter, named
from tests.doubles import RecordingDispatcher
from tests.factories import save_dag, start_run, states, task
from tests.races.together import by_many, together
from tests.waiting import wait_until

pytestmark = pytest.mark.usefixtures("committing", "dispatcher")

ROUNDS = range(8)
ROW = {"a": [], "b": ["a"]}


def test_one_of_many_claims_of_an_epoch_wins() -> None:
    row = task(start_run(save_dag(ROW)), "a")
    answers = by_many(8, lambda: attempts.claim(task_run_id=row.pk, epoch=1, worker="worker@one"))
    kinds = Counter(type(answer) for answer in answers)
    assert kinds == {Execution: 1, Refusal: 7}
    assert set(map(str, answers)) >= {str(Refusal.ELSEWHERE)}


@pytest.mark.parametrize("round_", ROUNDS)
def test_two_tasks_that_end_at_once_wake_their_join_once(
    round_: int, dispatcher: RecordingDispatcher
) -> None:
    run = start_run(save_dag({"a": [], "b": [], "join": ["a", "b"]}))
    executions = [claimed(run, "a"), claimed(run, "b")]
    dispatcher.forget()

    def end(execution: Execution) -> None:
        attempts.finish(execution, Outcome.success(), worker="worker@one")
        dispatch(run.pk, (2,), actor="dispatcher")

    together([lambda e=execution: end(e) for execution in executions])  # type: ignore[misc]
    assert states(run)["join"] == "queued"
    assert len(dispatcher.consignments) == 1


def test_many_dispatchers_queue_a_task_once(dispatcher: RecordingDispatcher) -> None:
    run = start_run(save_dag(ROW))
    attempts.finish(claimed(run, "a"), Outcome.success(), worker="worker@one")
    dispatcher.forget()
    answers = by_many(6, lambda: dispatch(run.pk, actor="dispatcher"))
    assert Counter(answers)["queued 1"] == 1
    assert len(dispatcher.consignments) == 1


@pytest.mark.parametrize("round_", ROUNDS)
def test_a_chains_claim_and_the_dispatcher_do_not_start_a_step_twice(round_: int) -> None:
    run = start_run(save_dag(ROW))
    attempts.finish(claimed(run, "a"), Outcome.success(), worker="worker@one")
    row = task(run, "b")
    answers = together(
        [
            lambda: attempts.claim(task_run_id=row.pk, epoch=1, worker="worker@one"),
            lambda: dispatch(run.pk, actor="dispatcher"),
            lambda: attempts.claim(task_run_id=row.pk, epoch=1, worker="worker@two"),
        ]
    )
    assert sum(isinstance(answer, Execution) for answer in answers) == 1
    assert not [answer for answer in answers if isinstance(answer, Exception)]


def test_three_ticks_at_once_make_one_run_for_each_date() -> None:
    for place in range(30):
        dag = save_dag({"a": []}, name=f"dag{place}", cron="* * * * *", catchup=True)
        first = (database_now() - timedelta(minutes=3)).replace(second=0, microsecond=0)
        Dag.objects.filter(pk=dag.pk).update(next_run_at=first)
    ticked = by_many(3, tick)
    assert not [answer for answer in ticked if isinstance(answer, Exception)]
    dates = DagRun.objects.values_list("dag", "logical_date")
    assert len(dates) == len(set(dates))
    by_dag = Counter(dag for dag, _ in dates)
    assert len(by_dag) == 30
    assert min(by_dag.values()) >= 3


@pytest.mark.parametrize("round_", ROUNDS)
def test_a_tick_that_cancels_others_meets_all_who_move_runs(round_: int) -> None:
    dag = save_dag(ROW, cron="* * * * *", overlap_policy="cancel_other", catchup=True)
    first = (database_now() - timedelta(minutes=9)).replace(second=0, microsecond=0)
    Dag.objects.filter(pk=dag.pk).update(next_run_at=first, end_date=first)
    tick()
    run = DagRun.objects.get()
    execution = claimed(run, "a")
    later = first + timedelta(minutes=1)
    Dag.objects.filter(pk=dag.pk).update(next_run_at=later, end_date=later)
    answers = together(
        [
            tick,
            lambda: attempts.finish(execution, Outcome.success(), worker="worker@one"),
            lambda: cancel_run(run, actor="user:alice"),
            lambda: clear(run, Selection(), actor="user:bob"),
            lambda: dispatch(run.pk, actor="dispatcher"),
            tick,
        ]
    )
    expected = (RunHasEnded, RunIsBeingCancelled, RunCannotBeCleared)
    errors = [answer for answer in answers if isinstance(answer, Exception)]
    assert not [error for error in errors if not isinstance(error, expected)]
    tick()  # those above pass a DAG over that another holds
    under_way = DagRun.objects.filter(dag=dag, state__in=["running", "cancelling"])
    assert under_way.count() <= 1
    assert DagRun.objects.filter(dag=dag, logical_date=later).count() == 1


@pytest.mark.parametrize("round_", ROUNDS)
def test_a_backfill_that_is_cancelled_while_it_goes_on_leaves_no_run_under_way(
    round_: int,
) -> None:
    dag = save_dag(ROW, cron="@daily", max_active_runs=100)
    day = datetime(2026, 1, 1, tzinfo=UTC)
    request = BackfillRequest(from_date=day, to_date=day + timedelta(days=60))
    backfill = backfilling.create(dag, request, actor="user:alice")
    answers = together(
        [
            backfilling.advance,
            lambda: backfilling.cancel(backfill, actor="user:bob"),
            backfilling.advance,
        ]
    )
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    assert set(DagRun.objects.values_list("state", flat=True)) <= {"cancelled"}
    assert backfilling.advance() == 0


def test_of_many_who_ask_for_a_run_only_as_many_start_as_may() -> None:
    dag = save_dag(ROW, max_active_runs=2)
    by_many(8, lambda: launch(dag, RunRequest(), actor="user:alice"))
    counts = Counter(DagRun.objects.values_list("state", flat=True))
    assert counts == {"running": 2, "queued": 6}


def test_one_idempotency_key_makes_one_run() -> None:
    dag = save_dag(ROW)
    request = RunRequest(idempotency_key="once", conf={"day": 1})
    answers = by_many(8, lambda: launch(dag, request, actor="user:alice"))
    assert all(isinstance(answer, Launched) for answer in answers)
    assert len({answer.run_pk for answer in answers if isinstance(answer, Launched)}) == 1
    assert DagRun.objects.count() == 1


@pytest.mark.parametrize("round_", ROUNDS)
def test_a_task_that_ends_while_its_run_is_cancelled_ends_one_way_only(round_: int) -> None:
    run = start_run(save_dag(ROW))
    execution = claimed(run, "a")
    finished, _ = together(
        [
            lambda: attempts.finish(execution, Outcome.success(), worker="worker@one"),
            lambda: cancel_run(run, actor="user:alice"),
        ]
    )
    dispatch(run.pk, actor="dispatcher")
    run.refresh_from_db()
    assert isinstance(finished, Finished)
    assert states(run) == {"a": "success", "b": "cancelled"}
    assert run.state == "cancelled"


def test_of_many_who_cancel_a_run_one_does() -> None:
    run = start_run(save_dag(ROW))
    claimed(run, "a")
    answers = by_many(5, lambda: cancel_run(run, actor="user:alice"))
    kinds = Counter(type(answer) for answer in answers)
    assert kinds == {DagRun: 1, RunIsBeingCancelled: 4}


@pytest.mark.parametrize("round_", ROUNDS)
def test_clearing_and_ending_a_task_at_once_leaves_one_next_execution(round_: int) -> None:
    run = start_run(save_dag(ROW))
    execution = claimed(run, "a")
    together(
        [
            lambda: attempts.finish(execution, Outcome.success(), worker="worker@one"),
            lambda: clear(run, Selection(task_ids=["a"]), actor="user:alice"),
        ]
    )
    dispatch(run.pk, actor="dispatcher")
    row = task(run, "a")
    assert row.state == "queued"
    assert row.epoch in {3, execution.epoch + 2}


@pytest.mark.parametrize("round_", ROUNDS)
def test_a_late_end_and_its_recovery_do_not_both_count(round_: int) -> None:
    run = start_run(save_dag(ROW))
    execution = claimed(run, "a")
    let_the_lease_run_out()
    finished, lost = together(
        [
            lambda: attempts.finish(execution, Outcome.success(), worker="worker@one"),
            take_over_lost,
        ]
    )
    state = task(run, "a").state
    assert (finished is None, lost, state) in {(True, 1, "queued"), (False, 0, "success")}


def test_a_pool_is_never_overfull_however_many_give_its_slots_out() -> None:
    Pool.objects.create(name="db", slots=3)
    graph: dict[str, list[str]] = {f"t{place}": [] for place in range(20)}
    dag = save_dag(graph, tasks={name: {"pool": "db"} for name in graph})
    runs = [start_run(dag) for _ in range(3)]
    dispatches: list[Callable[[], object]] = [partial(dispatch, run.pk, actor="d") for run in runs]
    answers = together([*dispatches, admit, admit, admit])
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    taken = TaskRun.objects.filter(state="queued").aggregate(slots=Sum("pool_slots"))["slots"]
    assert taken == 3


def test_a_due_retry_is_woken_once() -> None:
    run = start_run(save_dag(ROW, tasks={"a": {"retries": 1, "retry_delay_seconds": 0}}))
    failed = Outcome.failed("it broke", reason="exception")
    attempts.finish(claimed(run, "a"), failed, worker="worker@one")
    assert sum(answer for answer in by_many(4, wake) if isinstance(answer, int)) == 1
    assert task(run, "a").epoch == 2


def test_whatever_happens_at_once_every_move_is_told_once() -> None:
    run = start_run(save_dag({f"t{place}": [] for place in range(6)}))
    executions = [claimed(run, f"t{place}") for place in range(6)]
    finishes: list[Callable[[], object]] = [
        partial(attempts.finish, execution, Outcome.success(), worker="w")
        for execution in executions
    ]
    finishes += [partial(cancel_run, run, actor="a"), partial(dispatch, run.pk, actor="d")]
    answers = together(finishes)
    unexpected = [a for a in answers if isinstance(a, Exception) and not isinstance(a, RunHasEnded)]
    assert not unexpected
    told = Transition.objects.filter(run=run).exclude(task_run=None)
    per_move = Counter(told.values_list("task_run", "from_state", "to_state", "epoch"))
    assert set(per_move.values()) == {1}


def test_a_run_does_not_end_over_a_task_that_is_just_being_cleared() -> None:
    run = start_run(save_dag({"a": []}))
    attempts.finish(claimed(run, "a"), Outcome.success(), worker="w")
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            clear(run, Selection(), actor="alice")
            # Its look at the tasks was before the clear, its look at the run comes after.
            ending = pool.submit(in_another_connection, partial(dispatch, run.pk, [], actor="d"))
            wait_until(somebody_waits_for_a_lock, what="the end waits for the clear")
        ending.result(timeout=20)
    run.refresh_from_db()
    assert (run.state, task(run, "a").state) in {("running", "queued"), ("running", "waiting")}


def in_another_connection(step: Callable[[], object]) -> object:
    try:
        return step()
    finally:
        connection.close()


def somebody_waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
        (waits,) = cursor.fetchone()
    return bool(waits)


@pytest.mark.parametrize("round_", ROUNDS)
def test_of_many_who_replay_a_dead_letter_one_does(round_: int) -> None:
    letter = named(dead_letter())
    answers = by_many(4, lambda: dead_letters.replay(letter, actor="user:alice"))
    kinds = Counter(type(answer) for answer in answers)
    assert kinds == {list: 1, dead_letters.DeadLetterGone: 3}
    assert Transition.objects.filter(reason="replayed", task_run=letter.id).count() == 1


@pytest.mark.parametrize("round_", ROUNDS)
def test_a_dead_letter_that_is_replayed_and_dropped_at_once_is_one_of_both(round_: int) -> None:
    letter = named(dead_letter())
    answers: list[object] = together(
        [
            lambda: dead_letters.replay(letter, actor="user:alice"),
            lambda: dead_letters.drop(letter, actor="user:bob"),
        ]
    )
    assert sum(isinstance(answer, dead_letters.DeadLetterGone) for answer in answers) == 1
    row = TaskRun.objects.get(pk=letter.id)
    told = Transition.objects.filter(task_run=letter.id).values_list("reason", flat=True)
    was_dropped = "dead letter dropped" in told
    assert ("replayed" in told) is not was_dropped
    assert (row.state == "failed", row.dropped_at is not None) == (was_dropped, was_dropped)


def test_many_who_replay_and_drop_all_handle_each_letter_once() -> None:
    for place in range(12):
        dead_letter(f"dag{place}")
    letters = oldest_first(matching(Operator()))
    replays = [lambda: list(dead_letters.replay_many(letters, actor="user:alice"))] * 3
    drops = [lambda: list(dead_letters.drop_many(letters, actor="user:bob"))] * 2
    answers = together([*replays, *drops])
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    done = Counter(
        letter.id
        for answer in answers
        if not isinstance(answer, Exception)
        for of_run in answer
        for letter in of_run.done
    )
    assert done == Counter(letter.id for letter in letters)
