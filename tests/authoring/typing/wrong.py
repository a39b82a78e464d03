"""What a type checker is to find: each line that is wrong names what is said about it."""

from __future__ import annotations

from skytrail.sdk import DAG, Bash, DagBuilder, Param, dag, task

DAG("d", schedul="@daily")  # E: [call-arg]
DAG("d", catchup="yes")  # E: [arg-type]
DAG("d", schedule=3.5)  # E: [arg-type]
DAG(7)  # E: [arg-type]
Bash("b")  # E: [call-arg]
Bash("b", comand="true")  # E: [call-arg]
Bash("b", command=["true"])  # E: [arg-type]
Bash("b", command="true", retries="two")  # E: [arg-type]
Param(7, 8)  # E: [call-arg]
DagBuilder("d", tag=["x"])  # E: [call-arg]


@task(retry=2)  # E: [call-overload] [untyped-decorator]
def misspelt() -> None: ...


@task
def numbers() -> list[int]:
    return [1]


@task
def text(value: str) -> None: ...


@task
def one(value: int) -> int:
    return value


@dag
def daily(table: str) -> None:
    text(numbers())  # E: [arg-type]
    text(one.expand(value=numbers()))  # E: [arg-type]
    text()  # E: [call-arg]
    text(vaule="x")  # E: [call-arg]
    text.override(retries="two")  # E: [arg-type]
    numbers()["x"]  # E: [call-overload]


daily()  # E: [call-arg]
daily(3)  # E: [arg-type]
