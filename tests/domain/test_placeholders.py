"""Places for values in SQL, and what a definition may say about them."""

from __future__ import annotations

from typing import Any

import pytest

from dags_app.domain.parse import parse
from dags_app.domain.placeholders import BadPlaceholder, check, translate
from skytrail.errors import Invalid


def test_names_are_found() -> None:
    assert check("SELECT %(a)s, %(b)s, %(a)s, '%%'", {"a": 1, "b": 2}) == {"a", "b"}


def test_without_values_nothing_is_looked_at() -> None:
    assert check("SELECT 'a%' LIKE '%b'", {}) == set()


@pytest.mark.parametrize(
    ("statement", "bound", "words"),
    [
        ("SELECT %(a)s", {"b": 1}, "no value for %\\(a\\)s"),
        ("SELECT %s", {"b": 1}, "instead of %s"),
        ("SELECT %(a)s", [1], "write %s"),
        ("SELECT %s", [1, 2], "1 of %s for 2"),
        ("SELECT %(a)s LIKE 'x%'", {"a": 1}, "%% for a per cent sign"),
    ],
)
def test_what_does_not_meet_is_refused(statement: str, bound: Any, words: str) -> None:
    with pytest.raises(BadPlaceholder, match=words):
        check(statement, bound)


def test_places_are_written_as_a_driver_wants_them() -> None:
    def place(name: str | None, number: int) -> str:
        return f":{name or number}"

    assert translate("%(a)s %s %%", place=place, doubled=False) == ":a :2 %"
    assert translate("%%", place=place, doubled=True) == "%%"


def _problem(**fields: Any) -> Any:
    task = {"id": "load", "type": "sql", "conn_id": "dwh", **fields}
    with pytest.raises(Invalid) as refused:
        parse({"name": "story", "tasks": [task]})
    (problem,) = refused.value.problems
    return problem


def test_a_value_pasted_into_sql_is_refused_with_the_safe_form() -> None:
    problem = _problem(sql="DELETE FROM orders WHERE day = '{{ ds }}'")
    assert (problem.path, problem.code) == ("tasks[0].sql", "pasted_value")
    assert '"parameters": {"value": "{{ ds }}"} and %(value)s' in problem.message


def test_in_a_list_of_statements_it_is_refused_too() -> None:
    problem = _problem(sql=["SELECT 1", "SELECT {{ params.n }}"])
    assert (problem.path, problem.code) == ("tasks[0].sql", "pasted_value")


def test_a_value_that_no_statement_takes_is_refused() -> None:
    problem = _problem(sql="SELECT %(a)s", parameters={"a": 1, "b": 2})
    assert "value b" in problem.message


def test_braces_of_sqls_own_are_left_alone() -> None:
    text = "SELECT '{{1,2},{3,4}}'::int[], '{%}' AS x"
    task = {"id": "load", "type": "sql", "conn_id": "dwh", "sql": text}
    (found,) = parse({"name": "story", "tasks": [task]}).tasks
    assert found.sql == text  # type: ignore[union-attr]  # it is an sql task
