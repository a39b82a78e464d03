"""Keeping secrets out of what people read: logs, answers, rendered fields, error messages.

Two nets. The values that are known to be secret are masked wherever they stand, also in the other
spellings that programs give them; and in mappings, whatever stands under a name like `password`.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "***"

#: Shorter ones are not looked for: masking each `a` would leave nothing to read, and would tell
#: what the secret is.
MIN_LENGTH = 3

#: Parts of names, written together and in lower case. Airflow's, and some more.
_NAMES = (
    "accesskey", "accountkey", "apikey", "authorization", "bearer", "connectionstring", "cookie",
    "credential", "dsn", "encryptionkey", "keyfile", "passphrase", "passwd", "password",
    "privatekey", "proxies", "proxy", "pwd", "secret", "serviceaccount", "signature", "token",
)  # fmt: skip

#: A piece of base64 that is shorter than this could be anything.
_MIN_PIECE = 8


def looks_secret(name: str) -> bool:
    """Whether something of this name is likely to be a secret: `password`, `Api-Key`, `TOKEN_2`."""
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    return any(part in plain for part in _NAMES)


class Redactor:
    """Masks `secrets`, and what looks like one by its name. Knows no other moment than its own."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        spellings = {form for secret in secrets for form in _spellings(secret)}
        #: Of the longest spelling: who reads a stream in pieces keeps back one less than this.
        self.longest = max(map(len, spellings), default=0)
        # The longest first: of two that begin alike, the longer one is masked.
        ordered = sorted(spellings, key=lambda form: (-len(form), form))
        alternatives = "|".join(map(re.escape, ordered))
        self._any = re.compile(alternatives) if ordered else None
        # Looks at each place, so that secrets which overlap are both found.
        self._each = re.compile(f"(?=({alternatives}))")

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def text(self, text: str) -> str:
        """`text` with a mask in place of each secret."""
        if self._any is None or not self._any.search(text):
            return text
        shown = []
        end = 0
        for begin, until in _merged(match.span(1) for match in self._each.finditer(text)):
            shown += [text[end:begin], MASK]
            end = until
        return "".join([*shown, text[end:]])

    def value(self, value: Any) -> Any:
        """A copy of a JSON value, with masks in its texts, its keys and under secret names."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.value(key): self._under(key, inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(inner) for inner in value]
        if isinstance(value, int | float) and not isinstance(value, bool):
            # A password of digits, read as a number by somebody.
            return value if self.text(str(value)) == str(value) else MASK
        return value

    def known(self, value: Any) -> Any:
        """The same, but by the known secrets alone: a name like `next_page_token` hides nothing."""
        if isinstance(value, Mapping):
            return {self.known(key): self.known(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self.known(inner) for inner in value]
        return self.value(value)

    def _under(self, key: Any, value: Any) -> Any:
        is_something = value is not None and value != "" and not isinstance(value, bool)
        if is_something and isinstance(key, str) and looks_secret(key):
            return MASK
        return self.value(value)


def _merged(spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Spans in order of their begin, with those made one that overlap."""
    current: tuple[int, int] | None = None
    for begin, end in spans:
        if current is not None and begin < current[1]:
            current = (current[0], max(current[1], end))
            continue
        if current is not None:
            yield current
        current = (begin, end)
    if current is not None:
        yield current


def _spellings(secret: str) -> Iterator[str]:
    """The secret as programs write it; of one with several lines, each line too."""
    for text in {secret, secret.strip(), *(line.strip() for line in secret.splitlines())}:
        if len(text) >= MIN_LENGTH:
            yield from _written(text)


def _written(text: str) -> Iterator[str]:
    yield text
    yield repr(text)[1:-1]
    for ascii_only in (True, False):
        yield json.dumps(text, ensure_ascii=ascii_only)[1:-1]
    raw = text.encode("utf-8", "surrogatepass")
    yield quote(raw, safe="")
    yield quote(raw)
    yield quote_plus(raw)
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(raw).decode().rstrip("=")
        # Inside something longer it begins at any of three places of a group of bytes; what is
        # mixed with the neighbours' bits is left off at both ends.
        for before in range(3):
            piece = encode(b"\0" * before + raw).decode().rstrip("=")
            cut = (0, 2, 3)[before]
            whole = (before + len(raw)) * 8 // 6
            if len(piece[cut:whole]) >= _MIN_PIECE:
                yield piece[cut:whole]
