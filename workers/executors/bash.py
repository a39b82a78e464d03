from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dags_app.domain.commands import BashCommand
from runs_app.domain.outcomes import MAX_OUTPUT_BYTES, Outcome
from workers.executors import process
from workers.executors.contract import Call

#: Shells' own exit codes, in words.
_EXIT_CODES = {
    126: "the command was found but may not be executed (exit code 126); check its permissions",
    127: "the command does not exist (exit code 127); is it installed in the worker, and on PATH?",
}


class BashExecutor:
    """Runs a command with bash, in a process group and a directory of its own.

    The run's parameters are environment variables, `SKYTRAIL_PARAM_<NAME>`: text as it is, anything
    else as JSON. They never become part of the command. What the command writes to the file named
    in `$SKYTRAIL_OUTPUT` is the task's output: a JSON document, or lines of `name=value`.
    """

    def execute(self, call: Call[BashCommand]) -> Outcome:
        bash = shutil.which("bash")
        if bash is None:
            return Outcome.failed("there is no bash on the worker's PATH", reason="no_bash")
        home = Path(tempfile.mkdtemp(prefix="skytrail-"))
        try:
            return self._execute(bash, home, call)
        finally:
            shutil.rmtree(home, ignore_errors=True)

    def _execute(self, bash: str, home: Path, call: Call[BashCommand]) -> Outcome:
        command = call.command
        cwd = Path(command.cwd) if command.cwd else home
        if not cwd.is_dir():
            return Outcome.failed(
                f"the working directory {command.cwd} does not exist on the worker",
                reason="no_directory",
            )
        output = home / "output"
        environment = {
            **process.clean_environment(),
            "HOME": str(home),
            # Where the worker was started: the project, as a rule.
            "SKYTRAIL_PROJECT_DIR": str(Path.cwd()),
            **call.about(),
            "SKYTRAIL_OUTPUT": str(output),
            **parameters(call.params),
            **{name: _text(value) for name, value in command.env.items()},
        }
        try:
            code = process.run(
                [bash, "-c", command.command],
                environment=environment,
                cwd=cwd,
                cookie=f"{call.execution.task_run_id}.{call.execution.epoch}",
                log=call.log,
                interruption=call.interruption,
            )
        except (OSError, ValueError) as error:
            return Outcome.failed(
                f"the command could not be started: {error}", reason="not_started"
            )
        return self._outcome(code, command, output)

    def _outcome(self, code: int, command: BashCommand, output: Path) -> Outcome:
        if code == 0:
            return _with_output(output)
        if code == command.skip_on_exit_code:
            return Outcome.skipped(f"the command ended with exit code {code}", exit_code=code)
        if code < 0:
            message = f"the command was ended by signal {-code}"
        else:
            message = _EXIT_CODES.get(code, f"the command ended with exit code {code}")
        return Outcome.failed(message, reason="exit_code", exit_code=code)


def parameters(params: Mapping[str, Any]) -> dict[str, str]:
    """A run's parameters as environment variables."""
    return {
        "SKYTRAIL_PARAM_" + re.sub(r"\W", "_", name, flags=re.ASCII).upper(): _text(value)
        for name, value in params.items()
    }


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _with_output(path: Path) -> Outcome:
    """Success, with what the command has written into its output file."""
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return Outcome.success()
    if size > MAX_OUTPUT_BYTES:
        return Outcome.failed(
            f"$SKYTRAIL_OUTPUT holds {size:,} bytes; at most {MAX_OUTPUT_BYTES:,} are kept. "
            "Write large data to a file or a database and put its place into the output",
            reason="output_too_large",
        )
    try:
        return Outcome.success(read_output(path.read_text("utf-8")))
    except (UnicodeDecodeError, ValueError) as error:
        return Outcome.failed(f"$SKYTRAIL_OUTPUT cannot be read: {error}", reason="bad_output")


def read_output(text: str) -> Any:
    """The value in an output file: one JSON document, else lines of `name=value`.

    In lines a value is read as JSON where it is JSON (`rows=12` is a number), else as text.
    """
    text = text.strip()
    if not text:
        return None
    whole = _json_or(text, None)
    if whole is not None:
        return whole
    values = {}
    for number, line in enumerate(text.splitlines(), start=1):
        name, equals, value = line.partition("=")
        if not equals or not name.strip():
            raise ValueError(
                f"line {number} is neither JSON nor of the form name=value: {line[:80]}"
            )
        values[name.strip()] = _json_or(value.strip(), value.strip())
    return values


def _json_or(text: str, otherwise: Any) -> Any:
    try:
        return json.loads(text, parse_constant=lambda _: otherwise)
    except (ValueError, RecursionError):
        return otherwise
