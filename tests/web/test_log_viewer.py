"""The log of a task in a real browser: read from the real address, from a real web server."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pytest_django import Settings

from chaos.proxy import Proxy
from runs_app.domain.executions import Execution
from runs_app.models import LogChunk
from skytrail.web.headers import PAGES
from tests.api.processes import Web
from tests.api.stories import begin, end, told, write
from tests.waiting import wait_until
from tests.web.conftest import logged_in, staff

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Download, Page, Route

pytestmark = pytest.mark.timeout(180)

LOGS = "/api/v1/dags/story/runs/first/tasks/extract/logs?attempt=1"
ESC = "\x1b"

PAGE = """<!DOCTYPE html><html lang="en"{theme}><head><meta charset="utf-8"><title>Log</title>
<link rel="stylesheet" href="/static/skytrail/ui/tokens.css">
<link rel="stylesheet" href="/static/skytrail/ui/states.css">
<link rel="stylesheet" href="/static/skytrail/ui/page.css">
<link rel="stylesheet" href="/static/skytrail/ui/logs.css">
<script type="module" src="/static/skytrail/ui/logs.js"></script></head>
<body><main><section class="logs panel flush" aria-label="Log" data-src="{address}"
 data-follow="{follow}" data-download-name="story-extract-1.log"><h2>Log</h2>
