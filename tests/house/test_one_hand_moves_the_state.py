"""Only `runs_app/actions/transitions.py` writes the state of runs and task runs."""

from __future__ import annotations

import ast
import re

from tests.house.source import PACKAGES, modules, texts

#: An UPDATE whose SET list has `state`, up to the next clause.
_WRITES_STATE = re.compile(
    r"UPDATE\s+skytrail_(task|dag)_run\b.*?\bSET\b(?:(?!\bWHERE\b|\bFROM\b).)*?(?<![\w.])state\s*=",
    re.DOTALL | re.IGNORECASE,
)
_THE_HAND = "runs_app/actions/transitions.py"
_RUNS = {"TaskRun", "DagRun"}


def test_no_other_statement_updates_state() -> None:
    elsewhere = [
        f"{path}:{line}"
        for path, tree in modules(*PACKAGES)
        if path != _THE_HAND
        for line, text in texts(tree)
        if _WRITES_STATE.search(text)
    ]
    assert elsewhere == []


def test_the_pattern_knows_such_a_statement() -> None:
    assert _WRITES_STATE.search("UPDATE skytrail_task_run t SET worker = 'a', state = 'failed'")
    assert not _WRITES_STATE.search("UPDATE skytrail_task_run SET a = 1 WHERE state = 'queued'")


def test_no_model_is_saved_with_another_state() -> None:
    elsewhere = [
        f"{path}:{node.lineno}"
        for path, tree in modules(*PACKAGES)
        for node in ast.walk(tree)
        if (isinstance(node, ast.Assign) and any(_is_state_of_a_run(t) for t in node.targets))
        or (isinstance(node, ast.Call) and _updates_state(node))
    ]
    assert elsewhere == []


def _is_state_of_a_run(target: ast.expr) -> bool:
    return (
        isinstance(target, ast.Attribute)
        and target.attr == "state"
        and isinstance(target.value, ast.Name)
        and target.value.id in {"run", "task_run", "dag_run"}
    )


def _updates_state(call: ast.Call) -> bool:
    is_update = isinstance(call.func, ast.Attribute) and call.func.attr == "update"
    return is_update and any(keyword.arg == "state" for keyword in call.keywords)
