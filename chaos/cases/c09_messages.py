"""C9: messages come three times, out of turn, later than anybody waits, once again, or never."""

from __future__ import annotations

from random import Random

from chaos.case import Case, Goal, exactly
from chaos.messages import VARIABLE, Post, disorder
from chaos.stage import Stage
from chaos.verdict import Findings, Spread


def inject(stage: Stage) -> None:
    """For a while; at the end everything that was ever sent comes once more."""
    post = stage.stack.enter_context(
        Post(
            stage.grounds.valkey.url,
            random=Random(f"{stage.options.seed}/C9/post"),
            per_second=20,
        )
    )
    stage.rest(stage.options.times(90, 10))
    post.bring_all_again()
    stage.notes["counts"] = post.counts()


def goals(found: Findings, stage: Stage) -> list[Goal]:
    """Whatever arrives how often: each task is executed once."""
    counts = stage.notes["counts"]
    told = ", ".join(f"{times} {what}" for what, times in sorted(counts.items()))
    spread = Spread.of(found.waits)
    queued = f"{spread.p50:.1f} / {spread.p95:.1f} / {spread.longest:.1f} s" if spread else "–"
    return [
        Goal("messages", told, "dropped > 0, late > 0", bool(counts["dropped"] and counts["late"])),
        exactly("executed again", found.repeated + found.handed_over, 0),
        Goal("queued for (p50 / p95 / longest)", queued, "–", met=True),
    ]


CASE = Case(
    id="C9",
    title="Messages in disorder",
    inject=inject,
    goals=goals,
    # Recovery takes a message for lost after 15 seconds at most.
    environment={VARIABLE: disorder(drop=0.2, late=0.1, seconds=16, copies=3, ahead=0.3)},
    in_short=False,  # tests/faults has it
)
