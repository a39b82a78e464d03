"""Settings that all tasks share are written once, and changed where they differ."""

from __future__ import annotations

from datetime import timedelta

from skytrail.sdk import chain, dag, task


@task
def fetch(city: str) -> str:
    print(f"fetching {city}")
    return city


@task(retries=0)  # its own setting counts more than a default
def book() -> None:
    print("booked; not twice")


@dag(
    description="Two cities are fetched with the same settings, a third with more patience.",
    owner="examples",
    tags=["example", "pattern"],
    default_args={
        "retries": 2,
        "retry_delay": timedelta(minutes=1),
        "execution_timeout": timedelta(minutes=5),
    },
)
def pattern_defaults() -> None:
    # A function that is called again makes fetch__1; `override` gives a name and other settings.
    patient = fetch.override(task_id="fetch_far_away", execution_timeout=timedelta(hours=1))
    chain([fetch("Seattle"), fetch("San Francisco"), patient("Nuuk")], book())


pattern_defaults()
