"""One of several ways, and a task after them that runs whichever was taken."""

from __future__ import annotations

from skytrail.sdk import DAG, Bash, Branch, Empty, Param, TriggerRule

with DAG(
    "pattern_branch",
    description="A large delivery is loaded in parts, a small one at once; both are reported.",
    owner="examples",
    tags=["example", "pattern"],
    params={"rows": Param(40, type="integer", minimum=0)},
):
    # A decision over a value needs no code; one that does is a function with @task.branch, which
    # returns the id of the next task, or several.
    size = Branch(
        "size",
        value="{{ 'none' if params.rows == 0 else 'large' if params.rows > 1000 else 'small' }}",
        cases={"none": ["report"], "small": ["at_once"], "large": ["in_parts", "warn"]},
    )
    at_once = Bash("at_once", command='echo "$SKYTRAIL_PARAM_ROWS rows at once"')
    in_parts = Bash(
        "in_parts", command='echo "$(((SKYTRAIL_PARAM_ROWS + 999) / 1000)) parts of 1000 rows"'
    )
    warn = Empty("warn")
    # With the usual rule the join would be skipped too: one of the ways before it always is.
    report = Bash(
        "report",
        command='echo "$SKYTRAIL_PARAM_ROWS rows are there"',
        trigger_rule=TriggerRule.NONE_FAILED,
    )
    size >> [at_once, in_parts, warn, report]
    [at_once, in_parts] >> report
