"""What is wrong is said at once, where it is, with the way out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dags_app.authoring.errors import BadDag
from skytrail.errors import SkytrailError
from skytrail.sdk import DAG, Bash, DagBuilder, Empty, FileSensor, Python, TaskGroup, task

MISTAKES: dict[str, tuple[Callable[[], Any], str]] = {
    "a task outside of a DAG": (
        lambda: Empty("a"),
        "stands outside of a DAG: write it inside `with DAG(...):` or inside a function with @dag",
    ),
    "a group outside of a DAG": (
        lambda: TaskGroup("g"),
        "TaskGroup('g') stands outside of a DAG: write it inside",
    ),
    "an id twice": (
        lambda: [Empty("a", dag=d) for d in [DAG("d")] * 2],
        "The DAG 'd' has a task 'a' already: give each task an id of its own.",
    ),
    "a group twice": (
        lambda: [TaskGroup("g", dag=d) for d in [DAG("d")] * 2],
        "The DAG 'd' has a task group 'g' already: give each group an id of its own",
    ),
    "a group with dots": (
        lambda: TaskGroup("a.b", dag=DAG("d")),
        "TaskGroup: 'a.b' is no name for a group",
    ),
    "a misspelt setting of a task": (
        lambda: Empty("a", dag=DAG("d"), retires=2),  # type: ignore[call-arg]  # that is the point
        "Empty('a') takes no argument 'retires'; did you mean 'retries'?",
    ),
    "a setting of another type of task": (
        lambda: Empty("a", dag=DAG("d"), soft_fail=True),  # type: ignore[call-arg]  # likewise
        "Empty('a') takes no argument 'soft_fail'",
    ),
    "what Airflow calls otherwise": (
        lambda: Bash("a", command="true", dag=DAG("d"), bash_command="true"),  # type: ignore[call-arg]  # likewise
        "Bash('a') takes no argument 'bash_command': it is called command",
    ),
    "what Airflow calls otherwise, and has to be given": (
        lambda: Bash(task_id="a", dag=DAG("d"), bash_command="true"),  # type: ignore[call-arg]  # likewise
        "Bash('a') takes no argument 'bash_command': it is called command",
    ),
    "what Airflow has and Skytrail has not": (
        lambda: FileSensor("a", path="x", dag=DAG("d"), mode="poke"),  # type: ignore[call-arg]  # likewise
        "takes no argument 'mode': no sensor holds a worker between two looks; leave it out",
    ),
    "a misspelt setting of a DAG": (
        lambda: DAG("d", schedul="@daily"),  # type: ignore[call-arg]  # likewise
        "DAG('d') takes no argument 'schedul'; did you mean 'schedule'?",
    ),
    "what Airflow's DAGs take": (
        lambda: DAG("d", schedule_interval="@daily"),  # type: ignore[call-arg]  # likewise
        "DAG('d') takes no argument 'schedule_interval': it is called schedule",
    ),
    "a misspelt default": (
        lambda: DAG("d", default_args={"retires": 2}),
        "default_args of DAG('d') takes no argument 'retires'; did you mean 'retries'?",
    ),
    "a default that Airflow knows": (
        lambda: DAG("d", default_args={"email_on_failure": False}),
        "takes no argument 'email_on_failure': raise alerts from a task with trigger_rule=",
    ),
    "one thing under two names": (
        lambda: Empty("a", dag=DAG("d"), retry_delay=1, retry_delay_seconds=2),
        "Empty('a'): retry_delay_seconds and retry_delay are two names for one thing: keep one",
    ),
    "no schedule": (
        lambda: DAG("d", schedule=3.5).document(),  # type: ignore[arg-type]  # likewise
        "DAG('d'): schedule cannot be 3.5: give a cron expression, a preset like '@daily'",
    ),
    "a task that does not exist": (
        lambda: DagBuilder("d").add_task("extract").depends_on("extrakt").build().document(),
        "The DAG 'd' has no task 'extrakt'; did you mean 'extract'?",
    ),
    "a type that does not exist": (
        lambda: DagBuilder("d").add_task("a", type="bsh"),
        "add_task('a'): type 'bsh' is no type of task; did you mean 'bash'?",
    ),
    "a dependency of nothing": (
        lambda: DagBuilder("d").depends_on("a"),
        "DagBuilder: depends_on belongs to a task: call add_task first",
    ),
    "a function that is to be in a DAG by argument": (
        lambda: task(dag=DAG("d"))(len),  # type: ignore[call-overload]  # likewise
        "len(): dag is not for functions: call it within `with dag:` or `with group:`",
    ),
    "a dependency on what is no task": (
        lambda: Empty("a", depends_on=3, dag=DAG("d")),
        "3 cannot come before or after a task: dependencies are between tasks",
    ),
    "a group as a value": (
        lambda: (
            Python("a", callable=len, args=[TaskGroup("g", dag=d)], dag=d).dag.document()
            if (d := DAG("d"))
            else None
        ),
        "the task 'a': args[0] is a task group, which returns nothing",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_explains_itself(name: str) -> None:
    make, said = MISTAKES[name]
    with pytest.raises(SkytrailError) as caught:
        make()
    assert said in str(caught.value)


def test_problems_of_the_definition_name_the_task_and_all_of_them_are_said() -> None:
    with DAG("d", max_active_runs=0) as dag:
        Empty("a")
        with TaskGroup("load"):
            Bash("orders", command="echo {{ params.x }}", retries=-1)
    with pytest.raises(BadDag) as caught:
        dag.spec()
    assert [problem.path for problem in caught.value.problems] == [
        "max_active_runs",
        'tasks["load.orders"].command',
        'tasks["load.orders"].retries',
    ]
    assert str(caught.value).startswith("The DAG 'd' has problems: max_active_runs: use 1 or more")


def test_a_message_is_no_endless_list() -> None:
    with DAG("d") as dag:
        for name in "abcdefgh":
            Empty(name, retries=-1)
    with pytest.raises(BadDag, match=r"tasks\.e\.retries: use 0 or more; and 3 more$") as caught:
        dag.spec()
    assert len(caught.value.problems) == 8


def test_problems_that_speak_of_other_tasks_name_them_too() -> None:
    with DAG("d") as dag:
        Empty("first", depends_on="nobody")
    with pytest.raises(SkytrailError, match="The DAG 'd' has no task 'nobody'; add it"):
        dag.spec()


def test_a_decorator_that_there_is_not() -> None:
    with pytest.raises(AttributeError, match=r"there is no @task\.bsh; did you mean 'bash'\?"):
        task.bsh  # type: ignore[attr-defined]  # noqa: B018
    assert not hasattr(task, "docker")
