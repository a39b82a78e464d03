"""Any DAG at all, and how each of its tasks ends if it is started."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

from hypothesis import strategies as st

from dags_app.domain.tasks import TriggerRule
from runs_app.domain.executions import Execution
from runs_app.domain.outcomes import Outcome
from runs_app.domain.states import TaskState

T, Rule = TaskState, TriggerRule

_OUTCOMES = {
    T.SUCCESS: Outcome.success(),
    T.FAILED: Outcome.failed("it broke", reason="exception"),
    T.SKIPPED: Outcome.skipped("nothing to do"),
}


@dataclass
class Task:
    """One task of a story."""

    name: str
    upstream: list[str]
    rule: TriggerRule
    #: How it ends if it is started.
    ends: TaskState = T.SUCCESS
    #: Of a branch or a short circuit: with which of the tasks directly behind it the run goes on.
    chosen: list[str] | None = None
    #: Whether nothing at all follows a short circuit that does not go on.
    stops_all: bool = False
    #: Of a mapped task: how each instance ends.
    instances: list[TaskState] | None = None
    setup: bool = False
    teardown: bool = False
    fails_run: bool = False

    def fields(self) -> dict[str, Any]:
        """As a definition has it. What it would do does not matter: nothing is executed."""
        flags = {
            "setup": self.setup,
            "teardown": self.teardown,
            "on_failure_fail_dagrun": self.fails_run,
        }
        return {
            "trigger_rule": self.rule.value,
            **{name: True for name, is_set in flags.items() if is_set},
            **self._type(),
        }

    def _type(self) -> dict[str, Any]:
        if self.instances is not None:
            return {"expand": {"n": "{{ params.list }}"}}
        if self.chosen is None:
            return {}
        if self.stops_all:
            return {"type": "short_circuit", "callable": "a.b"}
        return {"type": "branch", "callable": "a.b"}

    def outcome(self, execution: Execution) -> Outcome:
        """Of an execution of it."""
        if self.instances is not None:
            if execution.map_index >= 0:
                return _OUTCOMES[self.instances[execution.map_index]]
            if self.ends is T.SUCCESS:
                return Outcome.expanded([{"n": index} for index in range(len(self.instances))])
        if self.ends is T.SUCCESS and self.chosen is not None:
            goes_on = self.stops_all and self.chosen
            return Outcome.success(chosen=None if goes_on else tuple(self.chosen))
        return _OUTCOMES[self.ends]


@dataclass
class Story:
    """A DAG and how its tasks end."""

    tasks: dict[str, Task] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        tasks = [
            {"id": task.name, "depends_on": task.upstream, **task.fields()}
            for task in self.tasks.values()
        ]
        return {"name": "story", "tasks": tasks}

    def script(self, execution: Execution) -> Outcome:
        """What becomes of an execution."""
        return self.tasks[execution.task_id].outcome(execution)

    def downstream(self, name: str) -> list[str]:
        return [other.name for other in self.tasks.values() if name in other.upstream]

    def behind(self, names: list[str]) -> set[str]:
        """All that comes after any of these."""
        found: set[str] = set()
        open_ends = list(names)
        while open_ends:
            for name in self.downstream(open_ends.pop()):
                if name not in found:
                    found.add(name)
                    open_ends.append(name)
        return found


@st.composite
def stories(draw: st.DrawFn, *, most: int = 9) -> Story:
    """Any story, with a liking for rules that differ and for tasks that decide."""
    # From a seed: hypothesis prefers small numbers, and would hardly draw any join.
    random = Random(draw(st.integers(0, 2**32)))
    story = Story()
    odd_rules = random.choice([0.0, 0.3, 1.0])
    odd_kinds = random.choice([0.0, 0.3, 0.6])
    trouble = random.choice([0.1, 0.4])
    for place in range(random.randint(1, most)):
        near = [f"t{other}" for other in range(max(0, place - 4), place)]
        upstream = random.sample(near, min(len(near), random.choice([0, 1, 1, 2, 2, 3])))
        rule = random.choice(list(Rule)) if random.random() < odd_rules else Rule.ALL_SUCCESS
        task = Task(f"t{place}", sorted(upstream), rule, ends=_end(random, trouble))
        if random.random() < odd_kinds:
            _make_odd(random, task, trouble)
        story.tasks[task.name] = task
    for task in story.tasks.values():
        if task.chosen is not None:
            after = story.downstream(task.name)
            goes_on = random.random() < 0.5
            some = [name for name in after if random.random() < 0.5]
            task.chosen = (after if goes_on else []) if task.stops_all else some
    return story


def _end(random: Random, trouble: float) -> TaskState:
    return random.choice([T.FAILED, T.SKIPPED]) if random.random() < trouble else T.SUCCESS


def _make_odd(random: Random, task: Task, trouble: float) -> None:
    match random.choice(["branch", "branch", "short_circuit", "mapped", "setup", "teardown"]):
        case "branch":
            task.chosen = []
        case "short_circuit":
            task.chosen, task.stops_all = [], True
        case "mapped":
            task.instances = [_end(random, trouble) for _ in range(random.randint(0, 3))]
        case "setup":
            task.setup = True
        case "teardown":
            task.teardown = True
            task.rule = Rule.ALL_DONE_SETUP_SUCCESS
            task.fails_run = random.random() < 0.3
