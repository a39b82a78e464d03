"""What the chaos suite takes for lost, doubled, a false alarm or a zombie."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from chaos.load import Triggered
from chaos.stage import Fault
from chaos.verdict import Attempt, Findings, Moved, Run, Task, judge
from chaos.witness import Effect

#: Seconds since 1970 at which the stories begin.
ZERO = 1_700_000_000.0


class Story:
    """One task of one run: what its workers and the witness have written."""

    def __init__(self, *, state: str = "success", run_state: str = "success") -> None:
        self.id = uuid4()
        self.run = uuid4()
        self.state, self.run_state = state, run_state
        self.attempts: list[Attempt] = []
        self.effects: list[Effect] = []
        self.history: list[Moved] = []

    def attempt(self, epoch: int, *, started: float, ended: float, reason: str = "") -> None:
        """Skytrail's row of an execution by w1."""
        state = "failed" if reason else "success"
        self.attempts.append(
            Attempt(self.id, epoch, "w1@host", state, reason, ZERO + started, ZERO + ended)
        )

    def effect(self, epoch: int, phase: str, at: float) -> None:
        """What the witness saw."""
        moment = datetime.fromtimestamp(ZERO, UTC) + timedelta(seconds=at)
        self.effects.append(Effect(self.id, epoch, 1, phase, 1, moment))

    def cleared(self, at: float) -> None:
        """Somebody had it run again."""
        self.history.append(
            Moved(self.run, self.id, "success", "waiting", 2, "cleared", "user", ZERO + at)
        )

    def judged(self, *faults: Fault, triggered: str = "r") -> Findings:
        moment = datetime.fromtimestamp(ZERO, UTC)
        ended = moment if self.run_state in {"success", "failed"} else None
        epoch = self.attempts[-1].epoch if self.attempts else 1
        found = Findings(
            runs=[Run(self.run, "d", "r", "manual", self.run_state, moment, ended, None, False)],
            tasks=[Task(self.id, self.run, "t", self.state, epoch, 0, 1)],
            attempts=self.attempts,
            history=self.history,
            effects=self.effects,
            faults=list(faults),
        )
        return judge(found, triggered=[Triggered("d", triggered)], interferes=False)


def killed(at: float, *, takes: str = "all", worker: str = "w1") -> Fault:
    return Fault("killed", worker, ZERO + at, takes)


def taken_over(*, ended_late: bool = False) -> Story:
    """Executed, lost at 5, executed again."""
    story = Story()
    story.attempt(1, started=0, ended=5, reason="worker_lost")
    story.attempt(2, started=6, ended=8)
    story.effect(1, "start", 0.1)
    story.effect(2, "start", 6.1)
    if ended_late:
        story.effect(1, "end", 7.1)
    story.effect(2, "end", 7.9)
    return story


def test_a_task_that_ran_once_is_as_it_should_be() -> None:
    story = Story()
    story.attempt(1, started=0, ended=2)
    story.effect(1, "start", 0.1)
    story.effect(1, "end", 1.9)
    found = story.judged()
    assert (found.lost, found.beyond, found.false_alarms, found.repeated) == ([], [], [], 0)


def test_a_run_that_is_not_there_has_not_ended_or_failed_is_lost() -> None:
    assert "is not there" in Story(state="skipped").judged(triggered="another").lost[0]
    assert "has not ended" in Story(state="queued", run_state="running").judged().lost[0]
    assert "ended as failed" in Story(state="failed", run_state="failed").judged().lost[0]


def test_a_success_that_the_witness_has_not_seen_is_lost() -> None:
    story = Story()
    story.attempt(1, started=0, ended=2)
    assert "the witness saw nothing" in story.judged().lost[0]


def test_an_execution_after_a_loss_is_within_the_contract_and_its_times_are_taken() -> None:
    found = taken_over().judged(killed(1))
    assert (found.repeated, found.beyond, found.false_alarms) == (1, [], [])
    assert [round(seconds, 2) for seconds in found.noticed["killed"]] == [4.0]
    assert [round(seconds, 2) for seconds in found.recovered["killed"]] == [5.1]


def test_a_task_whose_next_message_is_lost_too_is_timed_by_itself() -> None:
    again = Fault("died before-claim", "w3", ZERO + 5.5, "all")
    found = taken_over().judged(killed(1), again)
    assert [round(seconds, 2) for seconds in found.hit_again] == [5.1]
    assert found.everything_recovered == []


def test_a_loss_without_a_fault_is_a_false_alarm() -> None:
    assert len(taken_over().judged().false_alarms) == 1
    assert len(taken_over().judged(killed(1, worker="w2")).false_alarms) == 1
    assert len(taken_over().judged(killed(1, takes="none")).false_alarms) == 1
    assert len(taken_over().judged(killed(7)).false_alarms) == 1


def test_a_killed_pool_process_explains_one_loss_only() -> None:
    story = taken_over()
    assert story.judged(killed(1, takes="one")).false_alarms == []
    story.attempt(3, started=0, ended=5, reason="worker_lost")
    assert len(story.judged(killed(1, takes="one")).false_alarms) == 1


def test_a_loss_is_put_down_to_the_first_fault_that_it_cannot_have_survived() -> None:
    story = taken_over()
    found = story.judged(killed(1), killed(3, takes="one"))
    assert [round(seconds, 2) for seconds in found.noticed["killed"]] == [4.0]


def test_an_execution_after_a_good_end_is_beyond_the_contract() -> None:
    story = Story()
    for epoch in (1, 2):
        story.attempt(epoch, started=3 * epoch, ended=3 * epoch + 2)
        story.effect(epoch, "start", 3 * epoch + 0.1)
        story.effect(epoch, "end", 3 * epoch + 1)
    assert "had ended well" in story.judged().beyond[0]
    story.cleared(5)
    assert story.judged().beyond == []


def test_two_executions_in_one_epoch_are_beyond_the_contract() -> None:
    story = Story()
    story.attempt(1, started=0, ended=2)
    for at in (0.1, 0.2):
        story.effect(1, "start", at)
    story.effect(1, "end", 1.0)
    assert "2 times start" in story.judged().beyond[0]


def test_an_execution_that_nobody_claimed_is_beyond_the_contract() -> None:
    story = Story()
    story.effect(7, "start", 0.1)
    assert "never claimed" in story.judged().beyond[0]


def test_a_zombie_ends_after_it_was_taken_over_and_its_overlap_is_measured() -> None:
    found = taken_over(ended_late=True).judged(killed(1))
    assert (found.zombies, found.zombies_refused) == (1, 1)
    assert [round(seconds, 2) for seconds in found.overlaps] == [1.0]


def test_a_zombie_whose_end_was_believed_is_not_refused() -> None:
    story = Story()
    story.attempt(1, started=0, ended=5, reason="worker_lost")
    story.effect(1, "start", 0.1)
    story.effect(1, "end", 7.1)
    found = story.judged(killed(1))
    assert (found.zombies, found.zombies_refused) == (1, 0)


def test_a_task_without_a_row_is_beyond_the_contract() -> None:
    story = Story()
    story.attempt(1, started=0, ended=2)
    story.effect(1, "start", 0.1)
    story.effect(1, "end", 1.0)
    stranger = Effect(UUID(int=1), 1, 1, "start", 1, datetime.now(UTC))
    story.effects.append(stranger)
    assert "unknown to Skytrail" in story.judged().beyond[0]
