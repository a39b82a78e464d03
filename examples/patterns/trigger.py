"""One DAG starts another: with a conf, and waits for its end or does not."""

from __future__ import annotations

from skytrail.sdk import DAG, Bash, TriggerDag

with DAG(
    "pattern_trigger",
    description="When orders are loaded the report is built for them, and the index anew.",
    owner="examples",
    tags=["example", "pattern"],
):
    load = Bash("load", command="echo region=north > $SKYTRAIL_OUTPUT")
    # A worker that is lost in the middle of it triggers no second run; a retry triggers another.
    report = TriggerDag(
        "report",
        dag_id="report",
        conf={"region": "{{ outputs.load.region }}"},
        wait_for_completion=True,
    )
    index = TriggerDag("index", dag_id="search_index")
    tell = Bash("tell", command="echo the report is there")
    load >> [report, index]
    report >> tell
