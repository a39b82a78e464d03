"""One DAG makes data new, another starts when it has."""

from __future__ import annotations

from skytrail.sdk import DAG, Asset, Bash

ORDERS = Asset("orders")

with DAG(
    "pattern_assets_shop",
    description="Loads orders, and says so.",
    owner="examples",
    tags=["example", "pattern"],
):
    Bash("load", command="echo loaded", outlets=[ORDERS])

with DAG(
    "pattern_assets_report",
    description="Is built whenever there are new orders and new rates.",
    owner="examples",
    tags=["example", "pattern"],
    schedule=ORDERS & Asset("rates"),
    is_paused_upon_creation=True,
):
    Bash("build", command="echo built")
