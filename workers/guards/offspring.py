"""All that a process of a task has started, to the last descendant: found, measured and ended.

A process can leave its group, wipe its environment and have its parent end, and then nothing leads
back to it. So while a command runs, this process takes the kernel's offer to adopt what its
descendants orphan (Linux: `PR_SET_CHILD_SUBREAPER`): whatever they do, they stay below it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

#: The variable by which processes of an execution are found even when they have left the group.
COOKIE = "SKYTRAIL_EXECUTION"

#: Whoever is killed may just have started another; after so many rounds it is given up.
_ROUNDS = 20

_PR_SET_CHILD_SUBREAPER = 36

#: Killed processes are gone within milliseconds; one that the kernel holds back is given up.
_PATIENCE = 2.0
_GLANCE = 0.002

_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class _Somebody:
    """A process as the kernel shows it; `started` counts in ticks since the machine did."""

    pid: int
    parent: int
    session: int
    started: int
    is_over: bool


@contextlib.contextmanager
def adopting() -> Iterator[None]:
    """Within, orphans below this process become its children; elsewhere than on Linux nothing.

    Not for longer: code of users would find children that it knows nothing of.
    """
    prctl = _prctl()
    if prctl is None:
        yield
        return
    prctl(_PR_SET_CHILD_SUBREAPER, 1)
    try:
        yield
    finally:
        prctl(_PR_SET_CHILD_SUBREAPER, 0)


@cache
def _prctl() -> Callable[[int, int], int] | None:
    if sys.platform != "linux":
        return None
    import ctypes  # noqa: PLC0415  # there may be none elsewhere

    call = ctypes.CDLL(None).prctl
    call.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]
    return lambda option, value: int(call(option, value, 0, 0, 0))


def children_now() -> frozenset[int]:
    """The children of this process; none where the kernel does not tell."""
    try:
        return frozenset(_children(os.getpid()))
    except OSError:
        return frozenset()


class Offspring:
    """A process that leads a session of its own, not yet waited for, and all below it.

    To be made and used within `adopting`. Where processes cannot be looked at it is empty.
    """

    def __init__(self, leader: int, *, beside: frozenset[int] = frozenset()) -> None:
        """`beside` are the children that this process had just before the leader was started."""
        self._leader = leader
        self._beside = beside
        self._me = os.getpid()
        self._session = os.getsid(0)
        known = _look(leader)
        self._since = known.started if known else None

    def memory(self, *, enough: int) -> int:
        """How many bytes it uses that the system could not take back, what is shared counted once.

        Where a rough figure, which counts the shared parts more than once, is below `enough`
        already, that is the answer: the exact one costs the kernel a look at every page.
        """
        pids = [somebody.pid for somebody in self._members()]
        rough = sum(map(_resident, pids))
        return rough if rough <= enough else sum(map(_own_share, pids))

    def end(self) -> None:
        """Kills all of it but the leader, and waits for those that were adopted."""
        if self._since is not None and self._has_left_somebody():
            _end(self._all_but_the_leader)

    def _all_but_the_leader(self) -> list[_Somebody]:
        left = [somebody for somebody in self._members() if somebody.pid != self._leader]
        self._wait_for(left)
        return left

    def bury(self) -> None:
        """Waits for adopted ones that have ended: a long command may leave many."""
        if self._since is None:
            return
        with contextlib.suppress(ChildProcessError):
            # Looking at everybody is worth it only where some child has ended.
            if os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
                self._wait_for(self._members())

    def _wait_for(self, members: list[_Somebody]) -> None:
        for somebody in members:
            if somebody.is_over and somebody.parent == self._me and somebody.pid != self._leader:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(somebody.pid, os.WNOHANG)

    def _has_left_somebody(self) -> bool:
        """Whether this process has any child but the leader, or the leader one; told quickly."""
        try:
            return bool({*_children(self._me), *_children(self._leader)} - {self._leader})
        except OSError:
            return True  # the kernel does not tell; a look at everybody will

    def _members(self) -> list[_Somebody]:
        if self._since is None:
            return []
        return _families(lambda somebody: somebody.parent == self._me and self._is_ours(somebody))

    def _is_ours(self, child: _Somebody) -> bool:
        """Whether a child of this process is the leader, or came here because its parent ended.

        This process may have other children, which code of users has left. They are older, or in
        its own session, to which what the leader starts has no way back. Within one tick of the
        system's clock only who was there before tells what is older.
        """
        assert self._since is not None
        if child.pid == self._leader:
            return True
        if child.session == self._session:
            return False
        return child.started > self._since or (
            child.started == self._since and child.pid not in self._beside
        )


class InThisProcess:
    """What work inside this process has started: nothing is adopted for it, it has no group."""

    def __init__(self) -> None:
        """The work begins."""
        # Ticks, as in `_Somebody.started`.
        clock = getattr(time, "CLOCK_BOOTTIME", None)
        self._since = None if clock is None else int(time.clock_gettime(clock) * _TICKS)

    def end(self) -> None:
        """Kills all of it. What earlier work has left behind on purpose stays."""
        if self._since is not None:
            me, cookie = os.getpid(), os.environ.get(COOKIE)
            _end(lambda: [one for one in self._families(me, cookie) if not one.is_over])

    def _families(self, me: int, cookie: str | None) -> list[_Somebody]:
        assert self._since is not None
        since = self._since
        orphans = {pid for pid, its in _cookies() if its == cookie} if cookie else set()
        return _families(
            lambda somebody: (
                somebody.started >= since
                and somebody.pid != me
                and (somebody.parent == me or somebody.pid in orphans)
            )
        )


def _end(who: Callable[[], list[_Somebody]]) -> None:
    """Kills them, again and again until there are none: one may just have started another."""
    deadline = time.monotonic() + _PATIENCE
    while (left := who()) and time.monotonic() < deadline:
        for somebody in left:
            if not somebody.is_over:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(somebody.pid, signal.SIGKILL)
        time.sleep(_GLANCE)


def _families(is_head: Callable[[_Somebody], bool]) -> list[_Somebody]:
    """The processes for which that holds, and all below them."""
    everybody = _everybody()
    by_parent: dict[int, list[_Somebody]] = {}
    for somebody in everybody:
        by_parent.setdefault(somebody.parent, []).append(somebody)
    found = {somebody.pid: somebody for somebody in everybody if is_head(somebody)}
    waiting = list(found)
    for pid in waiting:  # which grows meanwhile
        for child in by_parent.get(pid, []):
            if child.pid not in found:
                found[child.pid] = child
                waiting.append(child.pid)
    return list(found.values())


def _everybody() -> list[_Somebody]:
    return [somebody for pid in _pids() if (somebody := _look(pid)) is not None]


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208  # numbers


def _read(path: str) -> bytes:
    with open(path, "rb") as file:  # noqa: PTH123  # hundreds of times in a row
        return file.read()


def _look(pid: int) -> _Somebody | None:
    """See proc(5), `stat`: the name comes second, in brackets, and may have brackets in it."""
    try:
        fields = _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    except OSError:
        return None  # it has gone meanwhile
    return _Somebody(
        pid,
        parent=int(fields[1]),
        session=int(fields[3]),
        started=int(fields[19]),
        is_over=fields[0] in (b"Z", b"X"),
    )


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(ProcessLookupError):
            found += map(int, (thread / "children").read_bytes().split())
    return found


def _resident(pid: int) -> int:
    """Everything of it that is in memory, in bytes."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_bytes().split()[1]) * _PAGE
    except (OSError, IndexError):
        return 0


