"""Passwords and settings by name: no definition holds one, and none is in a log."""

from __future__ import annotations

from skytrail.sdk import DAG, Bash, Http

with DAG(
    "pattern_connections",
    description="Orders are asked for with a login, and sent on with a token.",
    owner="examples",
    tags=["example", "pattern"],
):
    # Host and login are the connection's.
    ask = Http("ask", conn_id="shop", uri="/orders", params={"region": "{{ var.value.region }}"})
    # In a command values arrive as environment variables.
    send = Bash(
        "send",
        command='echo "sending with $TOKEN"',
        env={"TOKEN": "{{ var.value.api_token }}"},
    )
    ask >> send
