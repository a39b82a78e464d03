"""What user code shares with whatever its process executes next, put back as it was."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator

_QUIET = (0.0, 0.0)


@contextlib.contextmanager
def put_back() -> Iterator[None]:
    """Afterwards: the same working directory and environment, and no alarm about to go off."""
    directory = _where_we_are()
    # A copy of os.environ itself decodes every variable, and takes a hundred times as long.
    variables = dict(os.environ._data)  # type: ignore[attr-defined]  # noqa: SLF001
    was_quiet = signal.getitimer(signal.ITIMER_REAL) == _QUIET
    try:
        yield
    finally:
        if was_quiet:
            signal.setitimer(signal.ITIMER_REAL, 0)
        if os.environ._data != variables:  # type: ignore[attr-defined]  # noqa: SLF001
            _restore({os.fsdecode(name): os.fsdecode(value) for name, value in variables.items()})
        if directory is not None:
            # User code may have removed it.
            with contextlib.suppress(OSError):
                os.chdir(directory)


def _where_we_are() -> str | None:
    try:
        return os.getcwd()  # noqa: PTH109  # on the hot path
    except OSError:
        return None  # somebody has removed it


def _restore(variables: dict[str, str]) -> None:
    for name in os.environ.keys() - variables.keys():
        del os.environ[name]
    os.environ.update(variables)
