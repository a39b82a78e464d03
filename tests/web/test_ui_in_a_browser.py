"""The pages in a real browser, from the real web process: clean, accessible, live, by keyboard."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from django.contrib.auth.models import User

from dags_app.models import Dag, DagVersion
from runs_app.actions.dispatching_steps import dispatch
from runs_app.models import DagRun
from tests.api.processes import Web
from tests.api.stories import begin, end
from tests.dead_letters import dead_letter
from tests.factories import save_dag, start_run, states
from tests.web.pages import Scene, pages
from tests.web.scenes import scene
from tests.web.ui import Window, window

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.timeout(300), pytest.mark.usefixtures("committing")]

#: Parts of pages, without a frame of their own.
PARTS = {
    "home-day",
    "search",
    "latest-runs",
    "dag-recent",
    "run-head",
    "run-why",
    "task-head",
    "task-why",
}

Open = Callable[..., Window]


@pytest.fixture
def open_window(chromium: Browser, web: Web, committing: None) -> Iterator[Open]:
    """Opens windows; at their end nothing may have gone wrong in them."""
    admin = User.objects.create_superuser("admin")
    found: list[Window] = []
    with ExitStack() as stack:

        def make(**options: object) -> Window:
            opened = stack.enter_context(window(chromium, web.url, admin, **options))  # type: ignore[arg-type]
            found.append(opened)
            return opened

        yield make
    assert [trouble for each in found for trouble in each.troubles] == []


def _whole(shown: Scene) -> dict[str, str]:
    found = {name: page for name, page in pages(shown).items() if name not in PARTS}
    dag = f"/dags/{shown.dag_id}/"
    return found | {
        "dag-edit": f"{dag}edit/",
        "editor-new": "/new/",
        "dag-trigger": f"{dag}trigger/",
    }


def task_box(task_id: str, state: str = "") -> str:
    """The box of a task in a graph."""
    wanted = f"[data-state={state}]" if state else ""
    return f"a.node{wanted}:has(.name:text-is('{task_id}'))"


# ------------------------------------------------------------------- every page


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_page_is_accessible_and_runs_nothing_foreign(
    open_window: Open, *, dark: bool
) -> None:
    shown = scene()
    opened = open_window(dark=dark)
    found = {}
    for name, address in _whole(shown).items():
        page = opened.go(address)
        assert "Skytrail" in page.title()
        answer = Axe().run(page).response
        bad = [
            f"{each['id']}: {each['nodes'][0]['html'][:160]}"
            for each in answer["violations"]
            if each["impact"] in {"serious", "critical"}
        ]
        if bad:
            found[name] = bad
    assert found == {}


#: What reaches furthest to the right, outside of what can be scrolled by itself.
_WIDEST = """
() => [...document.querySelectorAll("main *, header *")]
  .filter((each) => !each.closest(".scroll, .tabs, .log-frame, .code, svg"))
  .map((each) => [each.getBoundingClientRect().right, each.outerHTML.slice(0, 120)])
  .sort((a, b) => b[0] - a[0])[0]
