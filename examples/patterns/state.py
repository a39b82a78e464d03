"""A cursor: each run goes on where the last one has stopped."""

from __future__ import annotations

from skytrail.sdk import dag, state, task

_ORDERS = [{"id": number, "shop": "north"} for number in range(1, 8)]


@task
def fetch(at_most: int) -> list[dict[str, object]]:
    since = state.task.get("cursor", default=0)
    found = [order for order in _ORDERS if int(str(order["id"])) > since][:at_most]
    if found:
        # It counts at once, also if the task fails after it: write it when the work is done.
        state.task.set("cursor", found[-1]["id"])
    return found


@task
def load(orders: list[dict[str, object]]) -> int:
    return len(orders)


@dag(
    description="New orders are loaded, those that came since the last run.",
    owner="examples",
    tags=["example", "pattern"],
    params={"at_most": 3},
)
def pattern_state() -> None:
    load(fetch("{{ params.at_most }}"))  # type: ignore[arg-type]


pattern_state()
