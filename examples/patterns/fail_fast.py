"""The first failure ends the run: what runs is stopped, what waits is skipped."""

from __future__ import annotations

from skytrail.sdk import DAG, Bash, Empty

with DAG(
    "pattern_fail_fast",
    description="One of two tasks fails at once, and nobody waits for the other.",
    owner="examples",
    tags=["example", "pattern"],
    fail_fast=True,
):
    check = Bash("check", command="echo 'the file is damaged' >&2; exit 1")
    convert = Bash("convert", command="sleep 600")
    [check, convert] >> Empty("publish")
