"""DAGs made from data: one for each table, with names in text, no decorator and no `with`."""

from __future__ import annotations

from skytrail.sdk import DAG, DagBuilder

TABLES = {"orders": "@hourly", "customers": "@daily"}


def extract(table: str) -> dict[str, int]:
    return {"rows": len(table)}


def _copying(table: str, schedule: str) -> DAG:
    return (
        DagBuilder(
            f"pattern_builder_{table}",
            description=f"Copies the table {table}.",
            owner="examples",
            tags=["example", "pattern"],
            schedule=schedule,
            is_paused_upon_creation=True,
        )
        .add_task("extract", extract, kwargs={"table": table}, group="load")
        .add_task(
            "check",
            type="bash",
            command='test "$ROWS" -gt 0',
            env={"ROWS": "{{ outputs['load.extract'].rows }}"},
        )
        .depends_on("load.extract")
        .add_task("done")
        .depends_on("check")
        .build()
    )


for _table, _schedule in TABLES.items():
    _copying(_table, _schedule)
