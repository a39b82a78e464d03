"""The DAGs that the machine runs: small, and each with something that the others have not."""

from __future__ import annotations

from typing import Any

from tests.factories import Graph

#: By name: the graph, and what is to be known beside it.
DAGS: dict[str, tuple[Graph, dict[str, Any]]] = {
    # One message carries all of it.
    "row": ({"a": [], "b": ["a"], "c": ["b"]}, {"tasks": {"b": {"retries": 1}}}),
    "diamond": (
        {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"], "e": ["d"]},
        {"tasks": {"c": {"retries": 1}}},
    ),
    "rules": (
        {"a": [], "b": [], "d": ["a", "b"], "o": ["a", "b"], "f": ["a", "b"], "n": ["d", "o", "f"]},
        {
            "tasks": {
                "d": {"trigger_rule": "all_done"},
                "o": {"trigger_rule": "one_success"},
                "f": {"trigger_rule": "one_failed"},
                "n": {"trigger_rule": "none_failed_min_one_success"},
            }
        },
    ),
    "gated": (
        {"a": [], "p": ["a"], "q": ["a"], "j": ["p", "q"]},
        {"tasks": {"p": {"pool": "db", "retries": 1}, "q": {"pool": "db", "priority": 5}}},
    ),
    "limited": (
        {"a": [], "b": [], "c": ["a"]},
        {"max_active_tasks": 1, "tasks": {"b": {"retries": 1, "pool": "db"}}},
    ),
    "branch": (
        {"s": [], "x": ["s"], "y": ["s"], "j": ["s", "x", "y"], "k": ["x", "y"]},
        {
            "tasks": {
                "s": {"type": "branch", "value": "x", "cases": {"x": ["x"]}},
                "j": {"trigger_rule": "none_failed_min_one_success"},
            }
        },
    ),
    "around": (
        {"make": [], "check": ["make"], "work": ["check"], "drop": ["make", "work"]},
        {
            "tasks": {
                "make": {"setup": True},
                "check": {"type": "short_circuit", "value": "{{ 1 }}"},
                "work": {"pool": "db"},
                "drop": {"teardown": True},
            }
        },
    ),
    "hasty": (
        {"a": [], "b": ["a"], "c": [], "drop": ["a", "c"]},
        {"fail_fast": True, "tasks": {"a": {"retries": 1}, "drop": {"teardown": True}}},
    ),
    "narrow": ({"a": [], "b": ["a"]}, {"max_active_runs": 1}),
    "frail": (
        {"a": [], "b": ["a"]},
        {
            "run_timeout_seconds": 86_400,
            "tasks": {
                "a": {"rerun_on_worker_loss": False, "queued_timeout_seconds": 3_600, "retries": 1},
                "b": {"queued_timeout_seconds": 3_600},
            },
        },
    ),
}

POOLS = {"db": 1}
