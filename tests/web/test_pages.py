"""Every page of the web UI: it is there, is cheap, and holds nothing but text and files of ours."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver

from tests.dead_letters import dead_letter
from tests.factories import import_error
from tests.web.conftest import logged_in, staff
from tests.web.pages import Scene, pages, questions
from tests.web.scenes import HOSTILE, scene

pytestmark = pytest.mark.django_db

#: Queries that one page may make, those that ask who is there included.
MOST_QUERIES = 12

_KEY = UUID(int=0)
_ANY = Scene(
    dag_id="d",
    run_id="r",
    task_id="t",
    dag_key=_KEY,
    approval=_KEY,
    backfill=_KEY,
    import_error=_KEY,
)
NAMES = sorted(pages(_ANY))

_PERMISSIONS = (
    "dags_app.view_dag", "runs_app.view_pool", "runs_app.view_worker",
    "skytrail_security.view_connection", "skytrail_security.view_variable",
)  # fmt: skip


@pytest.fixture
def shown() -> Scene:
    return scene()


@pytest.fixture
def watcher(db: None) -> Client:
    """Of somebody who may look at everything, and do nothing."""
    return logged_in(staff("wanda", *_PERMISSIONS))


@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_there(name: str, watcher: Client, shown: Scene) -> None:
    answer = watcher.get(pages(shown)[name])
    assert answer.status_code == 200
    assert "no-store" in answer.headers["Cache-Control"]


@pytest.mark.parametrize("name", NAMES)
def test_it_takes_few_queries(name: str, watcher: Client, shown: Scene) -> None:
    # So many rows that a query for each would be too many.
    for number in range(MOST_QUERIES):
        dead_letter(f"dead{number}")
        import_error(f"{number}.py")
    address = pages(shown)[name]
    watcher.get(address)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        watcher.get(address)
    assert len(queries) <= MOST_QUERIES, [query["sql"][:120] for query in queries]


class _Markup(HTMLParser):
    """What a browser would do something with."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts: list[str | None] = []
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "script":
            self.scripts.append(dict(attrs).get("src"))
        self.attributes |= {name for name, _ in attrs}


@pytest.mark.parametrize("name", NAMES)
def test_nothing_in_it_runs_or_styles_but_files_of_ours(
    name: str, watcher: Client, shown: Scene
) -> None:
    answer = watcher.get(pages(shown)[name])
    markup = _Markup()
    markup.feed(answer.content.decode())
    assert all(source and source.startswith("/static/") for source in markup.scripts)
    handlers = {each for each in markup.attributes if each.startswith(("on", "hx-on"))}
    assert handlers | (markup.attributes & {"style"}) == set()
    policy = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy


def test_names_are_shown_as_text(watcher: Client, shown: Scene) -> None:
    page = watcher.get("/dags/").content.decode()
    assert "&lt;script&gt;" in page
    assert HOSTILE not in page


@pytest.mark.parametrize("name", NAMES)
def test_who_may_see_nothing_is_told_so(name: str, charlie: User, shown: Scene) -> None:
    answer = logged_in(charlie).get(pages(shown)[name])
    if name in {"home", "search"}:
        assert answer.status_code == 200
        assert "shop" not in answer.content.decode().replace("/search/", "")
    else:
        assert answer.status_code in {403, 404}
        assert "ask an administrator" in (text := answer.content.decode()) or "may not see" in text


@pytest.mark.parametrize("name", NAMES)
def test_nobody_gets_in_without_a_login(name: str, shown: Scene) -> None:
    answer = Client().get(pages(shown)[name])
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/admin/login/")


def test_no_page_is_forgotten_here() -> None:
    listed = set(pages(_ANY)) | set(questions(_ANY))
    assert set(_names(get_resolver().url_patterns)) - listed == {
        "openapi", "swagger", "redoc",
    }  # fmt: skip


def _names(patterns: list[URLPattern | URLResolver]) -> list[str]:
    found: list[str] = []
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            found += [pattern.name] if pattern.name else []
        elif pattern.namespace is None:
            found += _names(pattern.url_patterns)
    return found


def test_a_dag_that_is_not_there_has_a_page_that_says_so(watcher: Client) -> None:
    answer = watcher.get("/dags/nothing/")
    assert answer.status_code == 404
    text = re.sub(r"\s+", " ", answer.content.decode())
    assert "There is no DAG named &#x27;nothing&#x27;, or you may not see it." in text
    assert '<a class="button" href="/">Home</a>' in text


def test_a_part_of_a_page_that_is_not_there_is_a_note(watcher: Client) -> None:
    answer = watcher.get("/dags/nothing/recent/", headers={"HX-Request": "true"})
    assert answer.status_code == 404
    assert answer.content.decode().startswith('<div class="notice"')


def test_times_are_in_the_readers_zone(watcher: Client, shown: Scene) -> None:
    watcher.cookies["skytrail_zone"] = "Asia/Kathmandu"
    page = watcher.get("/dags/shop/schedule/").content.decode()
    assert "05:45:00" in page
    assert "00:00:00 UTC" in page
    watcher.cookies["skytrail_zone"] = "../../etc/passwd"
    assert watcher.get("/dags/shop/schedule/").status_code == 200


def test_the_theme_comes_with_the_page(watcher: Client) -> None:
    assert '<html lang="en">' in watcher.get("/").content.decode()
    watcher.cookies["skytrail_theme"] = "dark"
    assert '<html lang="en" data-theme="dark">' in watcher.get("/").content.decode()
    watcher.cookies["skytrail_theme"] = '"><script>'
    assert '<html lang="en">' in watcher.get("/").content.decode()
