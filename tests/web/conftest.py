"""The admin, seen through Django's client and through a real browser."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection, connections
from django.test import Client
from pytest_django import DjangoDbBlocker
from pytest_django.live_server_helper import LiveServer

from tests.api.processes import Web, started_web
from tests.waiting import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))


def staff(name: str, *permissions: str) -> User:
    """Somebody who may enter the admin, with these permissions."""
    user = User.objects.create_user(name, password=f"{name}'s password", is_staff=True)
    for permission in permissions:
        app, codename = permission.split(".")
        user.user_permissions.add(
            Permission.objects.get(content_type__app_label=app, codename=codename)
        )
    return User.objects.get(pk=user.pk)


def logged_in(user: User) -> Client:
    """A client in which `user` has logged in."""
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def editor(db: None) -> Client:
    """Of somebody who may do everything with DAGs."""
    verbs = ("view", "add", "change", "delete", "run")
    return logged_in(staff("edith", *(f"dags_app.{verb}_dag" for verb in verbs)))


@pytest.fixture
def viewer(db: None) -> Client:
    """Of somebody who may look at DAGs and runs."""
    return logged_in(staff("victor", "dags_app.view_dag"))


@pytest.fixture
def root(admin: User) -> Client:
    """Of a superuser."""
    return logged_in(admin)


# ------------------------------------------------------------------- a browser


@pytest.fixture(scope="module")
def chromium(server: LiveServer) -> Iterator[Browser]:
    """Debian's browser, without a screen. Closed before the server is, and with it its requests."""
    if not CHROMIUM.exists():
        pytest.skip(
            f"no browser: {CHROMIUM} does not exist (apt install chromium, or set CHROMIUM)"
        )
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    # The driver runs a loop in this thread; Django would take every query for one inside it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    try:
        with sync_api.sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"]
            )
            yield browser
            browser.close()
            # Beside a loop Django has other connections than without one.
            connections.close_all()
    finally:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="module")
def server(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[LiveServer]:
    """The pages over HTTP. pytest-django's own fixture would empty all of Django's tables too."""
    with django_db_blocker.unblock():
        before = _others()
    server = LiveServer("127.0.0.1")
    yield server
    server.stop()
    # Its threads let go of the database, which is deleted in the end.
    with django_db_blocker.unblock():
        wait_until(lambda: _others() <= before, timeout=30, what="nobody else is connected")


def _others() -> set[int]:
    """Who else is connected to the tests' database."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return {pid for (pid,) in cursor.fetchall()}


@pytest.fixture(scope="module")
def web(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Web]:
    """The web process, as `skytrail web` starts it: only there streams go on."""
    with django_db_blocker.unblock(), started_web(tmp_path_factory.mktemp("web")) as started:
        yield started


@pytest.fixture
def site(committing: None, server: LiveServer) -> str:
    """The address of a running server, with an `admin` to log in as."""
    User.objects.create_superuser("admin", password="admin's password")
    return server.url


OpenPage = Callable[..., "Page"]


@pytest.fixture
def open_page(chromium: Browser, site: str) -> Iterator[OpenPage]:
    """Opens windows that have logged in; at their end no script may have failed in them."""
    contexts: list[BrowserContext] = []
    failures: list[str] = []

    def make(*, width: int = 1280, height: int = 900, dark: bool = False) -> Page:
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            base_url=site,
        )
        contexts.append(context)
        context.set_default_timeout(15_000)
        page = context.new_page()
        page.on("pageerror", lambda error: failures.append(str(error)))
        page.on("request", lambda request: _stays_here(request.url, site, failures))
        page.goto("/admin/")
        page.fill("[name=username]", "admin")
        page.fill("[name=password]", "admin's password")
        page.press("[name=password]", "Enter")
        page.wait_for_selector("text=Latest runs")
        return page

    yield make
    for context in contexts:
        context.close()
    assert failures == []


def _stays_here(url: str, site: str, failures: list[str]) -> None:
    if not url.startswith((site, "data:", "blob:")):
        failures.append(f"another host is asked: {url}")
