from __future__ import annotations

from typing import Any

import pytest

from tests.workers.calls import Bench

PICK = "tests.workers.chores.pick"


@pytest.fixture(autouse=True)
def _next_tasks(bench: Bench) -> None:
    bench.about(downstream=["many", "few"])


@pytest.mark.parametrize(
    ("decision", "chosen"),
    [
        ("many", ("many",)),
        (["many", "few"], ("many", "few")),
        ([], ()),
        (None, ()),
    ],
)
def test_a_function_decides(bench: Bench, decision: Any, chosen: tuple[str, ...]) -> None:
    outcome = bench.run("branch", callable=PICK, args=[decision])
    assert outcome.chosen == chosen
    assert outcome.output == decision
    assert "goes on with" in bench.log


@pytest.mark.parametrize("decision", [0, False, 3, {}, "", [1], [None], {"many": True}])
def test_what_is_no_decision_fails_for_good(bench: Bench, decision: Any) -> None:
    outcome = bench.run("branch", callable=PICK, args=[decision])
    assert (outcome.reason, outcome.may_retry) == ("bad_branch", False)


def test_a_task_that_is_not_next_is_named_with_the_closest(bench: Bench) -> None:
    outcome = bench.run("branch", callable=PICK, args=["mnay"])
    assert "did you mean 'many'?" in outcome.message


def test_a_case_decides(bench: Bench) -> None:
    cases = {"good": ["many"], "true": ["few"], "3": []}
    assert bench.run("branch", value="good", cases=cases).chosen == ("many",)
    assert bench.run("branch", value=True, cases=cases).chosen == ("few",)
    assert bench.run("branch", value=3, cases=cases).chosen == ()


def test_without_a_case_the_default_decides(bench: Bench) -> None:
    cases = {"good": ["many"]}
    assert bench.run("branch", value="bad", cases=cases, default=["few"]).chosen == ("few",)
    assert bench.run("branch", value="bad", cases=cases, default=[]).chosen == ()
    outcome = bench.run("branch", value="bad", cases=cases)
    assert "none for 'bad' (there are 'good')" in outcome.message
