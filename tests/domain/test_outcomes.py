"""How an execution ended, and what of its result is kept."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runs_app.domain.outcomes import MAX_OUTPUT_BYTES, Outcome, Unkeepable, keepable
from runs_app.domain.states import TaskState

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc"), inner, max_size=3),
)


@given(_json)
def test_json_is_kept_as_it_is(value: Any) -> None:
    assert keepable(value) == value


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (datetime(2026, 1, 31, 9, tzinfo=UTC), "2026-01-31T09:00:00+00:00"),
        (date(2026, 1, 31), "2026-01-31"),
        (time(9, 30), "09:30:00"),
        (timedelta(minutes=1.5), 90.0),
        (Decimal("1.10"), "1.10"),
        (UUID(int=5), "00000000-0000-0000-0000-000000000005"),
        (PurePosixPath("/srv/x"), "/srv/x"),
        ((1, (2, 3)), [1, [2, 3]]),
        ({1: "a"}, {"1": "a"}),
        (TaskState.SUCCESS, "success"),
        ("日報 🚀", "日報 🚀"),
    ],
)
def test_common_python_values_are_kept_as_json(value: Any, kept: Any) -> None:
    assert keepable({"x": [value]}) == {"x": [kept]}


class _Odd:
    pass


def _loop() -> list[Any]:
    loop: list[Any] = []
    loop.append(loop)
    return loop


def _deep() -> list[Any]:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    return deep


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (_Odd(), "a _Odd is not JSON"),
        ({1, 2}, "a set is not JSON"),
        (b"x", "a bytes is not JSON"),
        ({(1, 2): 3}, "return plain values"),
        (float("nan"), "return plain values"),
        (float("inf"), "return plain values"),
        (_loop(), "return plain values"),
        (_deep(), "return plain values"),
        ("a\x00b", "NUL or broken Unicode"),
        ({"a\x00": 1}, "NUL or broken Unicode"),
        ("\ud83d", "NUL or broken Unicode"),
        ("x" * MAX_OUTPUT_BYTES, "Write it to a file and return"),
        pytest.param(10**5000, "return plain values", id="a long number"),
    ],
)
def test_what_cannot_be_kept_says_why_and_what_to_do(value: Any, words: str) -> None:
    with pytest.raises(Unkeepable, match=words):
        keepable(value)


def test_as_much_is_kept_as_promised() -> None:
    fits = "x" * (MAX_OUTPUT_BYTES - 2)
    assert keepable(fits) == fits
    with pytest.raises(Unkeepable, match="16,777,217 bytes"):
        keepable(fits + "x")


def test_nothing_is_kept_of_nothing() -> None:
    assert keepable(None) is None


def test_an_outcome_is_one_value() -> None:
    assert Outcome.success([1]).output == [1]
    assert Outcome.success(chosen=("a",)).chosen == ("a",)
    skipped = Outcome.skipped("nothing new", exit_code=99)
    assert (skipped.state, skipped.reason, skipped.exit_code) == (TaskState.SKIPPED, "skipped", 99)
    failed = Outcome.failed("no such host", reason="unreachable", may_retry=False)
    assert (failed.state, failed.may_retry, failed.output) == (TaskState.FAILED, False, None)
    assert json.dumps(failed.state) == '"failed"'


@pytest.mark.parametrize("bad", ["a\x00b", "\ud83d", {"a\x00": 1}])
def test_also_in_large_values_nothing_unstorable_is_kept(bad: Any) -> None:
    large = ["x" * 70_000, "\\u0000", "🙂"]
    assert keepable(large) == large
    with pytest.raises(Unkeepable, match="NUL or broken Unicode"):
        keepable([*large, bad])


def test_what_is_nested_too_deeply_says_so() -> None:
    deep: Any = 1
    for _ in range(150):
        deep = [deep]
    with pytest.raises(Unkeepable, match="nested too deeply"):
        keepable(deep)
