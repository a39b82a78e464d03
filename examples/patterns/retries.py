"""What fails for a while is tried again, with more and more time in between."""

from __future__ import annotations

import os

from skytrail.sdk import Fail, dag, task


@task(
    retries=4,
    retry_delay_seconds=10,
    retry_exponential_backoff=2,  # 10 s, 20 s, 40 s, …
    max_retry_delay_seconds=30,  # … but never longer than this
    timeout_seconds=60,  # of one try: one that hangs is ended, and counts as failed
)
def ask_service(busy_for: int, password: str) -> int:
    if password != "right":  # noqa: S105  # an example's
        # No other try: nothing would be different.
        raise Fail("the service does not know the password")
    attempt = int(os.environ["SKYTRAIL_ATTEMPT"])
    if attempt <= busy_for:
        raise ConnectionError(f"try {attempt}: the service is busy")
    return attempt


@dag(
    description="A service that is busy at first; a wrong password is no reason to try again.",
    owner="examples",
    tags=["example", "pattern"],
    params={"busy_for": 2, "password": "right"},
)
def pattern_retries() -> None:
    ask_service("{{ params.busy_for }}", "{{ params.password }}")  # type: ignore[arg-type]


pattern_retries()
