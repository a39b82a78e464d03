"""Definitions for tests: the shortest ones, and any at all."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

#: The document that every guide begins with.
DAILY_REPORT = {
    "name": "daily_report",
    "cron": "0 9 * * *",
    "tasks": [
        {"id": "fetch_data", "type": "http", "uri": "https://…"},
        {"id": "transform", "depends_on": ["fetch_data"]},
        {"id": "send_report", "depends_on": ["transform"]},
    ],
}


def dag(*tasks: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A definition with these tasks, or with one that does nothing."""
    return {"name": "d", "tasks": list(tasks) or [{"id": "a"}], **fields}


def with_task(**fields: Any) -> dict[str, Any]:
    """A definition with one task."""
    return dag({"id": "a", **fields})


def bash(**fields: Any) -> dict[str, Any]:
    """A definition with one shell command."""
    return with_task(type="bash", **{"command": "true", **fields})


# ---------------------------------------------------------------- any definition that is fine

_names = st.from_regex(r"[A-Za-z0-9_-]{1,6}", fullmatch=True)
_words = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00{"), min_size=1, max_size=8
)
_seconds = st.sampled_from([0.5, 1, 1.0, 60, 300, 86_400])
_whole = st.integers(0, 20)
_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | _words,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_names, inner, max_size=2),
    max_leaves=4,
)

_types = st.one_of(
    st.just({}),
    st.just({"type": "empty"}),
    st.fixed_dictionaries(
        {"type": st.just("bash"), "command": _words},
        optional={
            "env": st.dictionaries(st.sampled_from(["A", "B_2"]), _whole | _words, max_size=2),
            "cwd": st.just("/srv"),
            "skip_on_exit_code": st.sampled_from([None, 99, 3]),
        },
    ),
    st.fixed_dictionaries(
        {"type": st.just("python"), "callable": st.sampled_from(["a.b", "a.b:c"])},
        optional={"args": st.lists(_values, max_size=2), "kwargs": st.just({"x": [1]})},
    ),
    st.fixed_dictionaries({"type": st.just("celery"), "task": _words}),
    st.fixed_dictionaries(
        {"type": st.just("http"), "uri": st.just("https://example.org")},
        optional={
            "method": st.sampled_from(["GET", "POST"]),
            "json": _values,
            "headers": st.just({"Accept": "*/*"}),
            "expected_status": st.sampled_from([[200], ["200-299"], [404, "200-299", 200.0]]),
        },
    ),
)

_settings = st.fixed_dictionaries(
    {},
    optional={
        "description": _words,
        "trigger_rule": st.sampled_from(["all_success", "one_failed", "always"]),
        "retries": _whole,
        "retry_delay_seconds": _seconds,
        "retry_exponential_backoff": st.sampled_from([0, 0.0, -0.0, 1, 2, 2.0]),
        "max_retry_delay_seconds": _seconds,
        "timeout_seconds": st.none() | _seconds,
        "queued_timeout_seconds": st.none() | _seconds,
        "memory_limit_mb": st.none() | st.integers(16, 1024),
        "priority": _whole,
        "queue": _names,
        "pool": st.none() | _names,
        "pool_slots": st.integers(1, 3),
        "rerun_on_worker_loss": st.booleans(),
    },
)

_fields = st.fixed_dictionaries(
    {"name": _names},
    optional={
        "format": st.sampled_from([1, 1.0]),
        "description": _words,
        "owner": _words,
        "tags": st.lists(_words, max_size=3),
        "schedule": st.sampled_from(
            [
                None,
                "0 9 * * *",
                "@daily",
                "@none",
                {"cron": "*/5 * * * MON"},
                {"interval_seconds": 60},
                ["0 9 * * *", "0 17 * * MON-FRI"],
                {"cron": ["@daily"], "except": {"holidays": "de-by", "dates": ["2026-12-24"]}},
                {"interval_seconds": 60, "except": {"weekdays": ["SUN", "SAT"]}},
                "@once",
                {"events": ["2026-01-31", "2026-02-28T09:00+01:00"]},
                {"assets": ["orders", "customers"]},
                {"any_asset": ["orders"]},
            ]
        ),
        "timezone": st.sampled_from(["UTC", "Europe/Berlin"]),
        "start_date": st.sampled_from([None, "2026-01-31", "2026-01-31T09:00:00+01:00"]),
        "end_date": st.sampled_from([None, "2027-01-31", "2027-01-31 09:00Z"]),
        "catchup": st.booleans(),
        "catchup_window_seconds": st.none() | st.integers(1, 86_400),
        "overlap_policy": st.sampled_from(["allow", "skip", "buffer_one"]),
        "max_active_runs": st.integers(1, 20),
        "max_active_tasks": st.none() | st.integers(1, 20),
        "run_timeout_seconds": st.none() | _seconds,
        "params": st.dictionaries(
            _names, st.sampled_from([1, "x", {"default": 1}, {"type": "string", "default": "y"}])
        ),
        "paused": st.none() | st.booleans(),
    },
)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Definitions that nothing is wrong with."""
    names = draw(st.lists(_names, min_size=1, max_size=5, unique=True))
    tasks = []
    for index, name in enumerate(names):
        task = {"id": name, **draw(_types), **draw(_settings)}
        if index and draw(st.booleans()):
            task["depends_on"] = draw(st.lists(st.sampled_from(names[:index]), max_size=4))
        tasks.append(task)
    return {**draw(_fields), "tasks": draw(st.permutations(tasks))}