#: What counts: files that are mapped can be read again, so the system takes them back.
_COUNTED = (b"Pss_Anon:", b"Pss_Shmem:", b"SwapPss:")


def _own_share(pid: int) -> int:
    """What it alone uses, and its share of what it uses together with others, in bytes."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_bytes().splitlines()
    except OSError:
        return _resident(pid)  # not ours to look at: somebody else's by now, or another user's
    words = [line.split() for line in lines]
    return sum(int(word[1]) * 1024 for word in words if word[0] in _COUNTED)


# ----------------------------------------------------------------------- of a process that is gone


class Sightings:
    """Who was seen below a process while it lived, for when it has gone."""

    def __init__(self) -> None:
        self._seen: dict[int, int] = {}  # pid and when it started

    def look(self, pid: int) -> None:
        """Looks who is below process `pid` now, and forgets those that have ended."""
        seen = {pid: at for pid, at in self._seen.items() if _is_still(pid, at)}
        with contextlib.suppress(OSError):
            found = _children(pid)
            for child in found:  # which grows meanwhile
                if child not in seen and (known := _look(child)) is not None:
                    seen[child] = known.started
                with contextlib.suppress(OSError):
                    found += _children(child)
        self._seen = seen

    def kill(self) -> None:
        """Kills them, and who is below them now."""
        pids = list(self._seen)
        for pid in pids:  # which grows meanwhile
            if pid in self._seen and not _is_still(pid, self._seen[pid]):
                continue
            with contextlib.suppress(OSError):
                pids += _children(pid)
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)


def _is_still(pid: int, started: int) -> bool:
    """Whether that process still is the one that started then."""
    known = _look(pid)
    return known is not None and known.started == started and not known.is_over


def kill_by_cookie(cookies: set[str]) -> None:
    """Kills every process that has one of `cookies` in its environment, and what those start."""
    killed: set[int] = {os.getpid()}
    for _ in range(_ROUNDS):
        found = {pid for pid, cookie in _cookies() if cookie in cookies} - killed
        for pid in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        if not found:
            return
        killed |= found


def _cookies() -> Iterator[tuple[int, str]]:
    """Processes that have a cookie, and which."""
    if not Path("/proc/self/environ").exists():
        yield from _cookies_elsewhere()
        return
    sign = COOKIE.encode() + b"="
    for pid in _pids():
        with contextlib.suppress(OSError):
            environment = _read(f"/proc/{pid}/environ")
            if sign in environment:
                for variable in environment.split(b"\0"):
                    if variable.startswith(sign):
                        yield pid, variable.removeprefix(sign).decode("ascii", "replace")


def _cookies_elsewhere() -> Iterator[tuple[int, str]]:
    import psutil  # noqa: PLC0415  # not needed on Linux, and the warden is to stay small

    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            yield process.pid, process.environ().get(COOKIE, "")