"""


def test_every_page_fits_a_telephone(open_window: Open) -> None:
    shown = scene()
    opened = open_window(width=360)
    wide = []
    for name, address in _whole(shown).items():
        page = opened.go(address)
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            wide.append((name, page.evaluate(_WIDEST)))
    assert wide == []
    opened.go("/")
    opened.page.click("[data-menu]")
    opened.page.click("nav.menu >> text=Dead letters")
    opened.page.wait_for_url("**/dead-letters/")


# ------------------------------------------------------------------- live


def test_a_graph_changes_while_it_is_looked_at(open_window: Open) -> None:
    run = start_run(save_dag({"load": [], "check": ["load"]}), run_id="first")
    opened = open_window()
    page = opened.go("/dags/story/runs/first/")
    page.wait_for_selector(".live[data-live=on]")
    page.wait_for_selector(task_box("load", "queued"))
    execution = begin(run, "load")
    page.wait_for_selector(task_box("load", "running"))
    page.wait_for_selector("section.why-panel >> text=load is running")
    end(execution, None)
    page.wait_for_selector(task_box("load", "success"))
    assert page.locator("a.node[data-state=success] .word").text_content() == "success"
    assert page.locator("a.node[data-state=success] .mark").text_content() == "✓"


def test_home_and_lists_say_what_happens(open_window: Open) -> None:
    save_dag({"extract": []})
    home, dags, runs = open_window(), open_window(), open_window()
    home.go("/")
    dags.go("/dags/")
    runs.go("/runs/")
    for each in (home, dags, runs):
        each.page.wait_for_selector(".live[data-live=on]")
    dead_letter()
    home.page.wait_for_selector("#failing >> text=story")
    dags.page.wait_for_selector(".squares .square[data-state=failed]")
    runs.page.wait_for_selector("tbody >> text=first")


# ------------------------------------------------------------------- doing things


def test_a_run_is_triggered_watched_cancelled_and_cleared(open_window: Open) -> None:
    save_dag(
        {"a": [], "b": ["a"]}, params={"days": {"type": "integer", "default": 7, "minimum": 1}}
    )
    opened = open_window()
    page = opened.go("/dags/story/")
    page.click("text=Trigger")
    page.fill("[name='p.days']", "3")
    page.click("button:has-text('Trigger')")
    page.wait_for_selector(task_box("a"))
    run = DagRun.objects.get()
    assert run.conf == {"days": 3}
    page.click("button:has-text('Cancel')")
    page.wait_for_selector("dialog[open] >> text=2 tasks will not be done")
    page.click("dialog button:has-text('Cancel the run')")
    page.wait_for_selector("#told >> text=is being cancelled")
    page.wait_for_selector("#head .state[data-state=cancelled]")
    page.click("button:has-text('Clear')")
    page.wait_for_selector("dialog[open] >> text=2 tasks")
    page.click("dialog button:has-text('Run 2 again')")
    page.wait_for_selector("#told >> text=2 tasks of")
    assert states(run) == {"a": "waiting", "b": "waiting"}


def test_a_refusal_is_told_and_the_page_stays(open_window: Open) -> None:
    run = start_run(save_dag({"a": []}), run_id="first")
    opened = open_window()
    page = opened.go("/dags/story/runs/first/")
    page.click("button:has-text('Cancel')")
    page.wait_for_selector("dialog[open]")
    end(begin(run, "a"), None)
    dispatch(run.pk, actor="dispatcher")
    page.click("dialog button:has-text('Cancel the run')")
    page.wait_for_selector("#told [data-level=error]")
    assert page.locator("h1").inner_text() == "first"
    # The browser says of itself that the answer was a refusal.
    opened.troubles = [each for each in opened.troubles if "409" not in each]


def test_dags_are_found_filtered_and_paused_together(open_window: Open) -> None:
    for name in ("shop.daily", "shop.hourly", "bank"):
        save_dag({"a": []}, name=name, cron="@daily", tags=[name.partition(".")[0]])
    opened = open_window()
    page = opened.go("/dags/")
    page.fill("main [data-search]", "shop")
    page.wait_for_function("() => document.querySelectorAll('main tbody tr').length === 2")
    assert "q=shop" in page.url
    page.check("[data-all]")
    assert page.locator("[data-count]").inner_text() == "2 chosen"
    page.click("[data-chosen] button:has-text('Pause')")
    page.wait_for_selector("dialog[open] >> text=Pause 2 DAGs?")
    page.click("dialog button.primary")
    page.wait_for_function("() => document.querySelectorAll('main .flag').length === 2")
    assert set(Dag.objects.filter(paused=True).values_list("dag_id", flat=True)) == {
        "shop.daily", "shop.hourly",
    }  # fmt: skip
    page.click("button[aria-label='Resume shop.daily']")
    page.wait_for_selector("dialog[open] >> text=Nothing starts at once")
    page.click("dialog button.primary")
    page.wait_for_selector("button[aria-label='Pause shop.daily']")


def test_a_dag_is_written_with_problems_at_their_lines(open_window: Open) -> None:
    opened = open_window()
    page = opened.go("/new/")
    page.fill("#text", "name: mine\ntasks:\n  - id: a\n    type: empty\n    retries: many\n")
    page.wait_for_selector(".gutter .bad")
    assert page.locator(".gutter .bad").inner_text() == "5"
    assert "retries" in page.locator(".flaws").inner_text()
    page.click("button:has-text('Save …')")
    page.wait_for_selector("dialog[open] >> text=It cannot be saved yet")
    page.click("dialog [data-close]")
    sound = "name: mine\ntasks:\n  - id: a\n    type: empty\n"
    page.fill("#text", f"{sound}  - id: b\n    type: empty\n    depends_on: [a]\n")
    page.wait_for_selector("#checked " + task_box("b"))
    assert page.locator(".gutter .bad").count() == 0
    page.click("button:has-text('Save …')")
    page.wait_for_selector("dialog[open] >> text=A new DAG of 2 tasks")
    page.click("dialog button.primary")
    page.wait_for_url("**/dags/mine/")
    page.wait_for_selector("text=Saved mine as version 1")
    assert DagVersion.objects.count() == 1
    opened.troubles = [each for each in opened.troubles if "422" not in each]


def test_what_was_typed_is_not_left_by_accident(open_window: Open) -> None:
    opened = open_window()
    page = opened.go("/new/")
    page.type("#text", "x")
    page.click("nav.menu >> text=Runs")
    page.wait_for_url("**/runs/")
    assert len(opened.troubles) == 1
    assert opened.troubles.pop().startswith("a dialog")


# ------------------------------------------------------------------- the keyboard, the reader


def test_pages_are_gone_through_by_keyboard(open_window: Open) -> None:
    for name in ("alpha", "beta"):
        save_dag({"a": []}, name=name)
    opened = open_window()
    page = opened.go("/")
    page.keyboard.press("g")
    page.keyboard.press("d")
    page.wait_for_url("**/dags/")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/dags/beta/")
    page.keyboard.press("?")
    page.wait_for_selector("#help[open]")
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("alp")
    page.wait_for_selector("#found a >> text=alpha")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/dags/alpha/")


def test_light_and_dark_are_kept(open_window: Open) -> None:
    opened = open_window()
    page = opened.go("/")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.keyboard.press("t")
    dark = page.evaluate(ground)
    assert dark != light
    opened.go("/runs/")
    assert page.evaluate(ground) == dark


def test_times_are_those_of_the_reader(open_window: Open) -> None:
    save_dag({"a": []}, cron="0 0 * * *")
    opened = open_window(timezone_id="Asia/Tokyo")
    page = opened.go("/dags/story/schedule/")
    time = page.locator("tbody time").first
    assert time.inner_text().endswith("09:00:00")
    assert "00:00:00 UTC" in str(time.get_attribute("title"))
    assert page.locator(".zone").inner_text() == "Asia/Tokyo"


def test_a_dag_is_looked_around_in(open_window: Open) -> None:
    save_dag({"a": [], "b": ["a"]})
    page = open_window().go("/dags/story/")
    box = "document.querySelector('svg.graph').getAttribute('viewBox')"
    fitted = page.evaluate(box)
    page.click("[data-zoom=in]")
    assert page.evaluate(box) != fitted
    page.click("[data-zoom=fit]")
    assert page.evaluate(box) == fitted
    graph = page.locator("svg.graph").bounding_box()
    assert graph is not None
    page.mouse.move(graph["x"] + 20, graph["y"] + 20)
    page.mouse.down()
    page.mouse.move(graph["x"] + 90, graph["y"] + 50, steps=4)
    page.mouse.up()
    assert page.evaluate(box) != fitted
