"""What two definitions differ in."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dags_app.domain.differences import differences
from dags_app.domain.parse import parse


def canonical(*tasks: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return parse({"name": "story", "tasks": list(tasks), **fields}).canonical()


OLD = canonical(
    {"id": "extract", "type": "bash", "command": "a", "env": {"DAY": "1", "KEPT": "x"}},
    {"id": "old", "depends_on": ["extract"]},
    {"id": "load", "depends_on": ["old"], "retries": 1},
    schedule="0 6 * * *",
)
NEW = canonical(
    {"id": "load", "depends_on": ["check"], "retries": 3},
    {"id": "check", "depends_on": ["extract"]},
    {"id": "extract", "type": "bash", "command": "a", "env": {"DAY": "2", "KEPT": "x"}},
    schedule="0 7 * * *",
    tags=["a"],
)


def test_tasks_edges_and_fields_are_told_apart() -> None:
    found = differences(OLD, NEW)
    assert (found.added_tasks, found.removed_tasks) == (["check"], ["old"])
    assert found.added_edges == [("check", "load"), ("extract", "check")]
    assert found.removed_edges == [("extract", "old"), ("old", "load")]
    assert {task: [c.path for c in changes] for task, changes in found.changed_tasks.items()} == {
        "extract": ["env.DAY"],
        "load": ["retries"],
    }
    assert [change.path for change in found.fields] == ["schedule.cron", "tags"]


def test_as_text_it_can_be_read() -> None:
    lines = [f"{sign} {text}" for sign, text in differences(OLD, NEW).lines()]
    assert lines[:5] == [
        "  DAG",
        "- schedule.cron: 0 6 * * *",
        "+ schedule.cron: 0 7 * * *",
        '+ tags: ["a"]',
        "  task extract",
    ]
    assert "- extract → old" in lines
    assert lines[-1] == "+ extract → check"


def test_order_and_defaults_are_no_difference() -> None:
    assert not differences(
        canonical({"id": "a"}, {"id": "b", "depends_on": ["a"], "retries": 0}),
        canonical({"retries": 0, "depends_on": ["a"], "id": "b"}, {"id": "a", "type": "empty"}),
    )


def test_values_that_python_thinks_equal_differ() -> None:
    def with_value(value: Any) -> dict[str, Any]:
        return canonical({"id": "a", "type": "python", "callable": "m.f", "args": [value]})

    assert differences(with_value(1), with_value(True))
    assert differences(with_value(None), with_value(0))


_NAMES = st.lists(st.sampled_from("abcdef"), unique=True, min_size=1)


@st.composite
def specs(draw: st.DrawFn) -> dict[str, Any]:
    names = draw(_NAMES)
    tasks = []
    for place, name in enumerate(names):
        upstream = draw(st.lists(st.sampled_from(names[:place] or [""]), unique=True))
        retries = draw(st.integers(0, 2))
        tasks.append({"id": name, "depends_on": [u for u in upstream if u], "retries": retries})
    return canonical(*tasks, owner=draw(st.sampled_from(["", "x"])))


@given(specs(), specs())
def test_what_differs_turned_round_leads_back(old: dict[str, Any], new: dict[str, Any]) -> None:
    there, back = differences(old, new), differences(new, old)
    assert bool(there) == (old != new and _sorted(old) != _sorted(new))
    assert there.added_tasks == back.removed_tasks
    assert there.added_edges == back.removed_edges
    assert {
        t: {(c.path, str(c.before), str(c.after)) for c in cs}
        for t, cs in there.changed_tasks.items()
    } == {
        t: {(c.path, str(c.after), str(c.before)) for c in cs}
        for t, cs in back.changed_tasks.items()
    }


def _sorted(spec: dict[str, Any]) -> dict[str, Any]:
    return spec | {"tasks": sorted(spec["tasks"], key=lambda task: task["id"])}


@given(specs())
def test_nothing_differs_from_itself(spec: dict[str, Any]) -> None:
    assert not differences(spec, spec)
    assert not list(differences(spec, spec).lines())
