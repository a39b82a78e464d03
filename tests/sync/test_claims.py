"""Who has which DAG, as a matter of values."""

from __future__ import annotations

from dags_app.domain.claims import settle


def test_what_no_file_makes_any_more_is_gone() -> None:
    settled = settle(owners={"a": "a.py", "b": "b.py"}, claims={"a.py": ["a"]})
    assert settled.gone == {"b"}


def test_a_file_that_cannot_be_read_keeps_what_it_had() -> None:
    settled = settle(owners={"a": "a.py"}, claims={"a.py": None})
    assert not settled.gone
    assert settled.keeper == {"a": "a.py"}


def test_the_first_file_has_a_new_name_and_the_second_is_told() -> None:
    settled = settle(owners={}, claims={"b.py": ["x"], "a.py": ["x"]})
    assert settled.keeper == {"x": "a.py"}
    assert settled.repeated == {"b.py": {"x": "a.py"}}


def test_who_has_a_name_already_keeps_it() -> None:
    settled = settle(owners={"x": "b.py"}, claims={"b.py": ["x"], "a.py": ["x"]})
    assert settled.repeated == {"a.py": {"x": "b.py"}}


def test_a_dag_moves_with_its_file() -> None:
    settled = settle(owners={"x": "b.py"}, claims={"c.py": ["x"]})
    assert (settled.keeper, settled.gone) == ({"x": "c.py"}, frozenset())
