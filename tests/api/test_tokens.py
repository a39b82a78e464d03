"""Getting in with a bearer token, and staying out without one."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.serializers import serialize
from django.utils import timezone

from skytrail.security import tokens
from skytrail.security.models import ApiToken
from tests.api.checking import CheckedClient
from tests.api.stories import problems_of

PASSWORD = "bob's password"


def log_in(client: CheckedClient, **credentials: object) -> dict[str, object]:
    """What POST auth/token answers."""
    answer = client.post("auth/token", {"username": "bob", "password": PASSWORD} | credentials)
    assert answer.status_code == 200, answer.content
    return dict(answer.json())


def test_a_password_is_exchanged_for_a_token(bob: User, as_nobody: CheckedClient) -> None:
    given = log_in(as_nobody)
    assert given["token_type"] == "bearer"
    assert given["expires_in"] == 24 * 3600
    as_nobody.credentials(HTTP_AUTHORIZATION=f"Bearer {given['access_token']}")
    assert as_nobody.get("dags").status_code == 200


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer "])
def test_the_schemes_case_and_blanks_do_not_matter(
    scheme: str, bob: User, as_nobody: CheckedClient
) -> None:
    as_nobody.credentials(HTTP_AUTHORIZATION=f"{scheme} {log_in(as_nobody)['access_token']}")
    assert as_nobody.get("dags").status_code == 200


@pytest.mark.parametrize(
    ("name", "password"),
    [("bob", "wrong"), ("nobody", PASSWORD), ("BOB", PASSWORD), ("bob", PASSWORD + " ")],
)
def test_which_of_both_is_wrong_is_not_told(
    name: str, password: str, bob: User, as_nobody: CheckedClient
) -> None:
    answer = as_nobody.post("auth/token", {"username": name, "password": password})
    assert answer.status_code == 401
    assert answer.json()["error"] == {
        "code": "login_failed",
        "message": "The username or the password is wrong.",
        "problems": [],
    }
    assert not ApiToken.objects.exists()


def test_an_account_that_is_switched_off_gets_no_token(bob: User, as_nobody: CheckedClient) -> None:
    User.objects.filter(pk=bob.pk).update(is_active=False)
    answer = as_nobody.post("auth/token", {"username": "bob", "password": PASSWORD})
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "login_failed"


@pytest.mark.parametrize("body", [{}, {"username": "bob"}, {"username": "b\0b", "password": "x"}])
def test_what_is_missing_is_named(body: dict[str, str], as_nobody: CheckedClient) -> None:
    answer = as_nobody.post("auth/token", body)
    assert answer.status_code == 400
    assert problems_of(answer)


def test_without_a_token_the_way_in_is_shown(as_nobody: CheckedClient) -> None:
    answer = as_nobody.get("dags")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="skytrail"'
    assert "POST /api/v1/auth/token" in answer.json()["error"]["message"]


@pytest.mark.parametrize("text", ["x", "sky_x", "", "\xff\xfe", "a b c", "sky_" + "x" * 5000])
def test_a_token_that_was_never_given_out_is_refused(
    text: str, db: None, as_nobody: CheckedClient
) -> None:
    as_nobody.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
    answer = as_nobody.get("dags")
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "unknown_token"


def test_other_schemes_are_nobody(as_nobody: CheckedClient) -> None:
    as_nobody.credentials(HTTP_AUTHORIZATION="Basic Ym9iOmJvYg==")
    assert as_nobody.get("dags").json()["error"]["code"] == "not_authenticated"


def test_an_expired_token_says_when_and_what_to_do(bob: User, as_nobody: CheckedClient) -> None:
    issued = tokens.issue(user=bob, ttl=timedelta(seconds=-1))
    as_nobody.credentials(HTTP_AUTHORIZATION=f"Bearer {issued.text}")
    answer = as_nobody.get("dags")
    assert answer.status_code == 401
    error = answer.json()["error"]
    assert error["code"] == "token_expired"
    assert f"{issued.token.expires_at:%Y-%m-%d %H:%M} UTC" in error["message"]
    assert "POST /api/v1/auth/token" in error["message"]


def test_an_expired_token_does_not_keep_from_getting_a_new_one(
    bob: User, as_nobody: CheckedClient
) -> None:
    old = tokens.issue(user=bob, ttl=timedelta(seconds=-1))
    as_nobody.credentials(HTTP_AUTHORIZATION=f"Bearer {old.text}")
    assert log_in(as_nobody)["access_token"]


def test_a_revoked_token_is_dead_at_once_and_others_live(as_bob: CheckedClient, bob: User) -> None:
    other = CheckedClient()
    other.credentials(HTTP_AUTHORIZATION=f"Bearer {log_in(other)['access_token']}")
    assert as_bob.delete("auth/token").status_code == 204
    answer = as_bob.get("dags")
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "unknown_token"
    assert other.get("dags").status_code == 200


def test_a_token_is_stored_and_logged_nowhere_in_plain(
    bob: User, as_nobody: CheckedClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        text = str(log_in(as_nobody)["access_token"])
        as_nobody.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
        as_nobody.get("dags/nothing")
    secret = text.removeprefix(tokens.PREFIX)
    assert secret not in serialize("json", ApiToken.objects.all())
    assert len(ApiToken.objects.get().digest) == 64
    said = "\n".join(record.getMessage() for record in caplog.records)
    assert said, "something is logged"
    assert secret not in said
    assert PASSWORD not in said


def test_the_answer_with_a_token_is_not_to_be_cached(bob: User, as_nobody: CheckedClient) -> None:
    answer = as_nobody.post("auth/token", {"username": "bob", "password": PASSWORD})
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_last_use_is_noted_now_and_then(as_bob: CheckedClient, bob: User) -> None:
    before = timezone.now() - timedelta(hours=1)
    ApiToken.objects.update(last_used_at=before)
    as_bob.get("dags")
    noted = ApiToken.objects.get().last_used_at
    assert noted > before
    as_bob.get("dags")
    assert ApiToken.objects.get().last_used_at == noted


def test_old_tokens_are_pruned_and_recent_ones_still_told_that_they_expired(bob: User) -> None:
    tokens.issue(user=bob, ttl=timedelta(days=-8))
    recent = tokens.issue(user=bob, ttl=timedelta(days=-6))
    tokens.prune()
    assert list(ApiToken.objects.all()) == [recent.token]


# ---------------------------------------------------------------- too many tries


def test_guessing_is_slowed_down(bob: User, as_nobody: CheckedClient) -> None:
    for _ in range(20):
        wrong = as_nobody.post("auth/token", {"username": "bob", "password": "guess"})
        assert wrong.status_code == 401
    answer = as_nobody.post("auth/token", {"username": "bob", "password": PASSWORD})
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 60


def test_a_made_up_forwarding_header_does_not_start_a_new_count(
    bob: User, as_nobody: CheckedClient
) -> None:
    for number in range(21):
        answer = as_nobody.post(
            "auth/token",
            {"username": "bob", "password": "guess"},
            headers={"X-Forwarded-For": f"10.0.0.{number}"},
        )
    assert answer.status_code == 429


def test_others_may_try_from_their_address(bob: User, as_nobody: CheckedClient) -> None:
    for _ in range(21):
        as_nobody.post("auth/token", {"username": "bob", "password": "guess"})
    elsewhere = CheckedClient(REMOTE_ADDR="10.1.1.1")
    assert log_in(elsewhere)["access_token"]
