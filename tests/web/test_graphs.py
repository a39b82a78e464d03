"""Graphs as pages show them: any name is text, what does not fit is shortened, each is kept."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from django.db import connection
from django.template.loader import render_to_string
from django.test.utils import CaptureQueriesContext

from dags_app.domain.layout import lay_out
from dags_app.models import Dag, DagVersion
from dags_app.selectors import layouts
from dags_app.web.painting import NAME, Painted, curve, graph, graph_of_version, shortened
from tests.factories import save_dag
from tests.web.scenes import HOSTILE, LONG


class _Reader(HTMLParser):
    """The tags and attributes of a page, and its text by the tag it stands in."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.tags:
            self.texts.append((self.tags[-1][0], data))

    def attributes(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def painted(upstream: dict[str, list[str]], **by_task: Painted) -> str:
    picture = graph(lay_out(upstream), dict.fromkeys(upstream, "bash"), by_task)
    return render_to_string("dags_app/graph.html", {"graph": picture})


def test_hostile_names_are_text() -> None:
    read = _Reader(painted({HOSTILE: [], "b": [HOSTILE]}))
    assert {tag for tag, _ in read.tags} == {
        "a", "button", "div", "g", "path", "rect", "svg", "text", "title",
    }  # fmt: skip
    assert not [name for _, given in read.tags for name in given if name.startswith("on")]
    assert [node["data-task"] for node in read.attributes("a")] == [HOSTILE, "b"]
    (edge,) = read.attributes("path")
    assert (edge["data-from"], edge["data-to"]) == (HOSTILE, "b")
    assert ("title", HOSTILE) in read.texts


def test_long_names_are_shortened_in_their_middle_and_whole_in_the_title() -> None:
    name = f"begin{LONG}end"
    read = _Reader(painted({name: []}))
    (shown,) = [text for tag, text in read.texts if tag == "text" and "…" in text]
    assert len(shown) == NAME
    assert shown.startswith("begin")
    assert shown.endswith("end")
    assert ("title", name) in read.texts


def test_what_fits_is_left_as_it_is() -> None:
    assert shortened("w" * NAME, NAME) == "w" * NAME


def test_states_stand_where_scripts_and_colours_find_them() -> None:
    page = painted({"a": [], "b": ["a"]}, a=Painted(state="success", href="/a/", note="2 s"))
    first, second = _Reader(page).attributes("a")
    assert (first["data-state"], first["href"]) == ("success", "/a/")
    assert "data-state" not in second
    assert "href" not in second
    assert "style=" not in page


def test_a_curve_leaves_and_arrives_level() -> None:
    assert curve([(0, 0), (64, 30), (244, 30)]) == "M0 0C32 0 32 30 64 30H244"


@pytest.mark.django_db
def test_a_version_is_laid_out_once() -> None:
    version = _version(save_dag({"a": [], "b": ["a"]}))
    once = graph_of_version(version)
    with CaptureQueriesContext(connection) as queries:
        assert graph_of_version(version) == once
    assert not queries.captured_queries
    assert [(here, there) for here, there, _ in once.paths] == [("a", "b")]


@pytest.mark.django_db
def test_a_graph_that_is_too_large_is_not_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layouts, "MOST", 2)
    picture = graph_of_version(_version(save_dag({"a": [], "b": [], "c": []})))
    page = render_to_string("dags_app/graph.html", {"graph": picture})
    assert "3 tasks are too many" in page
    assert "<svg" not in page


def _version(dag: Dag) -> DagVersion:
    assert dag.version is not None
    return dag.version
