"""Browsers: the login page, sessions, and that no other site can act in one."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.api.stories import told

LOGIN = "/admin/login/"


@pytest.fixture
def browser() -> Client:
    """A browser that insists on CSRF tokens, as real servers do."""
    return Client(enforce_csrf_checks=True)


def log_in(browser: Client, name: str, *, password: str = "", to: str = "") -> int:
    """Fills in the form; the status."""
    page = browser.get(LOGIN, {"next": to} if to else None)
    token = page.cookies["csrftoken"].value
    answer = browser.post(
        f"{LOGIN}?next={to}" if to else LOGIN,
        {
            "username": name,
            "password": password or f"{name}'s password",
            "csrfmiddlewaretoken": token,
        },
    )
    browser.last = answer  # type: ignore[attr-defined]
    return answer.status_code


def test_whoever_is_not_logged_in_comes_to_the_login_page(db: None, browser: Client) -> None:
    answer = browser.get("/api/v1/docs")
    assert answer.status_code == 302
    assert answer.headers["Location"] == f"{LOGIN}?next=/api/v1/docs"


def test_the_session_is_good_for_rest_too(bob: User, browser: Client) -> None:
    assert log_in(browser, "bob") == 302
    assert browser.get("/api/v1/dags").status_code == 200


def test_not_only_staff_may_log_in_and_all_begin_at_home(
    bob: User, admin: User, browser: Client
) -> None:
    log_in(browser, "bob")
    assert browser.get("/").status_code == 200
    other = Client(enforce_csrf_checks=True)
    log_in(other, "admin")
    assert other.get("/").status_code == 200


def test_a_wrong_password_and_a_switched_off_account_read_alike(bob: User, browser: Client) -> None:
    assert log_in(browser, "bob", password="wrong") == 200
    wrong = browser.last.context["form"].non_field_errors()  # type: ignore[attr-defined]
    User.objects.filter(pk=bob.pk).update(is_active=False)
    assert log_in(browser, "bob") == 200
    assert browser.last.context["form"].non_field_errors() == wrong  # type: ignore[attr-defined]


def test_the_session_changes_its_key_at_login(bob: User, browser: Client) -> None:
    planted = "planted0planted0planted0planted0"
    browser.cookies["sessionid"] = planted
    log_in(browser, "bob")
    cookie = browser.cookies["sessionid"]
    assert cookie.value != planted
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


def test_the_login_leads_to_no_other_site(bob: User, browser: Client) -> None:
    log_in(browser, "bob", to="https://evil.example/")
    assert browser.last.headers["Location"] == "/"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("post", "/api/v1/dags"),
        ("put", "/api/v1/dags/story"),
        ("patch", "/api/v1/dags/story"),
        ("delete", "/api/v1/dags/story"),
        ("post", "/api/v1/dags/story/runs"),
        ("post", "/api/v1/dags/story/runs/first/cancel"),
        ("post", "/api/v1/dags/story/runs/first/clear"),
        ("delete", "/api/v1/auth/token"),
        ("post", "/api/v1/pools"),
    ],
)
def test_nothing_is_changed_in_a_session_without_the_csrf_token(
    method: str, address: str, admin: User, browser: Client
) -> None:
    told()
    browser.force_login(admin)
    answer = getattr(browser, method)(address, content_type="application/json")
    assert answer.status_code == 403
    assert "CSRF" in answer.json()["error"]["message"]


def test_with_the_token_a_session_may_change_things(admin: User, browser: Client) -> None:
    told()
    log_in(browser, "admin")
    token = browser.cookies["csrftoken"].value
    answer = browser.post(
        "/api/v1/dags/story/runs/first/cancel",
        content_type="application/json",
        headers={"X-CSRFToken": token},
    )
    assert answer.status_code == 200


def test_guessing_is_slowed_down_here_too(bob: User, browser: Client) -> None:
    for _ in range(20):
        assert log_in(browser, "bob", password="guess") == 200
    assert log_in(browser, "bob") == 429
    assert int(browser.last.headers["Retry-After"]) > 0  # type: ignore[attr-defined]
