"""One meaning has one canonical form, and so one checksum; another meaning has another."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dags_app.domain.parse import parse
from dags_app.domain.spec import DagSpec, checksum
from dags_app.domain.tasks import TaskFields
from skytrail.documents import read_json
from tests.domain.definitions import DAILY_REPORT, bash, dag, documents, with_task

#: A whole definition takes a while to make up, and each has many fields to differ in.
fewer = settings(max_examples=50)


def sum_of(document: dict[str, Any]) -> str:
    return checksum(parse(document).canonical())


def meaning(spec: DagSpec) -> DagSpec:
    """A spec without what is no part of its definition: who paused it, in which order it stood."""
    tasks = sorted(spec.tasks, key=lambda task: task.id)
    return spec.model_copy(update={"paused": None, "tasks": tasks})


def test_the_canonical_form_is_short_and_complete() -> None:
    assert parse({**DAILY_REPORT, "paused": True, "owner": ""}).canonical() == {
        "format": 1,
        "name": "daily_report",
        "schedule": {"cron": "0 9 * * *"},
        "tasks": [
            {"id": "fetch_data", "type": "http", "uri": "https://…"},
            {"id": "send_report", "type": "empty", "depends_on": ["transform"]},
            {"id": "transform", "type": "empty", "depends_on": ["fetch_data"]},
        ],
    }


def test_a_checksum_does_not_change_from_release_to_release() -> None:
    assert sum_of(DAILY_REPORT) == (
        "2efa71c5992749334d97bd7262bf3ba585d7022faeac531b123b8b07eba0390c"
    )


@fewer
@given(documents())
def test_the_canonical_form_reads_back_as_the_same_spec(document: dict[str, Any]) -> None:
    spec = parse(document)
    canonical = spec.canonical()
    again = parse(read_json(json.dumps(canonical)))
    assert again == meaning(spec)
    assert again.canonical() == canonical


@fewer
@given(documents(), st.randoms(use_true_random=False))
def test_the_spelling_of_a_document_does_not_change_its_checksum(
    document: dict[str, Any], random: Any
) -> None:
    respelled = shuffled(copy.deepcopy(document), random)
    random.shuffle(respelled["tasks"])
    respelled["tags"] = shuffled_words(respelled.get("tags", []), random)
    respelled["paused"] = random.choice([True, False, None])
    for task in respelled["tasks"]:
        task["depends_on"] = shuffled_words(task.get("depends_on", []), random)
        if "retries" in task and random.random() < 0.5:
            task["retry_count"] = float(task.pop("retries"))
    if random.random() < 0.5:
        respelled["dag_id"] = respelled.pop("name")
    if isinstance(cron := respelled.get("schedule"), str) and random.random() < 0.5:
        respelled.pop("schedule")
        respelled["cron"] = f"  {cron.lower()} ".replace(" ", "  ")
    assert sum_of(respelled) == sum_of(document)


@fewer
@given(documents(), st.randoms(use_true_random=False))
def test_a_default_may_be_written_out(document: dict[str, Any], random: Any) -> None:
    spec = parse(document)
    respelled = copy.deepcopy(document)
    write_out(respelled, defaults_of(DagSpec), random)
    for task, parsed in zip(respelled["tasks"], spec.tasks, strict=True):
        task.setdefault("type", "empty")
        write_out(task, defaults_of(type(parsed)), random)
    respelled.pop("cron", None)
    assert sum_of(respelled) == sum_of(document)


def defaults_of(model: type[DagSpec | TaskFields]) -> dict[str, Any]:
    fields = model.model_fields.items()
    return {
        field.alias or name: copy.deepcopy(field.default)
        for name, field in fields
        if not field.is_required()
    }


def write_out(document: dict[str, Any], defaults: dict[str, Any], random: Any) -> None:
    for name, value in defaults.items():
        if name not in document and random.random() < 0.5:
            document[name] = value


def shuffled(value: Any, random: Any) -> Any:
    """The same with the keys of all tables in another order."""
    if isinstance(value, dict):
        items = [(key, shuffled(inner, random)) for key, inner in value.items()]
        random.shuffle(items)
        return dict(items)
    return [shuffled(inner, random) for inner in value] if isinstance(value, list) else value


def shuffled_words(words: list[str], random: Any) -> list[str]:
    """The same words, in another order, one of them perhaps twice."""
    more = [*words, *words[:1]]
    random.shuffle(more)
    return more


@fewer
@given(st.data())
def test_what_means_something_else_has_another_checksum(data: st.DataObject) -> None:
    """Two documents have equal checksums exactly if their specs mean the same."""
    first, second = data.draw(documents()), data.draw(documents())
    if data.draw(st.booleans()):
        # Nearly the same: one key of the other, or of one of its tasks.
        changed = copy.deepcopy(first)
        key = data.draw(st.sampled_from(sorted(second.keys() - {"tasks"})))
        second = {**changed, key: second[key]}
    same = as_text(parse(first)) == as_text(parse(second))
    assert (sum_of(first) == sum_of(second)) is same


def as_text(spec: DagSpec) -> str:
    # Compared as text, for in Python 1 and True are equal.
    return json.dumps(meaning(spec).model_dump(mode="json"), sort_keys=True)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (dag(name="d"), dag(name="D")),
        (dag(description="a"), dag(description="a ")),
        (dag(cron="0 9 * * *"), dag(cron="0 9 * * 1-7")),
        (dag(cron="* * * * *"), dag(schedule={"interval_seconds": 60})),
        (dag(timezone="UTC"), dag(timezone="Etc/UTC")),
        (dag(start_date="2026-01-01"), dag(start_date="2026-01-01", timezone="Europe/Berlin")),
        (dag(params={"p": 1}), dag(params={"p": True})),
        (dag(params={"p": {}}), dag(params={"p": None})),
        (dag({"id": "a"}), dag({"id": "a", "type": "bash", "command": "true"})),
        (dag({"id": "a"}, {"id": "b"}), dag({"id": "a"}, {"id": "b", "depends_on": ["a"]})),
        (bash(skip_on_exit_code=None), bash()),
        (bash(env={"A": 1}), bash(env={"A": True})),
        (bash(env={"A": "1"}), bash(env={"A": 1})),
        (with_task(timeout_seconds=86_400), with_task()),
        (
            with_task(type="python", callable="a.b", args=[1, 2]),
            with_task(type="python", callable="a.b", args=[2, 1]),
        ),
    ],
)
def test_small_differences_count(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert sum_of(one) != sum_of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (dag(cron="@daily"), dag(schedule={"cron": "0 0 * * *"})),
        (dag(cron="0  9 * * mon"), dag(cron=" 0 9 * * MON\n")),
        (dag(params={"p": 1}), dag(params={"p": {"default": 1}})),
        (dag(start_date="2026-01-01T01:00+01:00"), dag(start_date="2026-01-01")),
        (
            dag(start_date="2026-01-01", timezone="Europe/Berlin"),
            dag(start_date="2025-12-31T23:00Z", timezone="Europe/Berlin"),
        ),
        (with_task(retry_delay_seconds=300), with_task(retry_delay_seconds=300.0)),
        (with_task(retry_delay_seconds=-0.0), with_task(retry_delay_seconds=0)),
        (with_task(type="empty"), with_task()),
        (dag(paused=True), dag(paused=False)),
    ],
)
def test_other_spellings_do_not(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert sum_of(one) == sum_of(other)
