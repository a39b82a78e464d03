"""A person edits and runs a DAG, in a real browser."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dags_app.models import Dag, DagVersion
from runs_app.models import DagRun
from skytrail.security.secrets import keeping
from skytrail.security.secrets.finding import find_connection, find_variable
from skytrail.security.secrets.values import ConnectionValue
from tests.dead_letters import dead_letter, listed
from tests.factories import save_dag, start_run

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.web.conftest import OpenPage

pytestmark = pytest.mark.timeout(180)


def add_task(
    page: Page, name: str, *, kind: str = "empty", main: str = "", after: str = ""
) -> None:
    """Writes one more task card, as a person does."""
    page.click("#sky-add")
    card = page.locator("[data-card]").last
    fill_card(card, name, kind=kind, main=main, after=after)


def fill_card(
    card: Locator, name: str, *, kind: str = "empty", main: str = "", after: str = ""
) -> None:
    """Fills in one card."""
    card.locator("[data-field=id] input").fill(name)
    card.locator("[data-field=type] select").select_option(kind)
    if main:
        card.locator("[data-field=main] textarea").fill(main)
    if after:
        card.locator("[data-field=depends_on] input").fill(after)


def picture(page: Page, name: str) -> None:
    """Keeps what the page looks like, where SKYTRAIL_PICTURES names a folder."""
    if folder := os.environ.get("SKYTRAIL_PICTURES"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


def test_a_dag_is_written_corrected_changed_and_run(open_page: OpenPage) -> None:
    page = open_page()
    picture(page, "index-empty")
    page.click("text=Add a DAG")
    page.fill("[name=name]", "shop.daily")
    page.fill("[name=cron]", "0 25 * * *")
    first = page.locator("[data-card]").first
    fill_card(first, "fetch", kind="bash", main="echo hello")
    add_task(page, "count", kind="bash", main="wc -l", after="fetsch")
    add_task(page, "tell", after="count")
    page.click("text=Save >> nth=-1")

    page.wait_for_selector("text=Nothing has been saved: 2 problems")
    picture(page, "dag-problems")
    assert "'fetch'" in page.locator("[data-card]").nth(1).locator(".sky-error").inner_text()
    assert page.locator("[data-field=cron] .sky-error").count() == 1
    assert not Dag.objects.exists()
    # What was typed is still there.
    assert page.locator("[data-field=main] textarea").first.input_value() == "echo hello"

    page.fill("[name=cron]", "0 5 * * *")
    page.locator("[data-card]").nth(1).locator("[data-field=depends_on] input").fill("fetch")
    page.locator("button[name=_save]").click()
    page.wait_for_selector("text=Saved shop.daily as version 1")
    picture(page, "dag-saved")
    dag = Dag.objects.get()
    assert dag.version is not None
    assert dag.version.number == 1

    # Renaming a task takes those along that wait for it.
    card = page.locator("[data-card]").first
    card.locator("summary").first.click()
    card.locator("[data-field=id] input").fill("load")
    card.locator("[data-field=id] input").press("Tab")
    page.locator("button[name=_continue]").click()
    page.wait_for_selector("text=Saved shop.daily as version 2")
    assert DagVersion.objects.filter(dag=dag).count() == 2
    after = {task.task_id: task for task in dag.tasks.all()}
    assert [edge.upstream.task_id for edge in after["count"].dependencies.all()] == ["load"]

    page.locator("a:has-text('Trigger')").first.click()
    page.wait_for_selector("[name=conf]")
    picture(page, "trigger")
    page.locator("button:has-text('Trigger')").click()
    page.wait_for_selector("text=Triggered shop.daily")
    page.wait_for_selector("#run .sky-badge")
    picture(page, "run")
    run = DagRun.objects.get()
    assert run.version.number == 2
    assert page.locator("#tasks tbody tr").count() == 3


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("dark", [False, True])
def test_no_page_is_wider_than_the_screen(open_page: OpenPage, *, width: int, dark: bool) -> None:
    dag = save_dag(
        {"fetch": [], "count": ["fetch"], "tell": ["fetch", "count"]},
        name="shop.daily",
        description="Counts what has been sold, and tells the shop.",
        cron="0 5 * * *",
        tags=["shop", "daily"],
        owner="alice",
        params={"day": {"type": "string", "default": "monday", "description": "Which day."}},
        tasks={"fetch": {"type": "bash", "command": "curl -s https://shop/sales\nwc -l"}},
    )
    save_dag({"a": []}, name="other", description="العربية 🚀", tags=["shop"])
    run = start_run(dag)
    letter = dead_letter("stock.hourly", message="psycopg.OperationalError: " + "no route " * 40)
    dead_letter("other", reason="worker_lost", message="its worker was lost 6 times")
    connection = keeping.keep_connection(
        ConnectionValue(
            conn_id="warehouse." + "long" * 20,
            conn_type="postgresql",
            host="db.example.org",
            password="a password",
            extra={"sslmode": "require", "options": "-c search_path=" + "sales," * 40},
        ),
        description="Where the sales are. " * 10,
    )
    keeping.keep_variable("region", "north", description="Which of them.")
    page = open_page(width=width, dark=dark)
    page.wait_for_selector("text=Next by schedule")
    look = f"{width}-{'dark' if dark else 'light'}"
    pages = {
        "index": "/admin/",
        "dags": "/admin/dags_app/dag/",
        "dag": f"/admin/dags_app/dag/{dag.pk}/change/",
        "dag-json": f"/admin/dags_app/dag/{dag.pk}/change/?json",
        "add": "/admin/dags_app/dag/add/",
        "version": f"/admin/dags_app/dagversion/{dag.version_id}/change/",
        "versions": "/admin/dags_app/dagversion/",
        "trigger": "/admin/runs_app/dagrun/trigger/?dag=shop.daily",
        "runs": "/admin/runs_app/dagrun/",
        "run": f"/admin/runs_app/dagrun/{run.pk}/change/",
        "tasks": "/admin/runs_app/taskrun/",
        "task": f"/admin/runs_app/taskrun/{run.task_runs.order_by('position')[0].pk}/change/",
        "dead-letters": "/admin/runs_app/deadletter/",
        "dead-letter": f"/admin/runs_app/taskrun/{letter.pk}/change/",
        "transitions": "/admin/runs_app/transition/",
        "periodic": "/admin/django_celery_beat/periodictask/",
        "periodic-add": "/admin/django_celery_beat/periodictask/add/",
        "users": "/admin/auth/user/",
        "token-add": "/admin/skytrail_security/apitoken/add/",
        "connections": "/admin/skytrail_security/connection/",
        "connection": f"/admin/skytrail_security/connection/{connection.pk}/change/",
        "variables": "/admin/skytrail_security/variable/",
        "variable-add": "/admin/skytrail_security/variable/add/",
    }
    too_wide = {}
    for name, address in pages.items():
        page.goto(address)
        page.wait_for_load_state("load")
        if name == "dag":
            page.locator("[data-card] summary").first.click()
        picture(page, f"{look}-{name}")
        extra = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        if extra > 0:
            too_wide[name] = extra
    assert too_wide == {}


def test_runs_are_filtered_by_choosing_a_dag(open_page: OpenPage) -> None:
    for name in ("shop", "stock"):
        start_run(save_dag({"a": []}, name=name), run_id=f"{name}-run")
    page = open_page()
    page.goto("/admin/runs_app/dagrun/")
    page.click("text=Filters")
    page.wait_for_selector("text=Apply Filters")
    picture(page, "filters")
    page.locator(".select2-selection").first.click()
    page.locator(".select2-results__option:has-text('stock')").click()
    page.click("text=Apply Filters")
    page.wait_for_url("**dag__id__exact=**")

    assert page.locator("#result_list >> text=stock-run").count() == 1
    assert page.locator("#result_list >> text=shop-run").count() == 0


def test_two_people_edit_at_once(open_page: OpenPage) -> None:
    dag = save_dag({"a": []}, name="shop")
    page = open_page()
    page.goto(f"/admin/dags_app/dag/{dag.pk}/change/")
    page.fill("[name=description]", "mine")
    save_dag({"a": [], "b": ["a"]}, name="shop")

    page.locator("button[name=_save]").click()
    page.wait_for_selector("text=Somebody else has saved this DAG")
    picture(page, "stale")
    assert page.input_value("[name=description]") == "mine"

    page.click("text=Save mine over version 2")
    page.wait_for_selector("text=Saved shop as version 3")
    dag.refresh_from_db()
    assert dag.description == "mine"


def test_dependencies_are_suggested_and_cards_come_back(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/admin/dags_app/dag/add/")
    page.fill("[name=name]", "shop")
    fill_card(page.locator("[data-card]").first, "fetch")
    add_task(page, "count")
    second = page.locator("[data-card]").nth(1)
    second.locator("[data-field=depends_on] input").focus()
    second.locator("text=+ fetch").click()
    assert second.locator("[data-field=depends_on] input").input_value() == "fetch"

    first = page.locator("[data-card]").first
    first.locator("[data-remove]").click()
    picture(page, "removed")
    first.locator("[data-remove]").click()
    page.locator("button[name=_save]").click()

    page.wait_for_selector("text=Saved shop as version 1")
    assert sorted(Dag.objects.get().tasks.values_list("task_id", flat=True)) == ["count", "fetch"]


def test_dead_letters_are_dropped_by_choosing_them(open_page: OpenPage) -> None:
    for name in ("shop", "stock", "other"):
        dead_letter(name, reason="timeout" if name == "other" else "exit_code")
    page = open_page()
    page.click("text=3 dead letters")
    page.click("text=Filters")
    page.wait_for_selector("text=Apply Filters")
    picture(page, "letters-filters")
    page.select_option("[name=reason]", "exit_code")
    page.click("text=Apply Filters")
    page.wait_for_url("**reason=exit_code**")
    assert page.locator("#result_list tbody tr").count() == 2

    page.check("#action-toggle")
    page.select_option("[name=action]", "drop_selected")
    picture(page, "letters-action")
    page.click("button:has-text('Run'):visible")
    page.wait_for_selector("text=Dead letters dropped: 2.")
    picture(page, "letters-dropped")
    assert listed() == ["other first extract"]


def test_a_connection_is_written_corrected_and_tested(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/admin/skytrail_security/connection/add/")
    page.fill("[name=conn_id]", "shop")
    page.fill("[name=conn_type]", "https")
    page.fill("[name=host]", "shop.example.org")
    page.fill("[name=password]", "s3cret-canary")
    page.fill("[name=extra]", '{"token": "t0ken-canary"}')
    page.fill("[name=port]", "0")
    page.locator("button[name=_continue]").click()
    page.wait_for_selector("text=type it anew")
    assert page.locator("text=type it anew").count() == 2
    assert page.input_value("[name=password]") == ""
    assert "canary" not in page.content()

    page.fill("[name=port]", "443")
    page.fill("[name=password]", "s3cret-canary")
    page.fill("[name=extra]", '{"token": "t0ken-canary"}')
    page.locator("button[name=_continue]").click()
    page.wait_for_selector("text=Take away the one that is kept")
    assert "canary" not in page.content()
    page.locator("text=Test >> nth=-1").click()
    page.wait_for_selector("text=Tested on worker@default: shop answered")
    found = find_connection("shop")
    assert (found.port, found.password) == (443, "s3cret-canary")
    assert found.extra == {"token": "t0ken-canary"}


def test_a_secret_variable_is_dotted_while_it_is_written(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/admin/skytrail_security/variable/add/")
    page.fill("[name=key]", "key")
    page.fill("[name=value]", "two\nlines")
    dots = "getComputedStyle(document.querySelector('#id_value')).webkitTextSecurity"
    assert page.evaluate(dots) == "disc"
    page.locator("label", has_text="Secret").first.click()
    assert page.evaluate(dots) == "none"
    page.locator("label", has_text="Secret").first.click()
    page.locator("button[name=_save]").click()
    page.wait_for_selector("text=was added successfully")
    assert find_variable("key") == "two\nlines"
