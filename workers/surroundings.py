"""What user code shares with whatever its process executes next, put back as it was."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator, Mapping

_QUIET = (0.0, 0.0)


@contextlib.contextmanager
def prepared(more: Mapping[str, str]) -> Iterator[None]:
    """Within, the environment has the variables `more` too.

    Afterwards: the same working directory and environment as before, and no alarm about to go off.
    """
    directory = _where_we_are()
    # A copy of os.environ itself decodes every variable, and takes a hundred times as long.
    variables = dict(os.environ._data)  # type: ignore[attr-defined]  # noqa: SLF001
    was_quiet = signal.getitimer(signal.ITIMER_REAL) == _QUIET
    os.environ.update(more)
    try:
        yield
    finally:
        if was_quiet:
            signal.setitimer(signal.ITIMER_REAL, 0)
        _restore(variables)
        if directory is not None:
            # User code may have removed it.
            with contextlib.suppress(OSError):
                os.chdir(directory)


def _where_we_are() -> str | None:
    try:
        return os.getcwd()  # noqa: PTH109  # on the hot path
    except OSError:
        return None  # somebody has removed it


def _restore(variables: dict[bytes, bytes]) -> None:
    """Touches only what has changed: decoding and setting all of them takes long."""
    now: dict[bytes, bytes] = os.environ._data  # type: ignore[attr-defined]  # noqa: SLF001
    for name in [name for name in now if name not in variables]:
        del os.environ[os.fsdecode(name)]
    for name, value in variables.items():
        if now.get(name) != value:
            os.environ[os.fsdecode(name)] = os.fsdecode(value)
