"""Nothing to do: all that follows is skipped, and the run is a success."""

from __future__ import annotations

from skytrail.sdk import DAG, Bash, Param, ShortCircuit, TriggerRule

with DAG(
    "pattern_short_circuit",
    description="Goes on only if there is something new.",
    owner="examples",
    tags=["example", "pattern"],
    params={"rows": Param(0, type="integer", minimum=0)},
):
    # A function that decides is one with @task.short_circuit.
    is_there_anything_new = ShortCircuit("is_there_anything_new", value="{{ params.rows > 0 }}")
    load = Bash("load", command='echo "loading $SKYTRAIL_PARAM_ROWS rows"')
    # A short circuit is stronger than this rule; with ignore_downstream_trigger_rules=False it
    # would skip only what comes directly after it, and the rules would decide about the rest.
    tell = Bash("tell", command="echo told", trigger_rule=TriggerRule.ALL_DONE)
    is_there_anything_new >> load >> tell
