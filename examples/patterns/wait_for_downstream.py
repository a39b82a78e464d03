"""A day begins when the day before is done with what it works on."""

from __future__ import annotations

from skytrail.sdk import DAG, Bash

with DAG(
    "pattern_wait_for_downstream",
    description="A table is only overwritten when yesterday's export of it has gone well.",
    owner="examples",
    tags=["example", "pattern"],
    schedule="@daily",
    start_date="2026-01-01",
    is_paused_upon_creation=True,
):
    # Waits for its own success of the day before, and for the export's, which comes right after it.
    fill = Bash("fill", command="echo filled", wait_for_downstream=True)
    export = Bash("export", command="echo exported")
    fill >> export
