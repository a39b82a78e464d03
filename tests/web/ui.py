"""A person at a browser, looking at the real web process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import User
from django.test import Client, override_settings

from tests.api.processes import SECRET_KEY

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

#: Has the browser say in its console what the policy has kept it from.
_TELLS = """
document.addEventListener("securitypolicyviolation", (event) => {
  console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`);
});
"""


@dataclass
class Window:
    """A window that has logged in, and what went wrong in it."""

    page: Page
    troubles: list[str] = field(default_factory=list)

    def go(self, address: str) -> Page:
        """Opens a page and waits until its parts have come."""
        self.page.goto(address)
        self.settle()
        return self.page

    def settle(self) -> None:
        """Waits until nothing is being asked for. The stream of moves is never over."""
        self.page.wait_for_function(
            "() => !document.querySelector('.htmx-request') && document.readyState === 'complete'"
        )


@contextmanager
def window(
    browser: Browser,
    site: str,
    user: User,
    *,
    width: int = 1280,
    dark: bool = False,
    **context: Any,
) -> Iterator[Window]:
    """A window of its own, in which `user` has logged in."""
    opened = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if dark else "light",
        base_url=site,
        reduced_motion="reduce",
        **context,
    )
    opened.set_default_timeout(10_000)
    opened.add_init_script(_TELLS)
    opened.add_cookies([{"name": "sessionid", "value": session_of(user), "url": site}])
    page = opened.new_page()
    found = Window(page)
    page.on("pageerror", lambda error: found.troubles.append(f"{page.url}: {error}"))
    page.on("console", lambda line: _note(found, page.url, line))
    page.on("dialog", lambda dialog: _answer(found, dialog))
    page.on("request", lambda request: _stays_here(request.url, site, found))
    try:
        yield found
    finally:
        opened.close()


def session_of(user: User) -> str:
    """A session of `user` that the web process takes for one of its own.

    Logging in by the form is slow, is counted, and has tests of its own.
    """
    client = Client()
    with override_settings(SECRET_KEY=SECRET_KEY):
        client.force_login(user)
    return client.cookies["sessionid"].value


def _answer(found: Window, dialog: Any) -> None:
    found.troubles.append(f"a dialog: {dialog.message}")
    dialog.accept()


def _note(found: Window, url: str, line: Any) -> None:
    if line.type == "error":
        found.troubles.append(f"{url}: {line.text}")


def _stays_here(url: str, site: str, found: Window) -> None:
    if not url.startswith((site, "data:", "blob:")):
        found.troubles.append(f"another host is asked: {url}")
