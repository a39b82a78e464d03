"""What makes sense only now is left out when the past is made up for."""

from __future__ import annotations

from skytrail.sdk import DAG, Bash, LatestOnly

with DAG(
    "pattern_latest_only",
    description="Each day's figures are stored; only today's are sent to people.",
    owner="examples",
    tags=["example", "pattern"],
    schedule="@daily",
    start_date="2026-01-01",
    catchup=True,
    is_paused_upon_creation=True,
):
    store = Bash("store", command='echo "the figures of $SKYTRAIL_LOGICAL_DATE"')
    # Nobody wants thirty mails after a backfill of a month.
    only_today = LatestOnly("only_today")
    mail = Bash("mail", command="echo sent")
    store >> only_today >> mail
