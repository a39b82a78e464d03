"""Masking secrets."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skytrail.security.redaction import MASK, Redactor, looks_secret

SECRET = "p@ss w/ö?rd"


@pytest.mark.parametrize(
    "spelled",
    [
        SECRET,
        quote(SECRET, safe=""),
        json.dumps(SECRET),
        repr(SECRET),
        base64.b64encode(SECRET.encode()).decode(),
        base64.b64encode(f"user:{SECRET}".encode()).decode(),
    ],
    ids=["plain", "url", "json", "repr", "base64", "basic"],
)
def test_a_secret_is_found_in_each_spelling(spelled: str) -> None:
    shown = Redactor([SECRET]).text(f"before {spelled} after")
    assert MASK in shown
    assert spelled not in shown
    assert shown.startswith("before ")
    assert shown.endswith(" after")


def test_of_two_that_begin_alike_the_longer_one_is_masked() -> None:
    assert Redactor(["abc", "abcdef"]).text("x abcdef y abc") == "x *** y ***"


def test_secrets_that_overlap_are_both_masked() -> None:
    assert Redactor(["abcd", "cdef"]).text("abcdef!") == "***!"


def test_short_ones_are_left_alone() -> None:
    assert Redactor(["a", ""]).text("a banana") == "a banana"


def test_values_are_masked_by_content_and_by_name() -> None:
    value = {"user": "u", "db_password": "x", "list": ["canary", 1, None], "api-key": 5, "ok": True}
    assert Redactor(["canary"]).value(value) == {
        "user": "u",
        "db_password": MASK,
        "list": [MASK, 1, None],
        "api-key": MASK,
        "ok": True,
    }


def test_a_number_that_is_the_secret_is_masked() -> None:
    assert Redactor(["12345"]).value({"pin": 12345}) == {"pin": MASK}


@pytest.mark.parametrize(
    "name", ["password", "DB_PASSWORD", "Api-Key", "authToken", "client_secret"]
)
def test_a_name_tells(name: str) -> None:
    assert looks_secret(name)


@given(st.text(min_size=3, max_size=20), st.text(max_size=40), st.text(max_size=40))
def test_no_text_keeps_the_secret(secret: str, before: str, after: str) -> None:
    shown = Redactor([secret]).text(before + secret + after)
    # The mask itself can make a secret of stars, and of nothing else.
    assert secret not in shown or set(secret) & set(MASK)


def test_it_tells_nothing_itself() -> None:
    assert "canary" not in repr(Redactor(["canary"]))
