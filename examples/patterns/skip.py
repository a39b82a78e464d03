"""A task may find out that there is nothing for it to do: that is no failure."""

from __future__ import annotations

from skytrail.sdk import Skip, TriggerRule, chain, dag, task


@task
def read_orders(rows: int) -> list[int]:
    if rows == 0:
        raise Skip("there are no orders today")  # the reason is shown beside the task
    return list(range(rows))


@task
def sum_up(orders: list[int]) -> int:
    return sum(orders)


@task.bash
def tidy_up() -> str:
    # Exit code 99 is Skip for shell commands; skip_on_exit_code= takes another, or None.
    return 'cd "$TMPDIR" && ls *.part 2>/dev/null || exit 99'


@task.bash(trigger_rule=TriggerRule.NONE_FAILED)
def done() -> str:
    return "echo 'the day is over'"


@dag(
    description="A day without orders, and a folder without rubbish: both are skipped.",
    owner="examples",
    tags=["example", "pattern"],
    params={"rows": 0},
)
def pattern_skip() -> None:
    orders = read_orders("{{ params.rows }}")  # type: ignore[arg-type]  # a number in a run
    chain([sum_up(orders), tidy_up()], done())


pattern_skip()
