"""What a command leaves in files: its output, and artifacts."""

from __future__ import annotations

import errno
import json
import math
import os
import stat
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from runs_app.domain.artifacts import ToKeep, to_keep
from runs_app.domain.outcomes import MAX_OUTPUT_BYTES, Outcome, Unkeepable, keepable
from skytrail.errors import Invalid
from workers import large_outputs
from workers.executors.contract import Call

#: So many files in `$SKYTRAIL_ARTIFACTS` are kept.
MAX_ARTIFACTS = 100


def outcome_of_files(output: Path, artifacts: Path, call: Call[Any]) -> Outcome:
    """Success, with what the command has written into its output file; and of each file in its
    folder for artifacts, under the file's name, the handle. Raises `Interrupted`.
    """
    try:
        value, names = _output_in(output), _names_in(artifacts)
        if names:
            value = {**_named(value), **_keep_all(artifacts, names, call)}
        return Outcome.success(keepable(value))
    except _BadArtifact as error:
        return Outcome.failed(f"$SKYTRAIL_ARTIFACTS: {error}", reason="bad_artifact")
    except large_outputs.TROUBLE as error:
        return large_outputs.failed(error)
    except _TooLarge as error:
        return Outcome.failed(str(error), reason="output_too_large")
    except (OSError, UnicodeDecodeError, Unkeepable, BadOutput) as error:
        return Outcome.failed(f"$SKYTRAIL_OUTPUT cannot be read: {error}", reason="bad_output")


def _named(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict | None):
        raise BadOutput(
            "beside artifacts it has to be an object or lines of name=value: the artifacts are put "
            "into it, each under the name of its file"
        )
    return value or {}


class _BadArtifact(Exception):
    """A file that cannot be kept; the text says which and why."""


def _names_in(folder: Path) -> list[str]:
    try:
        names = sorted(entry.name for entry in os.scandir(folder))
    except OSError:  # the command has removed it
        return []
    if len(names) > MAX_ARTIFACTS:
        raise _BadArtifact(
            f"there are {len(names):,} files, and at most {MAX_ARTIFACTS} are kept; pack them into "
            "one"
        )
    return names


def _keep_all(folder: Path, names: list[str], call: Call[Any]) -> dict[str, Any]:
    kept = {}
    for name in names:
        with _ordinary(folder / name) as file, call.interruption.interruptible():
            handle = call.services.artifacts.keep(call.execution, file, _wanted(name))
        kept[name] = handle.as_json()
    return kept


def _wanted(name: str) -> ToKeep:
    try:
        return to_keep(name)
    except Invalid as error:
        raise _BadArtifact(f"{name!r}: {error.problems[0].message}") from None


def _ordinary(path: Path) -> BinaryIO:
    try:
        file = _open(path)
    except (OSError, BadOutput) as error:
        raise _BadArtifact(f"{path.name!r}: {error}") from None
    if file is None:
        raise _BadArtifact(f"{path.name!r} is gone")
    return file


class _TooLarge(Exception):
    """How much an output file holds."""


def _output_in(path: Path) -> Any:
    file = _open(path)
    if file is None:
        return None
    with file:
        data = file.read(MAX_OUTPUT_BYTES + 1)
    if len(data) > MAX_OUTPUT_BYTES:
        raise _TooLarge(
            f"$SKYTRAIL_OUTPUT holds {path.stat().st_size:,} bytes; at most {MAX_OUTPUT_BYTES:,} "
            "are kept. Write large data to a file in $SKYTRAIL_ARTIFACTS"
        )
    return read_output(data.decode())


def _open(path: Path) -> BinaryIO | None:
    """A file; None where there is none.

    Never through a link, and an ordinary file only: the command could make the worker read what
    only the worker may, or wait for ever.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise BadOutput("it is a link; write the file itself") from None
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise BadOutput("it is not an ordinary file")
    return open(descriptor, "rb")  # noqa: PTH123  # not by its name


class BadOutput(Exception):
    """What is wrong with an output file, and where."""


def read_output(text: str) -> Any:
    """The value in an output file: one JSON document, else lines of `name=value`.

    In lines a value is read as JSON where it is JSON (`rows=12` is a number), else as text. Raises
    `BadOutput`.
    """
    text = text.strip()
    if not text:
        return None
    try:
        return _from_json(text)
    except (ValueError, RecursionError) as error:
        if text[0] in '{["':
            raise BadOutput(f"it is no JSON document: {error}") from None
    values = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        name, equals, value = line.partition("=")
        if not equals or not name.strip():
            raise BadOutput(
                f"line {number} is neither JSON nor of the form name=value: {line[:80]}"
            )
        values[name.strip()] = _json_or_text(value.strip())
    return values


def _json_or_text(text: str) -> Any:
    try:
        return _from_json(text)
    except (ValueError, RecursionError):
        return text


def _from_json(text: str) -> Any:
    return json.loads(text, parse_constant=_refuse, parse_float=_finite)


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        _refuse(text)
    return number