<p class="empty"><a href="{address}">Read it as plain text</a></p></section></main></body></html>"""


Show = Callable[..., "Page"]


@pytest.fixture
def show(chromium: Browser, committing: None, web: Web, settings: Settings) -> Iterator[Show]:
    """Opens the log; at the end no script may have failed, and nothing may have been refused."""
    contexts: list[BrowserContext] = []
    troubles: list[str] = []
    # Sessions are signed; the server has a key of its own.
    settings.SECRET_KEY = "only for the tests"
    client = logged_in(staff("rita", "dags_app.view_dag"))
    session = client.cookies[settings.SESSION_COOKIE_NAME]

    def heard(message: ConsoleMessage) -> None:
        # What tests break or forbid is told by the browser too.
        is_meant = "net::ERR" in message.text or "401" in message.text
        if message.type in {"error", "warning"} and not is_meant:
            troubles.append(message.text)

    def make(
        *,
        follow: bool = False,
        lines: str = "",
        dark: bool = False,
        width: int = 1280,
        address: str = "",
        path: str = "/viewer",
    ) -> Page:
        context = chromium.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
            base_url=address or web.url,
        )
        context.add_cookies([{"name": session.key, "value": session.value, "url": web.url}])
        contexts.append(context)
        context.set_default_timeout(15_000)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        body = PAGE.format(address=LOGS, follow=str(follow).lower(), theme="")

        def answer(route: Route) -> None:
            headers = {"Content-Security-Policy": PAGES}
            route.fulfill(body=body, content_type="text/html", headers=headers)

        context.route("**/viewer", answer)
        page = context.new_page()
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", heard)
        page.goto(f"{path}{lines}")
        return page

    yield make
    for context in contexts:
        context.close()
    assert troubles == []


@pytest.fixture
def execution(committing: None) -> Execution:
    """A task that is running."""
    return begin(told(), "extract")


def logged(execution: Execution, text: str) -> None:
    """The task has written this, and has ended."""
    chunks = [
        LogChunk(
            task_run_id=execution.task_run_id, epoch=execution.epoch, sequence=place, text=piece
        )
        for place, piece in enumerate(_pieces(text))
    ]
    LogChunk.objects.bulk_create(chunks)
    end(execution)


def _pieces(text: str) -> list[str]:
    return [text[start : start + 65_536] for start in range(0, len(text), 65_536)]


def complete(page: Page) -> Page:
    """The whole log has been read."""
    page.locator(".log-status", has_text="Complete").wait_for()
    return page


def texts(page: Page) -> list[str]:
    """The lines that are elements."""
    return page.locator(".log-text").all_text_contents()


def colour(page: Page, text: str, name: str = "color") -> str:
    """How a piece of text looks."""
    script = "(element, name) => getComputedStyle(element)[name]"
    found: str = page.locator(".log-text span", has_text=text).first.evaluate(script, name)
    return found


def picture(page: Page, name: str) -> None:
    """Keeps what the page looks like, where SKYTRAIL_PICTURES names a folder."""
    if folder := os.environ.get("SKYTRAIL_PICTURES"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"))


# ---------------------------------------------------------------- what lines look like


def test_colours_are_shown_and_carry_over_lines(show: Show, execution: Execution) -> None:
    logged(
        execution,
        f"{ESC}[31mred{ESC}[0m plain\n{ESC}[1;4;38;2;0;0;255mblue\nstill blue{ESC}[0m\nnone\n",
    )
    page = complete(show())
    assert texts(page) == ["red plain", "blue", "still blue", "none"]
    red = colour(page, "red")
    assert red != colour(page, "blue")
    assert colour(page, "still blue") == colour(page, "blue")
    assert colour(page, "still blue", "fontWeight") == "700"
    assert "underline" in colour(page, "still blue", "textDecorationLine")
    assert page.locator(".log-text").last.locator("span").count() == 0
    page.emulate_media(color_scheme="dark")
    wait_until(lambda: colour(page, "red") != red, what="on a dark ground it is lighter")


HOSTILE = [
    "<script>alert(1)</script><img src=x onerror=alert(2)>",
    f"{ESC}]8;;https://evil.example{ESC}\\link{ESC}]8;;{ESC}\\ and {ESC}]0;title\x07text",
    "\u202egnp.exe\u202c \u2066x\u2069 a\u200bb",
    f"a\x01b\x7fc\x9bd {ESC}[2J{ESC}[H{ESC}(Bmoved {ESC}Pq#0;2{ESC}\\drawn",
    f"{ESC}]0;never ends",
    "x" * 10_240,
    "javascript:alert(1) http://evil.example",
]


def test_hostile_text_is_text(show: Show, execution: Execution) -> None:
    logged(execution, "\n".join(HOSTILE) + "\n")
    page = complete(show())
    shown = texts(page)
    assert shown[0] == HOSTILE[0]
    assert shown[1] == "link and text"
    assert shown[2] == "‹U+202E›gnp.exe‹U+202C› ‹U+2066›x‹U+2069› a‹U+200B›b"
    assert shown[3] == "a^Ab^?c‹U+009B›d moved drawn"
    assert shown[4] == "0;never ends"
    assert shown[5] == "x" * 2_000 + "… show all 10,240 characters"
    assert page.locator(".log-lines :is(script, img)").count() == 0
    assert page.locator(".log-text a").count() == 0
    picture(page, "log-hostile")


def test_a_long_line_is_shown_whole_when_asked_for(show: Show, execution: Execution) -> None:
    logged(execution, "before\n" + "0123456789" * 104_858 + "\nafter\n")
    page = complete(show())
    assert texts(page)[2] == "after"
    page.get_by_role("button", name="show 100,000 more of 1,048,580").click()
    wait_until(lambda: len(texts(page)[1]) > 102_000, what="more of it is shown")
    page.get_by_role("button", name="Wrap").click()
    wait_until(lambda: page.locator(".log-row").nth(1).bounding_box() is not None)
    box = page.locator(".log-row").nth(1).bounding_box()
    assert box is not None
    assert box["height"] > 5_000


def test_a_progress_bar_shows_its_last_state(show: Show, execution: Execution) -> None:
    bar = "".join(f"\r{percent:3}% {'#' * (percent // 5)}" for percent in range(101))
    logged(execution, f"begin\r\n{bar}\nspin |\b/\b-\bdone\n")
    page = complete(show())
    assert texts(page) == ["begin", f"100% {'#' * 20}", "spin done"]


@pytest.mark.usefixtures("execution")
def test_sequences_are_parsed_as_terminals_do(show: Show) -> None:
    page = show()

    def parsed(raw: str) -> list[list[Any]]:
        script = """async (raw) => {
          const { parse, PLAIN } = await import("/static/skytrail/ui/logs/ansi.js");
          const changed = (state) => Object.fromEntries(
            Object.entries(state).filter(([name, value]) => value !== PLAIN[name]));
          return parse(raw).pieces.map(({ text, state }) => [text, changed(state)]);
        }"""
        found: list[list[Any]] = page.evaluate(script, raw)
        return found

    assert parsed("plain") == [["plain", {}]]
    assert parsed(f"{ESC}[91;44mx") == [["x", {"fg": 9, "bg": 4}]]
    assert parsed(f"{ESC}[38;5;208mx{ESC}[39my") == [["x", {"fg": 208}], ["y", {}]]
    assert parsed(f"{ESC}[38:2::1:2:3mx") == [["x", {"fg": [1, 2, 3]}]]
    assert parsed(f"{ESC}[48;2;1;2;3;1mx") == [["x", {"bg": [1, 2, 3], "bold": True}]]
    assert parsed(f"{ESC}[58;5;1;3mx") == [["x", {"italic": True}]]
    assert parsed(f"{ESC}[38;5;999mx") == [["x", {}]]
    assert parsed(f"{ESC}[1;2mx{ESC}[22my{ESC}[mz") == [
        ["x", {"bold": True, "dim": True}],
        ["yz", {}],
    ]
    assert parsed(f"{ESC}[?25l{ESC}[2Kx{ESC}[>4;2m") == [["x", {}]]
    assert parsed(f"{ESC}[31mold\rnew") == [["new", {"fg": 1}]]
    assert parsed("🚂\b!\r") == [["!", {}]]


# ---------------------------------------------------------------- finding things

STORY = """2026-11-27 12:00:00,001 INFO shop: begins
DEBUG: details
2026-11-27 12:00:01,000 - shop.load - WARNING - slow
plain words about an error
[2026-11-27 12:00:02] ERROR: it broke
Traceback (most recent call last):
  File "a.py", line 1, in <module>
