"""Outputs that are too large for a row: kept as artifacts, and read as if they were none.

What stands in the row is the artifact's handle. Only here is one made of the other, so no task
needs to know which of its outputs were large.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from runs_app.at_work.here import Artifacts
from runs_app.domain.artifacts import (
    ArtifactGone,
    ArtifactOvertaken,
    Handle,
    NoSuchArtifact,
    ToKeep,
    file_name,
    handle_in,
)
from runs_app.domain.executions import Execution
from runs_app.domain.named_outputs import RETURN_VALUE
from runs_app.domain.outcomes import MAX_ROW_BYTES, Outcome
from skytrail.errors import Conflict, NotFound, SkytrailError
from skytrail.store import Damaged, StoreFailed
from workers.guards.interruption import Interruption

#: What one task is given of large outputs may have so many bytes altogether.
MAX_READ = 256 * 1024 * 1024

Outputs = Callable[[set[str]], Mapping[str, Any]]


class TooMuchToRead(SkytrailError):
    """The outputs that the task is given have {size:,} bytes altogether, and at most {most:,} are
    read. Have the tasks before it return skytrail.sdk.artifact.save(file), and read piece by piece.
    """


#: What goes wrong with artifacts, and not with Skytrail.
TROUBLE = (StoreFailed, Damaged, ArtifactGone, NoSuchArtifact, ArtifactOvertaken, TooMuchToRead)


def kept(
    outcome: Outcome, execution: Execution, artifacts: Artifacts, interruption: Interruption
) -> Outcome:
    """`outcome` with handles in place of outputs that are too large for a row.

    One that cannot be kept fails the try, which may be tried again. Raises `Interrupted`.
    """
    parts = outcome.output if outcome.is_named else {RETURN_VALUE: outcome.output}
    texts = {name: json.dumps(value) for name, value in (parts or {}).items()}
    large = {name: text for name, text in texts.items() if len(text) > MAX_ROW_BYTES}
    if not large:
        return outcome
    try:
        with interruption.interruptible():
            handles = {
                name: _keep(name, text, execution, artifacts).as_json()
                for name, text in large.items()
            }
    except TROUBLE as error:
        return failed(error)
    output = {**outcome.output, **handles} if outcome.is_named else handles[RETURN_VALUE]
    return replace(outcome, output=output)


def failed(error: SkytrailError) -> Outcome:
    """What comes of a try whose artifacts cannot be had, or kept. What is gone stays gone."""
    may_retry = not isinstance(error, NotFound | Conflict)
    return Outcome.failed(error.message, reason=error.code, may_retry=may_retry)


def as_if_rows(outputs: Outputs, artifacts: Artifacts, interruption: Interruption) -> Outputs:
    """`outputs` that reads what stands as a handle in a row for something too large.

    It raises one of `TROUBLE`, and `Interrupted`.
    """
    return lambda task_ids: _read(outputs(task_ids), artifacts, interruption)


def _keep(name: str, text: str, execution: Execution, artifacts: Artifacts) -> Handle:
    file = file_name(f"{name[:190]}.json")
    wanted = ToKeep(name=file, media_type="application/json", is_output=True)
    return artifacts.keep(execution, io.BytesIO(text.encode()), wanted)


def _read(
    found: Mapping[str, Any], artifacts: Artifacts, interruption: Interruption
) -> Mapping[str, Any]:
    sizes: list[int] = []
    _with_each(found, lambda handle: sizes.append(handle.size))
    if not sizes:
        return found
    if sum(sizes) > MAX_READ:
        raise TooMuchToRead(size=sum(sizes), most=MAX_READ)
    with interruption.interruptible():
        read: Mapping[str, Any] = _with_each(found, lambda handle: _value(handle, artifacts))
        return read


def _with_each(value: Any, put: Callable[[Handle], Any], *, deep: int = 3) -> Any:
    """`value` with what `put` gives in place of each handle that stands for an output.

    They stand by task, as its output or as one of its named ones; of a mapped task in a list.
    """
    handle = handle_in(value)
    if handle is not None:
        return put(handle) if handle.is_output else value
    if deep and isinstance(value, Mapping):
        return {name: _with_each(one, put, deep=deep - 1) for name, one in value.items()}
    if deep and isinstance(value, list):
        return [_with_each(one, put, deep=deep - 1) for one in value]
    return value


def _value(handle: Handle, artifacts: Artifacts) -> Any:
    sink = io.BytesIO()
    artifacts.read(handle.id, sink)
    return json.loads(sink.getvalue())
