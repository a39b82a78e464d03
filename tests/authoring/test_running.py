"""What is written in Python runs: by the planner and the executors that run it in production."""

from __future__ import annotations

from typing import Any

from dags_app.domain.spec import DagSpec
from tests.authoring.modules import ImportFile
from tests.local.trials import FACTS, Notes, states
from workers.local.ledger import Ledger
from workers.local.trying import Trial, prepared


def run(spec: DagSpec) -> Ledger:
    with prepared(spec, FACTS, Trial(), observer=Notes()) as going:
        going.to_the_end()
    return going.ledger


def outputs(ledger: Ledger) -> dict[str, Any]:
    return dict(ledger.outputs([task.id for task in ledger.spec.tasks]))


def test_a_dag_of_functions_from_end_to_end(import_file: ImportFile) -> None:
    found = import_file(
        "etl/whole.py",
        """
        @dag
        def whole(word="rows"):
            @setup
            def prepare():
                return {"numbers": [1, 2, 3], "of what": word}

            @teardown
            def put_away(prepared): ...

            @task
            async def double(number, plus=0):
                return number * 2 + plus

            @task
            def total(numbers):
                return sum(numbers)

            @task.branch
            def choose(number):
                return "some.big" if number > 9 else "some.small"

            @task.bash
            def say(count, what):
                return f"echo {what}; echo said={count} > $SKYTRAIL_OUTPUT"

            @task_group
            def some():
                return [Empty("big"), Empty("small")]

            made = prepare()
            with put_away(made).as_teardown(setups=made):
                count = total(double.partial(plus=1).expand(number=made["numbers"]))
                said = say(count, made["of what"])
                choose(count) >> some()

        whole()
        """,
    )
    ledger = run(found.dags[0].spec())
    assert states(ledger) == {
        "prepare": "success",
        "double": "success",
        "double[0]": "success",
        "double[1]": "success",
        "double[2]": "success",
        "total": "success",
        "say": "success",
        "choose": "success",
        "some.big": "success",
        "some.small": "skipped",
        "put_away": "success",
    }
    left = outputs(ledger)
    assert (left["double"], left["total"]) == ([3, 5, 7], 15)
    assert (left["say"], left["choose"]) == ({"said": 15}, "some.big")


def test_a_value_in_a_command_does_not_run_as_code(import_file: ImportFile) -> None:
    found = import_file(
        "danger.py",
        """
        @task
        def ask():
            return '"; echo broken=1 > $SKYTRAIL_OUTPUT; "'

        @task.bash
        def say(word):
            return f"printf %s {word} > said; echo size=$(wc -c < said) > $SKYTRAIL_OUTPUT"

        with DAG("d"):
            say(ask())
        """,
    )
    left = outputs(run(found.dags[0].spec()))
    assert left["say"] == {"size": len(left["ask"])}
