"""Which outputs and parameters a template refers to, found without filling it in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dags_app.domain import templates
from dags_app.domain.templates import BadTemplate, references, texts_in


@pytest.mark.parametrize(
    ("text", "outputs", "params"),
    [
        ("plain", "", ""),
        ("{ outputs.a }", "", ""),
        ("{{ outputs.a }}", "a", ""),
        ("{{outputs.a.rows.first}} and {{ params.b }}", "a", "b"),
        ("{{ outputs['a-b'].rows }}", "a-b", ""),
        ('{{ params["x y"] }}', "", "x y"),
        ("{{ outputs.get('a', 0) }}", "a", ""),
        ("{{ outputs.get }}", "get", ""),
        ("{{ outputs.items() }}", "", ""),
        ("{% for k in params.keys() %}{{ k }}{% endfor %}", "", ""),
        ("{% if outputs.a %}{{ outputs.b }}{% endif %}", "a b", ""),
        ("{{ outputs.a + params.b | length }}", "a", "b"),
        ("{{ outputs[params.which] }}", "", "which"),
        ("{{ ds }} {{ run_id }}", "", ""),
        ("{# {{ outputs.a }} #}", "", ""),
        ("{% raw %}{{ outputs.a }}{% endraw %}", "", ""),
        ("{{ other.outputs.a }}", "", ""),
        ("{{ outputs.a }}{% set x = 1 %}", "a", ""),
        ("{{ 'outputs.a' }}", "", ""),
        ("{{\n  outputs.a\n}}", "a", ""),
        ("{{- outputs.a -}}", "a", ""),
        ("{{ outputs.ä }}", "ä", ""),
    ],
)
def test_names_after_outputs_and_params_are_found(text: str, outputs: str, params: str) -> None:
    found = references(text)
    assert found.outputs == frozenset(outputs.split())
    assert found.params == ({params} if params else set())


@pytest.mark.parametrize(
    "text", ["{{", "{{ }}", "{{ 1 + }}", "{% if %}", "{% endfor %}", "{{ a b }}", "{{ {{ a }} }}"]
)
def test_what_is_no_expression_is_refused(text: str) -> None:
    with pytest.raises(BadTemplate):
        references(text)


def test_filters_of_ours_are_known_and_others_are_refused_by_name() -> None:
    for name in templates.FILTERS:
        assert templates.unknown_names(f"{{{{ logical_date | {name} }}}}") == set()
    with pytest.raises(BadTemplate, match="there is no filter 'dss'; did you mean 'ds'"):
        references("{{ logical_date | dss }}")
    with pytest.raises(BadTemplate, match="there is no test 'defned'; did you mean 'defined'"):
        references("{{ params.day is defned }}")


def test_what_parses_and_yet_cannot_be_is_refused() -> None:
    with pytest.raises(BadTemplate, match="'a' defined twice"):
        templates.unknown_names("{% block a %}{% endblock %}{% block a %}{% endblock %}")


def test_deep_brackets_are_refused_and_do_no_harm() -> None:
    with pytest.raises(BadTemplate, match="nested too deeply"):
        references("{{ " + "(" * 30_000 + "1" + ")" * 30_000 + " }}")


@given(
    st.lists(
        st.sampled_from(
            [
                "{{",
                "}}",
                "{%",
                "%}",
                "{#",
                "#}",
                " ",
                "outputs",
                ".",
                "a",
                "raw",
                "{",
                "}",
                "params",
            ]
        ),
        max_size=14,
    ).map("".join)
)
def test_the_short_cut_for_plain_templates_says_what_the_parser_says(text: str) -> None:
    def asked() -> object:
        try:
            return references(text)
        except BadTemplate:
            return None

    quick = asked()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(templates, "_MARKS", ("",))
        assert asked() == quick


def test_every_text_inside_a_value_has_its_path() -> None:
    value = {"a": ["x", {"b c": "y"}], "n": 5}
    assert list(texts_in(value, "tasks[0].kwargs")) == [
        ("tasks[0].kwargs.a[0]", "x"),
        ('tasks[0].kwargs.a[1]["b c"]', "y"),
    ]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("{{ parms.day }}", {"parms"}),
        ("{{ ds }} {{ var.value.x }} {{ conn.a.host }} {{ macros.ds_add(ds, 1) }}", set()),
        ("{% for k in params %}{{ k }}{{ j }}{% endfor %}", {"j"}),
        ("{% set x = 1 %}{{ x }}", set()),
        ("{{ range(3) }}", set()),
        ("no template with parms", set()),
    ],
)
def test_names_that_stand_for_nothing_are_found(text: str, names: set[str]) -> None:
    assert templates.unknown_names(text) == names
