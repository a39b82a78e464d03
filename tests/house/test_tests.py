"""Tests wait for a fact, never for a time; and each asserts something."""

from __future__ import annotations

import ast

from tests.house.source import modules

#: Where a sleep is the subject (work that takes long) or the one loop that waits for facts.
_MAY_SLEEP = {
    "tests/waiting.py",
    "tests/acceptance/shop.py",
    "tests/faults/dice.py",
    "tests/workers/chores.py",
}


def _is_sleep(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    function = node.func
    return (isinstance(function, ast.Attribute) and function.attr == "sleep") or (
        isinstance(function, ast.Name) and function.id == "sleep"
    )


def test_no_test_sleeps() -> None:
    sleeping = [
        f"{path}:{node.lineno}"
        for path, tree in modules("tests")
        if path not in _MAY_SLEEP and "/programs/" not in path
        for node in ast.walk(tree)
        if _is_sleep(node) and isinstance(node, ast.Call)
    ]
    assert sleeping == []


def test_every_test_asserts_something() -> None:
    idle = [
        f"{path}:{node.lineno} {node.name}"
        for path, tree in modules("tests")
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and not _asserts(node)
    ]
    assert idle == []


#: Calls that fail by themselves when something is not as it should be.
_ASSERTING = ("wait_", "check_", "assert", "expect", "raises", "refuse", "warns", "fail")


def _asserts(test: ast.AST) -> bool:
    for node in ast.walk(test):
        if isinstance(node, ast.Assert):
            return True
        if isinstance(node, ast.Call):
            function = node.func
            name = getattr(function, "attr", None) or getattr(function, "id", "")
            if str(name).lstrip("_").startswith(_ASSERTING):
                return True
            if any(keyword.arg == "expect" for keyword in node.keywords):
                return True
    return False
