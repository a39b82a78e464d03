"""What is wrong with a document as a whole."""

from __future__ import annotations

import json
from typing import Any

from skytrail.errors import Invalid, Problem

#: The largest document that any door takes, in bytes (`reliability` checklist: body ≤ 1 MB).
MAX_BYTES = 1_048_576

#: How deep brackets may be nested. Whoever walks a document may do so recursively.
MAX_DEPTH = 100

TOO_DEEP = f"brackets are nested more than {MAX_DEPTH} deep; flatten the document"
NUMBER_TOO_LONG = "this number has too many digits; write it as text in quotes"


class BadDocument(Invalid):
    """That is not a document Skytrail can take."""


class DocumentTooLarge(Invalid):
    """The document is larger than {limit:,} bytes."""


def bad(code: str, message: str) -> BadDocument:
    """The error for one thing that is wrong with the whole."""
    return BadDocument(problems=[Problem("", code, message)])


def as_text(raw: bytes | str, limit: int) -> str:
    """A document's text. Raises `DocumentTooLarge`, and `BadDocument` for what is not UTF-8."""
    data = raw.encode("utf-8", "surrogatepass") if isinstance(raw, str) else raw
    if len(data) > limit:
        raise DocumentTooLarge(limit=limit, problems=[too_large(len(data), limit)])
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise bad("not_utf8", f"byte {error.start} is not UTF-8; save the file as UTF-8") from None


def oversize(value: Any, *, limit: int = MAX_BYTES) -> Problem | None:
    """The problem with a value (without flaws, see `unstorable`) that is too large as JSON."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    size = len(text.encode())
    return too_large(size, limit) if size > limit else None


def too_large(size: int, limit: int) -> Problem:
    """The problem with so many bytes."""
    return Problem("", "too_large", f"this has {size:,} bytes; at most {limit:,} are taken")
