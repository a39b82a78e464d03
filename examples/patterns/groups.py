"""Tasks that belong together are shown, and can be named, together."""

from __future__ import annotations

from skytrail.sdk import DAG, Bash, Empty, TaskGroup

with DAG(
    "pattern_groups",
    description="Two tables are loaded and checked, then published.",
    owner="examples",
    tags=["example", "pattern"],
    # Those of a group count more than those of the DAG, and a task's own more than both.
    default_args={"retries": 1, "retry_delay_seconds": 30},
):
    with TaskGroup("load", default_args={"retries": 3}) as load:
        orders = Bash("orders", command="echo orders loaded")
        customers = Bash("customers", command="echo customers loaded")
        with TaskGroup("checks") as checks:  # its ids are load.checks.rows and load.checks.keys
            Bash("rows", command="echo enough rows")
            Bash("keys", command="echo every order has a customer")
        [orders, customers] >> checks
    # An arrow to a group leads to its first tasks, one from it comes from its last.
    Empty("begin") >> load >> Bash("publish", command="echo published")
