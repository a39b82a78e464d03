"""Two lists make a task for each combination of their values."""

from __future__ import annotations

from skytrail.sdk import DAG, Bash, Empty

with DAG(
    "pattern_cross_product",
    description="One task for each city and year, at most two of them at once.",
    owner="examples",
    tags=["example", "pattern"],
    max_active_tasks=2,
):
    measure = Bash(
        "measure",
        # As environment variables, for a value pasted into a command could run as code.
        command='echo "$SKYTRAIL_MAP_CITY in $SKYTRAIL_MAP_YEAR, as number $SKYTRAIL_MAP_INDEX"',
        expand={"city": ["Seattle", "San Francisco"], "year": [2012, 2013, 2014]},
    )
    measure >> Empty("done")
