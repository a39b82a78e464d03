"""Troubles of a server, one after the other, while the API is asked all the time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chaos.probe import asking, back_at_work, got_over
from chaos.stage import Stage


@dataclass(frozen=True)
class Trouble:
    """Something that happens to a server; `kind` completes "the server …"."""

    kind: str
    inject: Callable[[Stage], None]
    #: How often, in the full form and in the short one.
    times: int
    short: int = 0


def one_after_the_other(
    stage: Stage, troubles: Sequence[Trouble], *, within: float, takes: str = "all"
) -> None:
    """In a random order, each when the one before is got over.

    Everybody is to work again `within` so many seconds after each; who does not is noted as "idle".
    The API's answers are noted as "calls". `takes` says which losses a trouble explains.
    """
    todo = [
        trouble
        for trouble in troubles
        for _ in range(stage.options.times(trouble.times, trouble.short))
    ]
    stage.random.shuffle(todo)
    idle = stage.notes["idle"] = []
    with asking(stage) as stage.notes["calls"]:
        for trouble in todo:
            stage.rest(stage.random.uniform(1, 2))
            with stage.during(trouble.kind, takes=takes):
                trouble.inject(stage)
            labels = [worker.label for worker in stage.workers()]
            back = back_at_work(stage, labels, within=within)
            got_over(stage, within=within)
            idle += [f"{label} after it {trouble.kind}" for label in labels if label not in back]
