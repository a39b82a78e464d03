"""How work went on after a fault that hit everybody: Redis's, or PostgreSQL's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

from chaos.verdict import HANDED_BACK, LOST, Findings


def went_on_after(found: Findings) -> dict[str, list[float]]:
    """By the kind of fault: from its end to the claims of what was queued or ready by then.

    In seconds; the longest for each fault. What became queued later is counted for no fault.
    """
    claims = _queued_until(found)
    times: dict[str, list[float]] = defaultdict(list)
    for fault in found.faults:
        over = fault.at if fault.until is None else fault.until
        waited = [claimed - over for since, claimed in claims if since <= over < claimed]
        if waited:
            times[fault.kind].append(max(waited))
    return times


def executed_again(found: Findings) -> tuple[int, list[str]]:
    """How many executions were under way during faults, and what became of those repeated."""
    ran: set[tuple[UUID, int]] = set()
    again: dict[tuple[UUID, int], str] = {}
    for fault in found.faults:
        over = fault.at if fault.until is None else fault.until
        for one in found.attempts:
            if one.started <= over and (one.finished is None or one.finished >= fault.at):
                ran.add((one.task_run_id, one.epoch))
                if one.finished is not None and one.reason in LOST | HANDED_BACK:
                    again[one.task_run_id, one.epoch] = (
                        f"{one.reason} on {one.label}, begun {one.started - fault.at:+.1f} s, "
                        f"ended {one.finished - fault.at:+.1f} s after PostgreSQL or Redis "
                        f"{fault.kind} for {over - fault.at:.1f} s"
                    )
    return len(ran), list(again.values())


def longest_of(times: dict[str, list[float]]) -> float | None:
    """Of all kinds; None where nothing had to wait."""
    return max((seconds for one in times.values() for seconds in one), default=None)


def spoken(times: dict[str, list[float]]) -> str:
    """The longest by kind, in a line."""
    return ", ".join(f"{kind} {max(seconds):.1f} s" for kind, seconds in times.items() if seconds)


def _queued_until(found: Findings) -> Iterable[tuple[float, float]]:
    """For each time that a task run was queued: since when, and until when."""
    since: dict[UUID, float] = {}
    spans: list[tuple[float, float]] = []
    for moved in found.history:
        if moved.task_run_id is None:
            continue
        if moved.to_state == "queued":
            since[moved.task_run_id] = moved.at
        elif (queued := since.pop(moved.task_run_id, None)) is not None:
            spans.append((queued, moved.at))
    return spans
