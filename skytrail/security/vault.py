"""What is secret, as the database may hold it: encrypted with keys that it does not know.

The first of `SKYTRAIL_FERNET_KEYS` encrypts, all of them decrypt: a new key is put in front, and
the old ones stay until everything has been encrypted anew with `rotated`.
"""

from __future__ import annotations

import binascii
from collections.abc import Sequence
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from skytrail.errors import Conflict, Invalid

_MAKE = "skytrail make-fernet-key"


class NoKey(Conflict):
    """There is no key to encrypt secrets with, and none is stored in clear text. Make one with
    `{make}` and give it to all processes as SKYTRAIL_FERNET_KEYS.
    """


class KeyUnusable(Invalid):
    """Key number {number} of SKYTRAIL_FERNET_KEYS cannot be used: a key is 32 bytes in URL-safe
    base64. Make one with `{make}`.
    """


class CannotBeDecrypted(Conflict):
    """A secret was encrypted with a key that is not among SKYTRAIL_FERNET_KEYS. Add that key at the
    end of the list, or save the secret anew.
    """


class Vault:
    """Encrypts and decrypts with `keys`; raises `KeyUnusable` where one is no key.

    Without keys it can be made, so that what needs no secrets runs; using it raises `NoKey`.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        fernets = [_fernet(key, number) for number, key in enumerate(keys, start=1)]
        self._fernets = MultiFernet(fernets) if fernets else None

    def encrypt(self, text: str) -> str:
        """`text`, encrypted with the first key."""
        return self._usable().encrypt(text.encode()).decode()

    def decrypt(self, token: str) -> str:
        """What was encrypted, with whichever of the keys. Raises `CannotBeDecrypted`."""
        try:
            return self._usable().decrypt(token).decode()
        except InvalidToken:
            raise CannotBeDecrypted from None

    def rotated(self, token: str) -> str:
        """The same secret, encrypted with the first key. Raises `CannotBeDecrypted`."""
        try:
            return self._usable().rotate(token).decode()
        except InvalidToken:
            raise CannotBeDecrypted from None

    def _usable(self) -> MultiFernet:
        if self._fernets is None:
            raise NoKey(make=_MAKE)
        return self._fernets


def make_key() -> str:
    """A new key for SKYTRAIL_FERNET_KEYS."""
    return Fernet.generate_key().decode()


def seal(text: str) -> str:
    """`text`, encrypted with the installation's first key. Raises `NoKey`, `KeyUnusable`."""
    return _vault().encrypt(text)


def unseal(token: str) -> str:
    """What `seal` was given. Raises `CannotBeDecrypted`, `NoKey`, `KeyUnusable`."""
    return _vault().decrypt(token)


def reseal(token: str) -> str:
    """The same secret, encrypted with what is the first key now. Raises as `unseal` does."""
    return _vault().rotated(token)


def _vault() -> Vault:
    return _with(tuple(settings.SKYTRAIL_FERNET_KEYS))


@lru_cache(maxsize=4)
def _with(keys: tuple[str, ...]) -> Vault:
    return Vault(keys)


def _fernet(key: str, number: int) -> Fernet:
    """The data folder's secrets are written without base64's padding; it is added here."""
    try:
        return Fernet(key.rstrip("=") + "=")
    except (ValueError, binascii.Error):
        raise KeyUnusable(number=number, make=_MAKE) from None
