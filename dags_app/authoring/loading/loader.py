"""Having files loaded by nurseries, a few side by side."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from queue import SimpleQueue

from dags_app.authoring.loading.results import Fault, Loaded


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What loading one file may take."""

    seconds: float = 30.0
    #: Of address space, which is more than what is used.
    megabytes: int = 1024


_USUAL = Limits()

#: More of them side by side help nobody: most files take a few milliseconds.
_MOST_NURSERIES = 4


def load_files(
    files: Sequence[Path],
    *,
    root: Path | None = None,
    limits: Limits = _USUAL,
    told: Callable[[], None] = lambda: None,
) -> list[Loaded]:
    """What became of each file, in their order. No file can make this raise.

    With `root`, modules below it are found by their paths from there. `told` is called, in any
    thread, whenever one more file is done.
    """
    count = min(len(files), os.cpu_count() or 1, _MOST_NURSERIES)
    if not count:
        return []
    free: SimpleQueue[_Nursery] = SimpleQueue()
    nurseries = [_Nursery(limits) for _ in range(count)]
    for nursery in nurseries:
        free.put(nursery)

    place = root.resolve() if root else None

    def load(file: Path) -> Loaded:
        nursery = free.get()
        try:
            return nursery.load(file.resolve(), place).of(file)
        finally:
            told()
            free.put(nursery)

    try:
        with ThreadPoolExecutor(count) as pool:
            return list(pool.map(load, files))
    finally:
        for nursery in nurseries:
            nursery.end()


class _Nursery:
    """One such process; one that has ended is replaced when it is needed."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._process = self._start()

    def load(self, file: Path, root: Path | None) -> _Answer:
        try:
            answer = self._ask(file, root)
        except (OSError, ValueError):
            # The file has ended it: it runs as the same user, so it can if it wants to.
            self.end()
            self._process = self._start()
            return _Answer(None)
        return _Answer(answer)

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _ask(self, file: Path, root: Path | None) -> Loaded:
        asking, answering = self._process.stdin, self._process.stdout
        assert asking is not None
        assert answering is not None
        asking.write(json.dumps([str(file), str(root) if root else None]) + "\n")
        asking.flush()
        return Loaded.of_data(file, json.loads(answering.readline()))

    def _start(self) -> subprocess.Popen[str]:
        limits = (str(self._limits.seconds), str(self._limits.megabytes))
        return subprocess.Popen(
            [sys.executable, "-m", "dags_app.authoring.loading.nursery", *limits],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )


@dataclass(frozen=True)
class _Answer:
    """What a nursery said; None where it could say nothing any more."""

    loaded: Loaded | None

    def of(self, file: Path) -> Loaded:
        """The answer about the file under the name by which it was asked for."""
        if self.loaded is None:
            message = "it ended the process that loads files; a file of DAGs only defines them"
            return Loaded(file=file, faults=(Fault(message=message),))
        return replace(self.loaded, file=file)
