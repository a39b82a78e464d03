"""What a type checker has nothing against (mypy --strict): the SDK as it is meant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from skytrail.sdk import (
    DAG,
    Asset,
    Bash,
    DagBuilder,
    Empty,
    Http,
    Param,
    PythonSensor,
    Sql,
    TaskGroup,
    TriggerRule,
    chain,
    cross_downstream,
    dag,
    setup,
    task,
    task_group,
    teardown,
)


@dag(
    schedule="@daily",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    tags=["shop"],
    params={"days": Param(7, type="integer", minimum=1)},
    dagrun_timeout=timedelta(hours=2),
    default_args={"retries": 2},
)
def daily(table: str = "orders") -> None:
    @task(retries=3, retry_delay=timedelta(minutes=5))
    def extract(day: str) -> dict[str, list[int]]:
        return {day: [1, 2]}

    @task
    def double(number: int) -> int:
        return number * 2

    @task
    async def total(numbers: list[int]) -> int:
        return sum(numbers)

    @task
    def load(number: int, *, into: str = table) -> None: ...

    @task.branch
    def choose(number: int) -> str:
        return "big" if number > 9 else "small"

    @task.short_circuit(ignore_downstream_trigger_rules=False)
    def is_open() -> bool:
        return True

    @task.sensor(poke_interval=30, timeout=timedelta(hours=1), soft_fail=True)
    def there() -> bool:
        return True

    @task.bash(env={"LC_ALL": "C"})
    def say(number: int) -> str:
        return f"echo {number}"

    @task_group
    def end(number: int) -> None:
        load(number)
        load.override(task_id="again", retries=0)(number)

    rows = extract("{{ ds }}")["today"]
    doubled = double.expand(number=rows)
    summed = total(doubled)
    is_open() >> there() >> choose(summed) >> [Empty("big"), Empty("small")]
    say(summed) >> end(summed)
    double.partial().expand_kwargs([{"number": 1}])
    load(1) << say(2)


made: DAG = daily()
also_made: DAG = daily("customers")


@setup
def create() -> str:
    return "cluster"


@teardown(on_failure_fail_dagrun=True)
def delete(cluster: str) -> None: ...


with DAG("classic", schedule=Asset("orders") & Asset("customers"), catchup=False) as classic:
    fetch = Http("fetch", uri="https://example.org", outlets=[Asset("pages")])
    with TaskGroup("work") as work:
        count = Bash("count", command="wc -l", env={"PAGE": fetch.output["body"]})
        query = Sql("query", conn_id="shop", sql=["select 1"], trigger_rule=TriggerRule.ALL_DONE)
        cross_downstream([fetch], [count, query])
    ready = PythonSensor("ready", callable=len, args=[[1]], poke_interval_seconds=5)
    chain(fetch, ready, work, Empty("end", depends_on=["fetch"]))
    cluster = create()
    with delete(cluster).as_teardown(setups=cluster):
        Empty("between") << fetch

built: DAG = (
    DagBuilder("built", owner="me").add_task("a", len).add_task("b").depends_on("a").build()
)
problems: list[str] = [task.task_id for task in built.tasks]
