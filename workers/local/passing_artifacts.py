"""The artifacts of a run that is only tried: in a folder that goes with it."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from functools import cached_property
from typing import IO, BinaryIO
from uuid import UUID, uuid4

from runs_app.domain.artifacts import Handle, NoSuchArtifact, ToKeep
from runs_app.domain.executions import Execution
from skytrail.store import Store


class PassingArtifacts:
    """A store of its own. What is kept stays as long as this object, whatever its time to live."""

    def __init__(self) -> None:
        self._kept: dict[UUID, Handle] = {}

    def keep(self, execution: Execution, source: IO[bytes], wanted: ToKeep) -> Handle:
        artifact_id = uuid4()
        stored = self._store.write(str(artifact_id), source)
        kept = Handle(
            id=artifact_id,
            name=wanted.name,
            media_type=wanted.media_type,
            size=stored.size,
            sha256=stored.sha256,
            is_output=wanted.is_output,
        )
        self._kept[artifact_id] = kept
        return kept

    def read(self, artifact_id: UUID, sink: BinaryIO) -> None:
        if artifact_id not in self._kept:
            raise NoSuchArtifact(id=str(artifact_id))
        self._store.read(str(artifact_id), sink, sha256=self._kept[artifact_id].sha256)

    @cached_property
    def _store(self) -> Store:
        folder = tempfile.mkdtemp(prefix="skytrail-")
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return Store(folder)
