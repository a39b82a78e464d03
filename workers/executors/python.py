from __future__ import annotations

import importlib
import traceback
from collections.abc import Callable
from typing import Any

from dags_app.domain.commands import PythonCommand
from runs_app.domain.outcomes import Fail, Outcome, Skip, Unkeepable, keepable
from workers.executors.contract import Call
from workers.log import capturing


class PythonExecutor:
    """Calls a function in this process: the project's own code, its ORM included.

    What it prints or logs is the task's log, what it returns the output. It may raise
    `skytrail.sdk.Skip` and `skytrail.sdk.Fail`.
    """

    def execute(self, call: Call[PythonCommand]) -> Outcome:
        command = call.command
        try:
            with capturing(call.log), call.interruption.interruptible():
                function = load(command.callable)
        except NotCallable as error:
            return Outcome.failed(str(error), reason="not_importable", may_retry=False)
        return invoke(call, lambda: function(*command.args, **command.kwargs))


class NotCallable(Exception):
    """The dotted path leads to no function."""


def load(path: str) -> Callable[..., Any]:
    """The function at a dotted path: `package.module.function` or `package.module:Class.method`.

    Raises `NotCallable` with what is missing.
    """
    if ":" in path:
        module_name, _, attributes = path.partition(":")
        names = attributes.split(".")
    else:
        module_name, _, name = path.rpartition(".")
        names = [name]
    try:
        found: Any = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        hint = "is it installed in the worker, or below the directory it was started in?"
        raise NotCallable(
            f"cannot import {path!r}: there is no module {error.name!r}; {hint}"
        ) from error
    except Exception as error:
        raise NotCallable(
            f"cannot import {path!r}: its module fails with {type(error).__name__}: {error}"
        ) from error
    for name in names:
        try:
            found = getattr(found, name)
        except AttributeError:
            raise NotCallable(f"cannot import {path!r}: {module_name!r} has no {name!r}") from None
    if not callable(found):
        raise NotCallable(f"{path!r} is a {type(found).__name__} and cannot be called")
    function: Callable[..., Any] = found
    return function


def invoke(call: Call[Any], step: Callable[[], Any]) -> Outcome:
    """Runs user code and makes one value of whatever it does."""
    try:
        with capturing(call.log), call.interruption.interruptible():
            value = step()
    except Skip as skip:
        return Outcome.skipped(str(skip) or "the task's code skipped it")
    except Fail as fail:
        message = str(fail) or "the task's code failed it for good"
        return Outcome.failed(message, reason="failed_for_good", may_retry=False)
    except Exception as error:  # noqa: BLE001  # user code may raise anything
        call.log.write(_traceback(error))
        return Outcome.failed(f"{type(error).__name__}: {error}", reason="exception")
    except SystemExit as error:
        return _exited(error)
    try:
        return Outcome.success(keepable(value))
    except Unkeepable as error:
        return Outcome.failed(str(error), reason="bad_output", may_retry=False)


def _exited(error: SystemExit) -> Outcome:
    """`sys.exit()` in a task's code, as a shell would see it."""
    if error.code in (None, 0):
        return Outcome.success()
    if isinstance(error.code, int):
        message = f"the code ended with exit code {error.code}"
        return Outcome.failed(message, reason="exit_code", exit_code=error.code)
    return Outcome.failed(f"the code ended with: {error.code}", reason="exit_code", exit_code=1)


def _traceback(error: BaseException) -> str:
    """The traceback from the user's code on: our own frames above it tell them nothing."""
    frames = error.__traceback__
    while frames and frames.tb_frame.f_globals.get("__name__", "").startswith("workers."):
        frames = frames.tb_next
    return "".join(traceback.format_exception(type(error), error, frames))
