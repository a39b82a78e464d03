"""Reading request bodies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from rest_framework.parsers import BaseParser

from skytrail.documents import MAX_BYTES, read_json


class StrictJSONParser(BaseParser):
    """JSON as `documents.read_json` takes it: bounded, strict, with an error that says where."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        # One byte more than allowed is enough to know; the rest is never read into memory.
        return read_json(stream.read(MAX_BYTES + 1))
