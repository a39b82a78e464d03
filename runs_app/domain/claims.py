"""What a worker is to make of a message whose task run it could not claim."""

from __future__ import annotations

import enum

from runs_app.domain.states import LEASED, TaskState


class Refusal(enum.Enum):
    """Why a claim found nothing to execute."""

    #: This execution, or a later one, is in other hands. Ending normally would count as a part of
    #: the canvas a second time and fire a join early, so the message is ignored altogether.
    ELSEWHERE = "elsewhere"
    #: This execution has ended: the message was repeated, or its worker died between writing the
    #: end and passing it on. Ending normally repairs the chain.
    ENDED = "ended"
    #: Its turn has not come, and will not come in this canvas: an upstream task did not succeed,
    #: or the run is not running. Ending normally leads to the dispatch that knows what to do.
    NOT_NOW = "not_now"


def refusal(*, state: TaskState | None, epoch: int, wanted: int) -> Refusal:
    """Why the claim of epoch `wanted` was refused by a row in `state` at `epoch`.

    `state` is None where there is no such row any more.
    """
    if state is None or epoch > wanted:
        return Refusal.ELSEWHERE
    if epoch == wanted and state in LEASED:
        return Refusal.ELSEWHERE
    if epoch == wanted and state not in {TaskState.QUEUED, TaskState.WAITING}:
        return Refusal.ENDED
    return Refusal.NOT_NOW
