from __future__ import annotations

import dataclasses
from typing import Any

import psutil
import pytest

from dags_app.domain.commands import PythonCommand, TaskType
from tests.workers.calls import EXECUTION
from workers.rendering import CannotRender, render

OUTPUTS = {
    "fetch": {"rows": 3, "items": ["a", "b"], "name": "é'\"", "values": {"get": 1}, "none": None},
    "items": [1, 2],
}


def fill_in(template: Any, **conf: Any) -> Any:
    """The value of an argument that is a template."""
    command = PythonCommand.model_construct(
        type=TaskType.PYTHON, callable="a.b", args=[template], kwargs={}
    )
    execution = dataclasses.replace(EXECUTION, conf=conf)
    return render(
        command, execution, lambda ids: {k: v for k, v in OUTPUTS.items() if k in ids}
    ).args[0]


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("plain", "plain"),
        ("{{ outputs.fetch.rows }}", 3),
        (" {{ outputs.fetch }} ", OUTPUTS["fetch"]),
        ("{{ outputs.fetch.none }}", None),
        ("{{ outputs.fetch.rows }} rows", "3 rows"),
        ("{{ outputs.fetch['rows'] + 1 }}", 4),
        ("{{ -outputs.fetch.rows }}", -3),
        ("{{ -5 }}", -5),
        ("{{- outputs.fetch.rows -}}", 3),
        ("{{ outputs.fetch.rows }}{{ outputs.fetch.rows }}", "33"),
        ("{{ outputs.fetch.name }}", "é'\""),
        # Entries come before methods of the same name.
        ("{{ outputs.fetch.items }}", ["a", "b"]),
        ("{{ outputs.fetch.values.get }}", 1),
        ("{{ outputs.items }}", [1, 2]),
        ("{{ params.shop | upper }}", "BOOKS"),
        ("{{ params.items() | list }}", [["shop", "books"]]),
        ("{{ outputs.fetch.items | map('upper') }}", ["A", "B"]),
        ("{{ range(3) }}", [0, 1, 2]),
        ("{{ outputs.fetch | tojson }}", None),
        ("{% if params.shop %}yes{% endif %}", "yes"),
        ("{{ dag_id }}/{{ run_id }}/{{ task_id }}/{{ try_number }}", "story/manual__1/work/1"),
        ({"a": ["{{ outputs.fetch.rows }}"]}, {"a": [3]}),
    ],
)
def test_templates(template: Any, value: Any) -> None:
    if template == "{{ outputs.fetch | tojson }}":
        assert '"rows": 3' in fill_in(template)
    else:
        assert fill_in(template, shop="books") == value


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{{ outputs.nothing.rows }}", "the task 'nothing' has left no output"),
        ("{{ outputs.fetch.rwos }}", "there is no 'rwos' in it, only: rows, items"),
        ("{{ [outputs.fetch.rwos] }}", "there is no 'rwos' in it"),
        ("{{ params.shop }}", "no 'shop': it is empty"),
        ("{{ oops }}", "'oops' is undefined"),
        ("{{ ds }}", "this run has no logical date"),
        ("{{ data_interval_end.year }}", "trigger it with a logical date"),
        ("{{ outputs.fetch.rows.bit_length }}", "a pair of brackets missing?"),
        ("{{ 1 / 0 }}", "division by zero"),
        ("{{ 'a' + 1 }}", "can only concatenate"),
        ("{{ outputs.fetch.rows", "cannot be filled in"),
        ("{{ 1e308 * 10 }}", "Out of range"),
    ],
)
def test_what_cannot_be_filled_in_is_explained(template: str, words: str) -> None:
    with pytest.raises(CannotRender) as caught:
        fill_in(template)
    assert str(caught.value).startswith("args")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__ }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ outputs.__class__ }}",
        "{{ outputs['__class__'] }}",
        "{{ ''|attr('__class__') }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ lipsum.__globals__ }}",
        "{{ '{0.__class__}'.format(1) }}",
        "{{ '{a.__class__}'.format_map({'a': 1}) }}",
        "{{ (outputs.fetch.values.keys)().__class__ }}",
        "{{ outputs.fetch.update({'rows': 4}) }}",
        "{{ outputs.fetch.items.append(1) }}",
        "{% include '/etc/passwd' %}",
        "{% import 'os' as os %}{{ os }}",
        "{{ self.__init__ }}",
    ],
)
def test_there_is_no_way_out(template: str) -> None:
    with pytest.raises(CannotRender):
        fill_in(template)


@pytest.mark.parametrize(
    "template",
    [
        "{{ 'a' * 10**9 }}",
        "{{ ('a' * 1000000) * 1000000 }}",
        "{{ [0] * 10**9 }}",
        "{{ 9**9**9**9 }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ 'a'.center(10**9) }}",
        "{{ '{:>1000000000}'.format(1) }}",
        "{{ 'aaaa'.replace('a', 'b' * 10**8) }}",
        "{{ 'a' * 20000000 }}",
        "x{{ 'a' * 2000000 }}",
        "{{ range(10**9) }}",
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        "{% macro f(n) %}{% if n %}{{ f(n-1) }}{{ f(n-1) }}{% endif %}{% endmacro %}{{ f(60) }}",
        "{% set n = namespace(x=9**64) %}{% for i in '12345' %}{% set n.x = n.x*n.x %}{% endfor %}",
        "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}",
    ],
)
def test_nothing_takes_for_ever_or_all_memory(template: str) -> None:
    with pytest.raises(CannotRender):
        fill_in(template)
    assert psutil.Process().memory_info().rss < 1_000_000_000


def test_after_a_template_that_was_too_much_the_process_is_as_before() -> None:
    import resource
    import signal

    before = resource.getrlimit(resource.RLIMIT_AS), signal.getsignal(signal.SIGVTALRM)
    with pytest.raises(CannotRender):
        fill_in("{{ 'a' * 10**9 }}")
    assert (resource.getrlimit(resource.RLIMIT_AS), signal.getsignal(signal.SIGVTALRM)) == before
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)
