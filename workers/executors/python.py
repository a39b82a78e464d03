from __future__ import annotations

import asyncio
import inspect
import os
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

from celery.exceptions import SoftTimeLimitExceeded

from dags_app.domain.commands import PythonCommand
from dags_app.domain.problems import suggestion
from runs_app.at_work.artifacts import revived
from runs_app.at_work.here import AtWork, Folder, at_work
from runs_app.domain.named_outputs import keepable_by_name
from runs_app.domain.outcomes import Fail, Outcome, Skip, Unkeepable, keepable
from workers import names
from workers.executors.contract import Call
from workers.executors.fresh_modules import import_fresh
from workers.guards.budget import Growth
from workers.guards.interruption import Interrupted
from workers.guards.limits import OutOfMemory, limits_of
from workers.guards.offspring import InThisProcess
from workers.log import capturing
from workers.surroundings import prepared


class PythonExecutor:
    """Calls a function in this process: the project's own code, its ORM included.

    What it prints or logs is the task's log, what it returns the output; an `async` function is run
    to its end. It may raise `skytrail.sdk.Skip` and `skytrail.sdk.Fail`.
    """

    def execute(self, call: Call[PythonCommand]) -> Outcome:
        command = call.command
        if not (command.outputs or command.multiple_outputs):
            return call_function(call, command.callable, command.args, command.kwargs)
        by_name = partial(keepable_by_name, declared=command.outputs)
        outcome = call_function(call, command.callable, command.args, command.kwargs, keep=by_name)
        return replace(outcome, is_named=True)


def call_function(
    call: Call[Any],
    path: str,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    *,
    keep: Callable[[Any], Any] = keepable,
) -> Outcome:
    """The outcome of the function at a dotted path; what it returns is the output.

    `keep` makes of what is returned what is kept, or raises `Unkeepable`.
    """
    return invoke(
        call,
        lambda: load(path)(*revived(list(args)), **revived(dict(kwargs))),
        name=path,
        keep=keep,
    )


@contextmanager
def _for_user_code(call: Call[Any]) -> Iterator[None]:
    """Within, user code runs: it knows what it is executed for, what it writes is the log, it has
    limits and can be told to stop.
    """
    memory = Growth(limits_of(call.execution).memory)
    about = prepared(call.about())
    folder = Folder(os.environ.get(names.WORKER_DIRECTORY))
    services = call.services
    work = AtWork(call.execution, services.states, services.secrets, services.artifacts, folder)
    with at_work(work), capturing(call.log), about, memory, call.interruption.interruptible():
        yield


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
    found: Any = _import(module_name, path)
    for name in names:
        try:
            found = getattr(found, name)
        except AttributeError:
            close = suggestion(name, [known for known in dir(found) if known[0] != "_"])
            raise NotCallable(
                f"cannot import {path!r}: {module_name!r} has no {name!r}{close}"
            ) from None
    if not callable(found):
        raise NotCallable(f"{path!r} is a {type(found).__name__} and cannot be called")
    function: Callable[..., Any] = found
    return function


def _import(module_name: str, path: str) -> Any:
    try:
        return import_fresh(module_name)
    except (Interrupted, MemoryError):
        raise
    except ModuleNotFoundError as error:
        raise NotCallable(
            f"cannot import {path!r}: there is no module {error.name!r}; is it installed in the "
            "worker, or below the directory it was started in, or in its SKYTRAIL_DAGS_DIR? "
            "(A method is written with a colon: module:Class.method)"
        ) from error
    except BaseException as error:  # a module may also end with sys.exit()
        raise NotCallable(
            f"cannot import {path!r}: its module fails with {_described(error)}"
        ) from error


def invoke(
    call: Call[Any],
    step: Callable[[], Any],
    *,
    name: str,
    keep: Callable[[Any], Any] = keepable,
) -> Outcome:
    """Runs user code and makes one value of whatever it does; `name` is what it is called."""
    started = InThisProcess()
    try:
        with _for_user_code(call):
            value = _run_if_async(step())
    except Interrupted:
        started.end()
        raise
    except NotCallable as error:
        return Outcome.failed(f"callable: {error}", reason="not_importable", may_retry=False)
    except Skip as skip:
        return Outcome.skipped(str(skip) or "the task's code skipped it")
    except Fail as fail:
        message = str(fail) or "the task's code failed it for good"
        return Outcome.failed(message, reason="failed_for_good", may_retry=False)
    except SystemExit as error:
        return _exited(error)
    except OutOfMemory as error:
        _write_traceback(call, error.__cause__ or error)
        return error.outcome()
    except BaseException as error:  # noqa: BLE001  # user code may raise anything
        return _raised(call, error, name)
    if inspect.isgenerator(value) or inspect.isasyncgen(value):
        return Outcome.failed(
            f"{name} returns a generator, of which nothing has run; return a list instead",
            reason="bad_output",
            may_retry=False,
        )
    try:
        return Outcome.success(keep(value))
    except Unkeepable as error:
        return Outcome.failed(str(error), reason="bad_output", may_retry=False)


def _run_if_async(value: Any) -> Any:
    return asyncio.run(value) if inspect.iscoroutine(value) else value


def _raised(call: Call[Any], error: BaseException, name: str) -> Outcome:
    """Failure; where none of the user's code was reached, the arguments did not fit."""
    is_users = _write_traceback(call, error)
    if isinstance(error, TypeError) and not is_users:
        return Outcome.failed(
            f"args, kwargs: {name} cannot be called with them: {_described(error)}",
            reason="bad_arguments",
            may_retry=False,
        )
    return Outcome.failed(_described(error), reason=_reason_of(error))


def _reason_of(error: BaseException) -> str:
    match error:
        case MemoryError():
            return "out_of_memory"
        case SoftTimeLimitExceeded():
            return "timeout"
        case _:
            return "exception"


def _write_traceback(call: Call[Any], error: BaseException) -> bool:
    """Writes it to the log from the user's code on: our own frames tell nothing.

    False where none of the user's code was reached.
    """
    frames = error.__traceback__
    while frames and str(frames.tb_frame.f_globals.get("__name__")).startswith("workers."):
        frames = frames.tb_next
    call.log.write("".join(traceback.format_exception(type(error), error, frames)))
    return frames is not None


def _described(error: BaseException) -> str:
    """Name and text of an exception, as the last line of its traceback has them."""
    try:
        text = str(error)
    except Exception:  # noqa: BLE001  # it is user code too
        text = "(its text cannot be shown)"
    name = type(error).__name__
    return f"{name}: {text}" if text else name


def _exited(error: SystemExit) -> Outcome:
    """`sys.exit()` in a task's code, as a shell would see it."""
    if error.code in (None, 0):
        return Outcome.success()
    if isinstance(error.code, int):
        message = f"the code ended with exit code {error.code}"
        return Outcome.failed(message, reason="exit_code", exit_code=error.code)
    return Outcome.failed(f"the code ended with: {error.code}", reason="exit_code", exit_code=1)