ValueError: bad value

the end
"""


def test_lines_are_filtered_by_level(show: Show, execution: Execution) -> None:
    logged(execution, STORY)
    page = complete(show())
    level = page.get_by_label("Levels shown")
    level.select_option("Errors")
    wait_until(lambda: len(texts(page)) == 4)
    assert texts(page)[0].endswith("it broke")
    assert texts(page)[3] == "ValueError: bad value"
    assert page.locator(".log-number").first.inner_text() == "5"
    assert page.locator(".log-count").inner_text() == "4 of 10 lines"
    level.select_option("Warnings and errors")
    wait_until(lambda: len(texts(page)) == 5)
    level.select_option("Info and above")
    wait_until(lambda: len(texts(page)) == 9)
    level.select_option("All levels")
    wait_until(lambda: len(texts(page)) == 10)


def test_a_search_is_counted_marked_and_stepped_through(show: Show, execution: Execution) -> None:
    filler = "\n".join(f"line {number}" for number in range(1000))
    logged(execution, f"{ESC}[32mNee{ESC}[0mdle one\n{filler}\na needle (two)\n{filler}\nneedle\n")
    page = complete(show())
    box = page.get_by_role("searchbox")
    found = page.locator(".log-found")
    box.fill("needle")
    found.get_by_text("3 lines").wait_for()
    wait_until(lambda: page.locator("mark").all_text_contents() == ["Nee", "dle"])
    box.press("Enter")
    box.press("Enter")
    page.locator(".log-row.current", has_text="a needle (two)").wait_for()
    assert found.inner_text() == "2 of 3"
    box.press("Shift+Enter")
    page.locator(".log-row.current", has_text="Needle one").wait_for()
    box.press("Shift+Enter")
    page.locator(".log-row.current .log-number", has_text="2003").wait_for()
    box.fill("(TWO)")
    found.get_by_text("1 line").wait_for()
    box.fill("nowhere")
    found.get_by_text("none").wait_for()
    box.press("Escape")
    assert box.input_value() == ""
    wait_until(lambda: page.locator("mark").count() == 0)


def test_what_is_found_far_to_the_right_is_brought_into_view(
    show: Show, execution: Execution
) -> None:
    logged(execution, f"{'x' * 3_000} needle {'y' * 9_000}\n")
    page = complete(show(width=360))
    page.get_by_role("searchbox").fill("needle")
    page.locator(".log-found", has_text="1 line").wait_for()
    page.get_by_role("searchbox").press("Enter")
    expect = pytest.importorskip("playwright.sync_api").expect
    expect(page.locator(".current mark")).to_be_in_viewport()


def test_a_link_leads_to_its_lines(show: Show, execution: Execution) -> None:
    logged(execution, "".join(f"line {number}\n" for number in range(1, 5001)))
    page = complete(show(lines="#L4000-L4002"))
    page.locator(".log-row.marked").first.wait_for()
    assert page.locator(".log-row.marked .log-text").all_text_contents() == [
        "line 4000",
        "line 4001",
        "line 4002",
    ]
    assert page.locator(".log-row.marked").first.is_visible()
    page.locator(".log-number", has_text="4003").click()
    page.locator(".log-number", has_text="4005").click(modifiers=["Shift"])
    wait_until(lambda: page.evaluate("location.hash") == "#L4003-L4005")
    page.get_by_role("button", name="Copy link").click()
    page.get_by_role("button", name="Copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.endswith("/viewer?attempt=1#L4003-L4005"), "it says which try it is about"
    page.evaluate("location.hash = '#L7'")
    page.locator(".log-row.marked", has_text="line 7").wait_for()


def test_long_lines_are_wrapped_and_that_is_remembered(show: Show, execution: Execution) -> None:
    words = "words " * 200
    logged(execution, "".join(f"{number} {words}\n" for number in range(2000)))
    page = complete(show())
    rows = page.locator(".log-row")
    assert page.evaluate(_WIDTH)
    page.get_by_role("button", name="Wrap").click()
    wait_until(lambda: rows.first.evaluate("row => row.offsetHeight") > 40)
    assert not page.evaluate(_WIDTH), "nothing to scroll sideways"
    page.locator(".log-lines").press("End")
    page.locator(".log-row", has_text="1999 words").wait_for()
    assert _is_whole(page), "rows follow each other without a gap"
    page.reload()
    complete(page)
    assert page.get_by_role("button", name="Wrap").get_attribute("aria-pressed") == "true"


_WIDTH = """() => {
  const lines = document.querySelector(".log-lines");
  return lines.scrollWidth > lines.clientWidth;
}"""


def _is_whole(page: Page) -> bool:
    """Whether the window is full of rows, from its upper to its lower edge."""
    script = """() => {
      const lines = document.querySelector(".log-lines").getBoundingClientRect();
      const rows = document.querySelectorAll(".log-row");
      const first = rows[0].getBoundingClientRect();
      const last = rows[rows.length - 1].getBoundingClientRect();
      return first.top <= lines.top + 1 && last.bottom >= lines.bottom - 20;
    }"""
    return bool(page.evaluate(script))


def test_the_log_is_downloaded_as_it_was_written(
    show: Show, execution: Execution, tmp_path: Path
) -> None:
    logged(execution, f"{ESC}[31mred{ESC}[0m\n")
    page = complete(show())
    with page.expect_download() as begun:
        page.get_by_role("link", name="Download").click()
    download: Download = begun.value
    assert download.suggested_filename == "story-extract-1.log"
    download.save_as(tmp_path / "log")
    assert (tmp_path / "log").read_text() == f"{ESC}[31mred{ESC}[0m\n"


def test_the_page_of_a_task_has_it(show: Show, execution: Execution) -> None:
    logged(execution, "".join(f"line {number}\n" for number in range(1, 501)))
    page = complete(show(path="/dags/story/runs/first/tasks/extract/", lines="#L400"))
    page.locator(".log-row.marked", has_text="line 400").wait_for()
    wait_until(lambda: "line 395" in texts(page), what="what stands before it is seen too")
    wait_until(lambda: page.evaluate(_IS_IN_VIEW), what="the page has scrolled to the line")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    picture(page, "log-page")
    number = page.locator(".log-number", has_text="401")
    number.click()
    page.locator(".log-row.marked", has_text="line 401").wait_for()
    wait_until(lambda: page.evaluate("document.activeElement.dataset.line") == "400")
    page.keyboard.press("/")
    page.keyboard.type("g")
    assert page.get_by_role("searchbox", name="Search the log").input_value() == ""


_IS_IN_VIEW = """() => {
  const { top, bottom } = document.querySelector(".log-row.marked").getBoundingClientRect();
  return top >= 0 && bottom <= innerHeight;
}"""


# ---------------------------------------------------------------- while it grows


def test_a_log_is_followed_to_its_end(show: Show, execution: Execution) -> None:
    page = show(follow=True)
    page.get_by_text("No output yet").wait_for()
    for number in range(200):
        write(execution, number, f"line {number}\n")
    page.locator(".log-text", has_text="line 199").wait_for()
    follow = page.get_by_role("button", name="Follow")
    assert follow.get_attribute("aria-pressed") == "true"

    page.locator(".log-lines").evaluate("lines => lines.scrollTo(0, 0)")
    page.locator("[aria-pressed=false]", has_text="Follow").wait_for()
    write(execution, 200, "half a ")
    page.get_by_text("201 lines").wait_for()
    assert page.locator(".log-text", has_text="half a").count() == 0, "the reader is left alone"

    follow.click()
    page.locator(".log-text", has_text="half a").wait_for()
    write(execution, 201, "line\nlast\n")
    page.locator(".log-text", has_text="half a line").wait_for()
    assert page.locator(".log-status").inner_text() == "Following"
    end(execution)
    page.get_by_text("Complete: the task has ended").wait_for()
    assert page.locator(".log-count").inner_text() == "202 lines"


def test_a_task_that_wrote_nothing_says_so(show: Show, execution: Execution) -> None:
    page = show(follow=True)
    page.get_by_text("No output yet").wait_for()
    end(execution)
    page.get_by_text("The task wrote nothing").wait_for()


def test_reading_goes_on_where_the_connection_broke(
    show: Show, execution: Execution, web: Web
) -> None:
    write(execution, 0, "first Ü\n")
    write(execution, 1, "second\n")
    with Proxy(web.port) as proxy:
        page = show(follow=True, address=f"http://127.0.0.1:{proxy.port}")
        page.locator(".log-text", has_text="second").wait_for()
        proxy.refuse()
        page.get_by_text("Connection lost, trying again").wait_for()
        write(execution, 2, "third\n")
        proxy.open()
        page.locator(".log-text", has_text="third").wait_for()
        assert texts(page) == ["first Ü", "second", "third"]
        assert page.locator(".log-status").inner_text() == "Following"
        end(execution)
        page.get_by_text("Complete: the task has ended").wait_for()


def test_a_log_that_may_not_be_read_says_so(show: Show, execution: Execution) -> None:
    page = show()
    page.context.clear_cookies()
    page.reload()
    page.get_by_text("You are not logged in any more").wait_for()


# ---------------------------------------------------------------- much of it

_WATCH = """
  window.tasks = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) window.tasks.push(entry.duration);
  }).observe({ type: "longtask", buffered: true });
