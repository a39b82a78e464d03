from __future__ import annotations

import glob
import os

from dags_app.domain.commands import FileSensorCommand
from runs_app.domain.outcomes import Outcome
from workers.executors.contract import Call
from workers.executors.waiting import look_again

#: So many names are kept as output.
_MOST = 1000


class FileSensorExecutor:
    """Looks for files: on the worker, or wherever fsspec reaches by an address like `s3://…`."""

    def execute(self, call: Call[FileSensorCommand]) -> Outcome:
        command = call.command
        with call.interruption.interruptible():
            try:
                found = _matching(command.path)
            except ImportError as error:
                return Outcome.failed(
                    f"path: {command.path!r} needs a package that the worker does not have: "
                    f"{error}",
                    reason="no_such_storage",
                    may_retry=False,
                )
            except ValueError as error:
                return Outcome.failed(f"path: {error}", reason="bad_path", may_retry=False)
            except OSError as error:
                return Outcome.failed(f"path: cannot be looked at: {error}", reason="storage")
        if not found:
            return look_again(call.execution, command, f"nothing is at {command.path}")
        call.log.write(f"found {len(found):,}: {', '.join(found[:5])}\n")
        return Outcome.success(found[:_MOST])


def _matching(path: str) -> list[str]:
    """What there is, sorted. Raises `OSError`, `ImportError` and `ValueError`."""
    if "://" not in path:
        return sorted(glob.glob(os.path.expanduser(path), recursive=True))  # noqa: PTH111, PTH207
    import fsspec  # noqa: PLC0415  # few workers need it

    filesystem, inner = fsspec.core.url_to_fs(path)
    # What was found missing a minute ago may be there by now.
    filesystem.invalidate_cache()
    return sorted(filesystem.unstrip_protocol(name) for name in filesystem.glob(inner))
