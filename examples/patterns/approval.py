"""A person decides: the run waits for an answer, by REST, command line or admin."""

from __future__ import annotations

from datetime import timedelta

from skytrail.sdk import DAG, Approval, Bash, Param

with DAG(
    "pattern_approval",
    description="A price list is published when somebody has looked at it.",
    owner="examples",
    tags=["example", "pattern"],
    params={"changed": Param(12, type="integer")},
):
    draft = Bash("draft", command='echo "$SKYTRAIL_PARAM_CHANGED prices have changed"')
    # Who answers, when and with which words is kept. Nobody within two days: it fails.
    release = Approval(
        "release",
        subject="Publish {{ params.changed }} new prices?",
        body="The draft is at https://shop.example.org/draft.",
        wait_timeout_seconds=timedelta(days=2),
    )
    publish = Bash("publish", command="echo published")
    draft >> release >> publish
