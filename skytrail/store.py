"""Where large things are kept: a folder, S3, or whatever else fsspec has a driver for.

Objects are written once, under keys that nobody uses again, and read whole. Who keeps one writes
down its size and digest afterwards: what is only half written is never asked for.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from typing import IO, Any, BinaryIO
from urllib.parse import urlsplit, urlunsplit

from skytrail.errors import SkytrailError, Unavailable

#: The key by which what stands for something in the store is known among other JSON objects.
HANDLE = "$artifact"

#: Bytes that are copied at a time.
PIECE = 1024 * 1024


class StoreFailed(Unavailable):
    """The artifact store ({where}) does not {what}: {reason}. See SKYTRAIL_ARTIFACTS_URL."""


class Damaged(SkytrailError):
    """What the artifact store ({where}) has under {key} is not what was kept there: its SHA-256 is
    another.
    """


@dataclass(frozen=True, slots=True)
class Stored:
    """What was written: bytes, and their SHA-256 in hexadecimal digits."""

    size: int
    sha256: str


class Store:
    """A place that a URL names, `file:///srv/artifacts` or `s3://bucket/prefix`; or a folder.

    `options` are the driver's. Everything here raises `StoreFailed` where the place does not do
    what it is asked.
    """

    def __init__(self, url: str, options: Mapping[str, Any] | None = None) -> None:
        self._url = url
        self._options = dict(options or {})

    @property
    def where(self) -> str:
        """The URL as people may see it."""
        parts = urlsplit(self._url)
        return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query=""))

    def write(self, key: str, source: IO[bytes]) -> Stored:
        """Keeps all that can be read from `source`."""
        digest, size = hashlib.sha256(), 0
        with self._answering("take an object"):
            file_system, root = self._place
            path = f"{root}/{key}"
            if _has_folders(file_system):
                file_system.makedirs(path.rpartition("/")[0], exist_ok=True)
            with file_system.open(path, "wb") as file:
                while piece := source.read(PIECE):
                    file.write(piece)
                    digest.update(piece)
                    size += len(piece)
                file.flush()
                with suppress(AttributeError, OSError):  # only files on a disk of ours have one
                    os.fsync(file.fileno())
        return Stored(size, digest.hexdigest())

    def pieces(self, key: str) -> Iterator[bytes]:
        """What was kept, a piece at a time."""
        with self._answering("give an object back"):
            file_system, root = self._place
            with file_system.open(f"{root}/{key}", "rb") as file:
                while piece := file.read(PIECE):
                    yield piece

    def read(self, key: str, sink: BinaryIO, *, sha256: str) -> None:
        """Writes what was kept into `sink`. Raises `Damaged` where it is something else."""
        digest = hashlib.sha256()
        for piece in self.pieces(key):
            digest.update(piece)
            sink.write(piece)
        if digest.hexdigest() != sha256:
            raise Damaged(where=self.where, key=key)

    def delete(self, key: str) -> None:
        """Forgets an object, if there is one; and the folder that it had for itself."""
        with self._answering("forget an object"):
            file_system, root = self._place
            path = f"{root}/{key}"
            with suppress(FileNotFoundError):
                file_system.rm_file(path)
            if _has_folders(file_system):
                with suppress(OSError):
                    file_system.rmdir(path.rpartition("/")[0])

    @cached_property
    def _place(self) -> tuple[Any, str]:
        # It takes a while, and most processes never need it.
        from fsspec.core import url_to_fs  # noqa: PLC0415

        file_system, root = url_to_fs(self._url, **self._options)
        return file_system, str(root).rstrip("/")

    @contextmanager
    def _answering(self, what: str) -> Iterator[None]:
        try:
            yield
        except SkytrailError:
            raise
        except Exception as error:
            # Each driver has exceptions of its own.
            reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
            raise StoreFailed(where=self.where, what=what, reason=self._masked(reason)) from error

    def _masked(self, text: str) -> str:
        """`text` without what a driver might repeat of its credentials."""
        flat = json.dumps(self._options)
        secrets = [urlsplit(self._url).password, *json.loads(flat, object_hook=_values)]
        for secret in secrets:
            if isinstance(secret, str) and len(secret) > 3:
                text = text.replace(secret, "***")
        return text


def _has_folders(file_system: Any) -> bool:
    """Whether folders are to be made. Where there are none a driver may make, or remove, a bucket
    instead.
    """
    from fsspec.implementations.local import LocalFileSystem  # noqa: PLC0415

    return isinstance(file_system, LocalFileSystem)


def _values(document: dict[str, Any]) -> list[Any]:
    """All values of nested objects."""
    found: list[Any] = []
    for value in document.values():
        found += value if isinstance(value, list) else [value]
    return found
