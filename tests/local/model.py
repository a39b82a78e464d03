"""What may become of a story's tasks: an independent model, in plain words, of how runs go.

Written from the published table of the trigger rules, from ADR 0013 and 0019, and from what the
documents say of branches, short circuits, mapped tasks, setup and teardown; nothing of it asks the
planner.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dags_app.domain.tasks import TriggerRule
from runs_app.domain.states import RunState, TaskState
from runs_app.domain.trigger_rules import Verdict
from tests.domain.trigger_table import RULES, counts
from tests.local.stories import Story, Task

T, Rule = TaskState, TriggerRule

#: Rules that wait for all that a task depends on; and those that do, unless something has failed.
_PATIENT = frozenset({Rule.ALL_DONE, Rule.ALL_DONE_SETUP_SUCCESS})
_PATIENT_IF_ALL_IS_WELL = frozenset(
    {Rule.ALL_SUCCESS, Rule.NONE_FAILED, Rule.NONE_FAILED_MIN_ONE_SUCCESS}
)

#: How a task has ended: its own state, and those of its instances where it has any.
End = tuple[TaskState, tuple[TaskState, ...]]


@dataclass(frozen=True)
class Model:
    """What is to be expected of one story."""

    story: Story

    def is_up_to_chance(self, ends: Mapping[str, End]) -> bool:
        """Whether something began, or did not, by what happened to end first: it was decided
        against by a task whose end it need not have waited for.
        """
        return any(len(self.possible(task, ends)) > 1 for task in self.story.tasks.values())

    def assert_fits(self, ends: Mapping[str, End], state: RunState) -> None:
        """Raises where a task, or the run, has ended as it may not, given how the others have."""
        assert ends.keys() == self.story.tasks.keys()
        for task in self.story.tasks.values():
            assert ends[task.name] in self.possible(task, ends), (task, dict(ends))
        assert state is self.verdict(ends), dict(ends)

    def possible(self, task: Task, ends: Mapping[str, End]) -> list[End]:
        """How `task` may end, given how those before it have."""
        by_rule = self._by_rule(task, ends)
        skipped: End = (T.SKIPPED, ())
        deciders = self._against(task, ends)
        if by_rule[0] is T.UPSTREAM_FAILED or by_rule == skipped or not deciders:
            return [by_rule]
        early = all(self._may_precede(task, decider, ends) for decider in deciders)
        return [skipped, by_rule] if early else [skipped]

    def _by_rule(self, task: Task, ends: Mapping[str, End]) -> End:
        verdict = Verdict.RUN
        if task.upstream:
            setups = [name for name in task.upstream if self.story.tasks[name].setup]
            verdict = RULES[task.rule].verdict(
                counts(_counted(ends, task.upstream), _counted(ends, setups))
            )
        match verdict:
            case Verdict.RUN:
                return self._if_it_runs(task)
            case Verdict.SKIP:
                return T.SKIPPED, ()
            case Verdict.UPSTREAM_FAILED:
                return T.UPSTREAM_FAILED, ()
            case Verdict.WAIT:
                raise AssertionError(f"{task.name} waits for tasks that have all ended")

    @staticmethod
    def _if_it_runs(task: Task) -> End:
        if task.instances is None or task.ends is not T.SUCCESS:
            return task.ends, ()
        # With nothing to expand over there is nothing to do.
        return (T.SUCCESS, tuple(task.instances)) if task.instances else (T.SKIPPED, ())

    def _against(self, task: Task, ends: Mapping[str, End]) -> list[str]:
        """The branches that go on with others, and the short circuits with nothing at all."""
        if task.teardown:
            return []
        return [
            decider.name
            for decider in self.story.tasks.values()
            if decider.chosen is not None
            and ends[decider.name][0] is T.SUCCESS
            and self._is_left_out(task, decider, decider.chosen)
        ]

    def _is_left_out(self, task: Task, decider: Task, chosen: list[str]) -> bool:
        if decider.stops_all:
            return not chosen and task.name in self.story.behind([decider.name])
        return decider.name in task.upstream and task.name not in {
            *chosen,
            *self.story.behind(chosen),
        }

    def _may_precede(self, task: Task, decider: str, ends: Mapping[str, End]) -> bool:
        """Whether `task` may begin, or be settled, before a task that it hangs on has ended."""
        if task.rule in _PATIENT_IF_ALL_IS_WELL:
            is_patient = ends[task.name][0] is not T.UPSTREAM_FAILED
        else:
            is_patient = task.rule in _PATIENT
        if not is_patient:
            return True
        behind = self.story.behind([decider])
        return all(
            name != decider and self._may_precede(self.story.tasks[name], decider, ends)
            for name in task.upstream
            if name == decider or name in behind
        )

    def verdict(self, ends: Mapping[str, End]) -> RunState:
        """How the run ends: by its leaves, among which teardowns do not count unless they say so;
        where there are no others, by all that nothing follows.
        """
        tasks = self.story.tasks
        counting = {name for name, task in tasks.items() if not task.teardown or task.fails_run}
        leaves = [n for n in counting if not counting.intersection(self.story.downstream(n))]
        if not leaves:
            leaves = [name for name in tasks if not self.story.downstream(name)]
        good = {T.SUCCESS, T.SKIPPED}
        return RunState.SUCCESS if set(_counted(ends, leaves)) <= good else RunState.FAILED


def _counted(ends: Mapping[str, End], names: list[str]) -> list[TaskState]:
    """The states of these tasks as rules count them: of a mapped task those of its instances."""
    return [state for name in names for state in (ends[name][1] or (ends[name][0],))]
