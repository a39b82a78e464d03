"""`from skytrail.sdk import artifact`: files that tasks leave, for later tasks and for people.

    page = artifact.folder() / "report.html"
    page.write_text(html)
    return artifact.save(page, ttl=timedelta(days=90))

What is returned is a handle. A later task that is given it reads it with `.read_bytes()`,
`.read_text()`, `.json()`, `.open()` or `.download()`; each checks that it is what was saved.
"""

from __future__ import annotations

import io
import json
import tempfile
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO

from runs_app.at_work.here import here
from runs_app.domain.artifacts import Handle, file_name, handle_in, to_keep


class Artifact(Handle):
    """A file that a task has saved: `name`, `media_type`, `size`, `sha256`, `expires_at`.

    Reading it raises `ArtifactGone` when its time was up, `Damaged` where it is not what was saved,
    and `NotAtWork` where no task is executed.
    """

    __slots__ = ()

    def read_bytes(self) -> bytes:
        """All of it."""
        sink = io.BytesIO()
        here("Artifact.read_bytes()").artifacts.read(self.id, sink)
        return sink.getvalue()

    def read_text(self, encoding: str = "utf-8") -> str:
        """All of it, as text."""
        return self.read_bytes().decode(encoding)

    def json(self) -> Any:
        """What it says, read as JSON."""
        return json.loads(self.read_bytes())

    def download(self, to: str | Path | None = None) -> Path:
        """The path of a copy: `to`, or a file of its name in a folder that goes with the task."""
        work = here("Artifact.download()")
        path = Path(to) if to is not None else _free(work.folder.path, self.name)
        with path.open("wb") as sink:
            work.artifacts.read(self.id, sink)
        return path

    def open(self) -> BinaryIO:
        """A copy, opened for reading bytes."""
        return self.download().open("rb")


class ArtifactStore:
    """Where tasks leave files."""

    @staticmethod
    def folder() -> Path:
        """A folder for files that goes with the task. Raises `NotAtWork`."""
        return here("artifact.folder()").folder.path

    @staticmethod
    def save(
        content: str | Path | bytes,
        *,
        name: str | None = None,
        media_type: str | None = None,
        ttl: timedelta | float | None = None,
    ) -> Artifact:
        """Keeps a file, by its path, or bytes under a `name`; the handle to return.

        `media_type` is guessed from the name. `ttl`: for how long, in seconds or a timedelta; as a
        rule for as long as the installation keeps artifacts, and never longer than the run itself.

        Raises `BadArtifact`, `StoreFailed`, `ArtifactOvertaken` where this execution counts no
        more, and `NotAtWork` where no task is executed.
        """
        work = here("artifact.save()")
        if isinstance(content, bytes | bytearray | memoryview):
            wanted = to_keep(name or "", media_type=media_type, ttl=ttl)
            kept = work.artifacts.keep(work.execution, io.BytesIO(content), wanted)
            return _artifact(kept)
        path = Path(content)
        wanted = to_keep(name or path.name, media_type=media_type, ttl=ttl)
        with path.open("rb") as source:
            return _artifact(work.artifacts.keep(work.execution, source, wanted))


def revived(value: Any) -> Any:
    """A JSON value with an `Artifact` in place of each handle in it."""
    if isinstance(value, dict):
        if (handle := handle_in(value)) is not None:
            return _artifact(handle)
        return {key: revived(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [revived(inner) for inner in value]
    return value


def _artifact(handle: Handle) -> Artifact:
    return Artifact(**asdict(handle))


def _free(folder: Path, name: str) -> Path:
    """A path that nothing has taken yet: two artifacts may have one name."""
    path = folder / file_name(name)
    return path if not path.exists() else Path(tempfile.mkdtemp(dir=folder)) / path.name


artifact = ArtifactStore()
