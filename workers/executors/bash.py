from __future__ import annotations

import errno
import json
import os
import re
import shutil
import signal
import stat
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from secrets import token_hex
from typing import Any

from dags_app.domain.commands import BashCommand
from runs_app.domain.artifacts import file_name, handle_in
from runs_app.domain.outcomes import Outcome
from workers import large_outputs, names
from workers.executors import process
from workers.executors.bash_files import outcome_of_files
from workers.executors.contract import Call
from workers.guards.limits import OutOfMemory, TooMuchOutput, limits_of

#: Shells' own exit codes, in words.
_EXIT_CODES = {
    126: "command: a program was found but may not be executed (exit code 126); the log says "
    "which: check its permissions",
    127: "command: a program does not exist (exit code 127); the log says which: is it installed "
    "in the worker, and on PATH?",
}


class BashExecutor:
    """Runs a command with bash, in a process group and a directory of its own.

    The run's parameters are environment variables, `SKYTRAIL_PARAM_<NAME>`, and so are the values
    of an instance of a mapped task, `SKYTRAIL_MAP_<NAME>`: text as it is, anything else as JSON.
    They never become part of the command. What the command writes to the file named
    in `$SKYTRAIL_OUTPUT` is the task's output: a JSON document, or lines of `name=value`. Files
    that it puts into the folder `$SKYTRAIL_ARTIFACTS` are kept as artifacts; where a variable of
    its `env` is an artifact, its value is the path of a copy.
    """

    def execute(self, call: Call[BashCommand]) -> Outcome:
        bash = shutil.which("bash")
        if bash is None:
            return Outcome.failed("there is no bash on the worker's PATH", reason="no_bash")
        home = _make_home()
        try:
            return self._execute(bash, home, call)
        finally:
            shutil.rmtree(home, onerror=_insist)

    def _execute(self, bash: str, home: Path, call: Call[BashCommand]) -> Outcome:
        command = call.command
        cwd = command.cwd or home
        if not os.path.isdir(cwd):  # noqa: PTH112  # Path's own raises where it may not look
            return Outcome.failed(
                f"cwd: the directory {cwd} does not exist on the worker, or may not be entered; "
                "create it there, or leave cwd out",
                reason="no_directory",
            )
        output, artifacts = home / "output", home / "artifacts"
        artifacts.mkdir()
        try:
            given = _with_copies(command.env, home / "given", call)
        except large_outputs.TROUBLE as error:
            return large_outputs.failed(error)
        environment = {
            **process.clean_environment(),
            "HOME": str(home),
            # Where the worker was started: the project, as a rule.
            "SKYTRAIL_PROJECT_DIR": str(Path.cwd()),
            **call.about(),
            "SKYTRAIL_OUTPUT": str(output),
            "SKYTRAIL_ARTIFACTS": str(artifacts),
            **parameters(call.params),
            **parameters(call.execution.map_values or {}, prefix="SKYTRAIL_MAP_"),
            **{name: _text(value) for name, value in given.items()},
        }
        try:
            end = process.run(
                [bash, "-c", command.command],
                environment=environment,
                cwd=Path(cwd),
                # The same execution may run twice on a machine, where one of them is cut off.
                cookie=f"{call.execution.task_run_id}.{call.execution.epoch}.{token_hex(4)}",
                log=call.log,
                interruption=call.interruption,
                limits=limits_of(call.execution),
            )
        except (OSError, ValueError) as error:
            return _not_started(error, environment)
        except (OutOfMemory, TooMuchOutput) as error:
            return error.outcome()
        if end.memory_ran_out:
            return _memory_ran_out(end.code)
        if end.code == 0:
            return outcome_of_files(output, artifacts, call)
        return _unsuccessful(end.code, command)


def _with_copies(env: Mapping[str, Any], folder: Path, call: Call[Any]) -> dict[str, Any]:
    """`env` with the path of a copy in place of each artifact. Raises one of `TROUBLE`."""
    given = {}
    for name, value in env.items():
        handle = handle_in(value)
        if handle is None:
            given[name] = value
            continue
        path = folder / name / file_name(handle.name)
        path.parent.mkdir(parents=True)
        with path.open("wb") as sink, call.interruption.interruptible():
            call.services.artifacts.read(handle.id, sink)
        given[name] = str(path)
    return given


def _unsuccessful(code: int, command: BashCommand) -> Outcome:
    if code == command.skip_on_exit_code:
        return Outcome.skipped(f"the command ended with exit code {code}", exit_code=code)
    return Outcome.failed(_in_words(code), reason="exit_code", exit_code=code)


def _memory_ran_out(code: int) -> Outcome:
    return Outcome.failed(
        f"the command was ended by SIGKILL (exit code {code}) when the system had no memory left; "
        "have it work in smaller parts, or give the worker more. With a memory_limit_mb it ends "
        "before others suffer",
        reason="out_of_memory",
        exit_code=code,
    )


def _make_home() -> Path:
    """A directory for one execution; within the worker's own, which goes with it if it dies."""
    return Path(tempfile.mkdtemp(prefix="task-", dir=os.environ.get(names.WORKER_DIRECTORY)))


def _insist(remove: Callable[[str], object], path: str, _error: object) -> None:
    """Removes even what the command has made read-only; what still stays is no reason to fail."""
    try:
        Path(path).parent.chmod(0o700)
        Path(path).chmod(0o700)
        if stat.S_ISDIR(Path(path).lstat().st_mode):
            shutil.rmtree(path, ignore_errors=True)
        else:
            remove(path)
    except OSError:
        pass


def _not_started(error: OSError | ValueError, environment: Mapping[str, str]) -> Outcome:
    """Failure before anything ran: it names what cannot be handed over."""
    if isinstance(error, OSError) and error.errno == errno.E2BIG:
        size = sum(len(name) + len(value) for name, value in environment.items())
        message = (
            f"env: the command and its environment are too large for the system ({size:,} "
            "characters of variables); hand large values over in a file"
        )
        return Outcome.failed(message, reason="not_started", may_retry=False)
    if isinstance(error, ValueError):
        bad = [name for name, value in environment.items() if "\x00" in value]
        message = f"env: {', '.join(bad) or 'a value'} holds a character that no variable can hold"
        return Outcome.failed(message, reason="not_started", may_retry=False)
    return Outcome.failed(f"the command could not be started: {error}", reason="not_started")


def _in_words(code: int) -> str:
    """What an exit code other than 0 means. Shells add 128 where a signal ended their command."""
    number = -code if code < 0 else code - 128
    if code >= 0 and number <= 0:
        return _EXIT_CODES.get(code, f"the command ended with exit code {code}")
    try:
        name = signal.Signals(number).name
    except ValueError:
        return f"the command ended with exit code {code}"
    hint = "; did it use up the worker's memory?" if name == "SIGKILL" else ""
    return f"the command was ended by {name} (exit code {code}){hint}"


def parameters(params: Mapping[str, Any], *, prefix: str = "SKYTRAIL_PARAM_") -> dict[str, str]:
    """A run's parameters as environment variables."""
    return {
        prefix + re.sub(r"\W", "_", name, flags=re.ASCII).upper(): _text(value)
        for name, value in params.items()
    }


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