"""
_SCROLL = """async () => {
  const lines = document.querySelector(".log-lines");
  const frames = [];
  let before = performance.now();
  for (let at = 0; at < 60; at += 1) {
    lines.scrollTop = (lines.scrollHeight * ((at * 37) % 60)) / 60;
    await new Promise(requestAnimationFrame);
    const now = performance.now();
    frames.push(now - before);
    before = now;
  }
  frames.sort((a, b) => a - b);
  return { median: frames[30], worst: frames.at(-1) };
}"""


@pytest.mark.parametrize("wrapped", [False, True], ids=["as they are", "wrapped"])
def test_a_hundred_thousand_lines_do_not_freeze_the_page(
    show: Show, execution: Execution, wrapped: bool
) -> None:
    line = f"2026-11-27 12:00:00,001 {ESC}[32mINFO{ESC}[0m shop.load: row {{}} of many was read\n"
    logged(execution, "".join(line.format(number) for number in range(100_000)))
    page = show()
    page.context.add_init_script(_WATCH)
    if wrapped:
        page.get_by_role("button", name="Wrap").click()
    page.reload()
    page.locator(".log-row").first.wait_for()
    usable = page.evaluate("performance.now()")
    page.get_by_text("100,000 lines").wait_for()
    complete(page)
    read = page.evaluate("performance.now()")
    scrolling = page.evaluate(_SCROLL)
    page.get_by_role("searchbox").fill("row 99999 ")
    page.locator(".log-found", has_text="1 line").wait_for()
    page.get_by_role("searchbox").press("Enter")
    page.locator(".log-row.current", has_text="row 99999 of many").wait_for()
    tasks = page.evaluate("window.tasks")
    figures = {"usable": usable, "read": read, "tasks": tasks, "scrolling": scrolling}
    if folder := os.environ.get("SKYTRAIL_PICTURES"):
        name = "log-wrapped.json" if wrapped else "log.json"
        Path(folder, name).write_text(json.dumps(figures))
    assert page.locator(".log-row").count() < 150
    assert usable < 10_000, "two seconds on a machine with nothing else to do"
    assert max(tasks, default=0) < 2_000, "a third of a second there"


MEGABYTES = {
    "erased": "x" * 500_000 + "\b" * 500_000,
    "many colours": "".join(f"{ESC}[3{number % 8}mx" for number in range(170_000)),
    "one that never ends": f"{ESC}]" * 500_000,
    "drawn anew": "x\r" * 500_000,
}


@pytest.mark.parametrize("name", MEGABYTES)
def test_a_line_of_a_megabyte_does_not_freeze_the_page(
    name: str, show: Show, execution: Execution
) -> None:
    logged(execution, f"before\n{MEGABYTES[name]}\nafter\n")
    page = show()
    page.context.add_init_script(_WATCH)
    page.reload()
    complete(page)
    page.locator(".log-text", has_text="after").wait_for()
    tasks = page.evaluate("window.tasks")
    if folder := os.environ.get("SKYTRAIL_PICTURES"):
        Path(folder, f"log {name}.json").write_text(json.dumps(tasks))
    assert max(tasks, default=0) < 3_000
