"""Secrets are encrypted: readable with any of the keys, and never without."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from skytrail.embedded.home import Home
from skytrail.security.vault import CannotBeDecrypted, KeyUnusable, NoKey, Vault

OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_what_is_encrypted_comes_back(text: str) -> None:
    assert Vault([NEW]).decrypt(Vault([NEW]).encrypt(text)) == text


def test_the_secret_is_not_to_be_seen_in_what_is_stored() -> None:
    assert "canary" not in Vault([NEW]).encrypt("canary")


def test_a_new_key_in_front_reads_what_the_old_one_wrote_and_takes_it_over() -> None:
    stored = Vault([OLD]).encrypt("canary")
    assert Vault([NEW, OLD]).decrypt(stored) == "canary"
    assert Vault([NEW]).decrypt(Vault([NEW, OLD]).rotated(stored)) == "canary"


@pytest.mark.parametrize(
    "stored",
    [Vault([OLD]).encrypt("canary"), "nonsense", ""],
    ids=["another key's", "nonsense", "empty"],
)
def test_what_another_key_wrote_is_refused(stored: str) -> None:
    for use in (Vault([NEW]).decrypt, Vault([NEW]).rotated):
        with pytest.raises(CannotBeDecrypted, match="SKYTRAIL_FERNET_KEYS"):
            use(stored)


def test_without_a_key_nothing_is_encrypted_and_the_message_says_how_to_make_one() -> None:
    with pytest.raises(NoKey, match="skytrail make-fernet-key") as refused:
        Vault([]).encrypt("canary")
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize(
    "key", ["", "short", "ключ", NEW[:-3]], ids=["empty", "short", "letters", "cut off"]
)
def test_a_key_that_is_none_is_named_by_its_number_and_not_shown(key: str) -> None:
    with pytest.raises(KeyUnusable, match="number 2") as refused:
        Vault([NEW, key])
    assert not key or key not in str(refused.value)


def test_a_secret_of_the_data_folder_is_a_key(tmp_path: Path) -> None:
    vault = Vault([Home(tmp_path / "data").create().secret("fernet-key")])
    assert vault.decrypt(vault.encrypt("canary")) == "canary"
