"""What a task's code may ask: its context, its state, connections and variables."""

from __future__ import annotations

import pytest

from runs_app.at_work.here import NotAtWork
from runs_app.domain.executions import Execution
from runs_app.domain.outcomes import Outcome
from runs_app.domain.states import TaskState
from runs_app.models import StateEntry
from runs_app.selectors.outputs import outputs_of
from skytrail.sdk import DAG, Connection, Python, Variable, get_current_context, state
from skytrail.security.secrets import keeping
from skytrail.security.secrets.values import ConnectionValue
from skytrail.testing import run_dag
from tests.conveyor import Conveyor
from tests.factories import save_dag, start_run, states
from tests.workers.calls import Bench, for_real, text_of
from workers.log import Log

ASKED = "tests.workers.chores.look_around"


ANSWER = {
    "try": 1,
    "runs": 1,
    "cursor": 7,
    "token": "t0ken",
    "host": "shop.example.org",
    "region": "north",
}


def _story() -> DAG:
    with DAG("story") as dag:
        Python("look", callable=ASKED)
    return dag


def test_in_a_run_that_is_tried_it_lives_in_memory() -> None:
    result = run_dag(
        _story(),
        connections={"shop": "http://me:pw@shop.example.org"},
        variables={"pin_token": "1234", "region": "north"},
    )
    assert result["look"].output == ANSWER
    assert "the pin is ***" in result["look"].log


@pytest.mark.usefixtures("committing")
def test_in_a_worker_it_lives_in_the_database(conveyor: Conveyor) -> None:
    keeping.keep_connection(ConnectionValue.from_uri("shop", "http://me:pw@shop.example.org"))
    keeping.keep_variable("pin_token", "1234")
    keeping.keep_variable("region", "north", is_secret=False)
    logs = []

    def execute(execution: Execution) -> Outcome:
        log = Log(1_000_000)
        outcome = for_real(execution, log=log)
        logs.append(text_of(log))
        return outcome

    conveyor.script = execute
    dag = save_dag({"look": []}, tasks={"look": {"type": "python", "callable": ASKED}})
    for runs in (1, 2):
        run = start_run(dag)
        conveyor.run()
        assert states(run) == {"look": "success"}
        assert outputs_of(run.pk, ["look"]) == {"look": ANSWER | {"runs": runs}}
    assert all("the pin is ***" in log for log in logs)
    kept = {entry.scope: entry for entry in StateEntry.objects.all()}
    assert kept.keys() == {"task", "dag", "asset"}
    assert kept["asset"].value is None
    assert kept["asset"].expires_at is not None


@pytest.mark.parametrize(
    ("ask", "name"),
    [
        (get_current_context, "get_current_context"),
        (lambda: Variable.get("pin"), "Variable.get"),
        (lambda: Connection.get("shop"), "Connection.get"),
        (lambda: state.task.get("x"), "state.task"),
        (lambda: state.asset("a").set("x", 1), "state.asset"),
    ],
)
def test_where_no_task_is_executed_it_says_so(ask: object, name: str) -> None:
    with pytest.raises(NotAtWork, match=name) as refused:
        ask()  # type: ignore[operator]  # each can be called
    assert "run_dag" in str(refused.value)


def test_what_is_asked_after_a_task_is_not_its_any_more() -> None:
    bench = Bench()
    outcome = bench.run("python", callable="tests.workers.chores.give", args=[1])
    assert outcome.state is TaskState.SUCCESS
    with pytest.raises(NotAtWork):
        get_current_context()
