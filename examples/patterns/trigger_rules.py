"""What to do when something has failed: one task tells people, one always tidies up."""

from __future__ import annotations

from skytrail.sdk import DAG, Bash, Param, TriggerRule

with DAG(
    "pattern_trigger_rules",
    description="Two imports; a failure is told at once, and the folder is emptied in any case.",
    owner="examples",
    tags=["example", "pattern"],
    params={"broken": Param(default=True, type="boolean")},
):
    orders = Bash("orders", command="echo imported")
    rates = Bash(
        "rates",
        command='if [ "$SKYTRAIL_PARAM_BROKEN" = true ]; then echo "no rates" >&2; exit 1; fi',
    )
    publish = Bash("publish", command="echo published")
    # It does not wait for the other import: one failure is enough. Without one it is skipped.
    alert = Bash("alert", command="echo an import has failed", trigger_rule=TriggerRule.ONE_FAILED)
    # It waits for the end of all, whatever that is.
    empty_folder = Bash("empty_folder", command="echo emptied", trigger_rule=TriggerRule.ALL_DONE)
    [orders, rates] >> publish >> empty_folder
    [orders, rates] >> alert
