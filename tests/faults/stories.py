"""DAGs of each kind, what their tasks leave behind, and how their runs are to end."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runs_app.models import Attempt, TaskRun
from tests.acceptance.conftest import Installation
from tests.waiting import wait_until

#: Writes down that it has been executed, and as which execution.
_MARK = 'echo "$SKYTRAIL_RUN_ID $SKYTRAIL_TASK_ID $SKYTRAIL_FENCE" >> {folder}/effects'


@dataclass(frozen=True)
class Story:
    """A DAG: `{task: upstream}`, more of single tasks, and the states that tasks end in."""

    graph: Mapping[str, list[str]]
    details: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    ends: Mapping[str, str] = field(default_factory=dict)
    state: str = "success"

    def tasks(self, folder: Path) -> list[dict[str, Any]]:
        """Its tasks as a document has them; each leaves a mark in `folder`."""
        mark = _MARK.format(folder=folder)
        return [
            {
                "id": name,
                "type": "bash",
                "depends_on": upstream,
                **self.details.get(name, {}),
                "command": f"{mark}; {self.details.get(name, {}).get('command', 'true')}",
            }
            if "callable" not in self.details.get(name, {})
            else {"id": name, "depends_on": upstream, **self.details[name]}
            for name, upstream in self.graph.items()
        ]

    def states(self) -> dict[str, str]:
        """The state that each task is to end in."""
        return {name: self.ends.get(name, "success") for name in self.graph}


_AGAIN = {"retries": 2, "retry_delay_seconds": 0.1}

STORIES: dict[str, Story] = {
    "chain": Story({"a": [], "b": ["a"], "c": ["b"], "d": ["c"]}),
    "fan": Story({"a": [], **{f"b{n}": ["a"] for n in range(4)}, "z": [f"b{n}" for n in range(4)]}),
    "diamond": Story({"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"], "e": ["d"]}),
    "branch": Story(
        {"pick": [], "few": ["pick"], "many": ["pick"], "end": ["few", "many"]},
        {
            "pick": {"type": "branch", "callable": "tests.acceptance.shop.pick", "args": [5]},
            "end": {"trigger_rule": "none_failed_min_one_success"},
        },
        {"few": "skipped"},
    ),
    "retries": Story(
        {"a": [], "b": ["a"]},
        {"a": {**_AGAIN, "command": '[ "$SKYTRAIL_ATTEMPT" -ge 2 ]'}},
    ),
    "failure": Story(
        {"a": [], "b": ["a"], "c": ["b"]},
        {"b": {"command": "exit 1"}},
        {"b": "failed", "c": "upstream_failed"},
        state="failed",
    ),
}


def wait_for_end(installation: Installation, name: str, run_id: str, timeout: float) -> str:
    """The state in which a run ends."""
    return str(installation.wait_for_end(name, run_id, timeout=timeout)["state"])


def states_of(name: str, run_id: str) -> dict[str, str]:
    """Where each task of a run stands."""
    rows = TaskRun.objects.filter(run__dag__dag_id=name, run__run_id=run_id)
    return dict(rows.values_list("task_id", "state"))


def check_effects(folder: Path) -> int:
    """Nothing has been executed twice as the same execution; how many executions there were."""
    effects = Counter((folder / "effects").read_text().splitlines())
    assert [effect for effect, times in effects.items() if times > 1] == []
    return len(effects)


def check_effects_of(folder: Path, name: str, run_id: str) -> None:
    """Whatever ended well has been executed, as the execution that its row names."""
    effects = set((folder / "effects").read_text().splitlines())
    ended_well = TaskRun.objects.filter(
        run__dag__dag_id=name, run__run_id=run_id, state="success"
    ).exclude(version_task__type="branch")
    expected = {f"{run_id} {row.task_id} {row.epoch}" for row in ended_well}
    assert expected <= effects


def check_invariants(installation: Installation) -> None:
    """`skytrail fsck` finds nothing."""
    found = subprocess.run(
        [sys.executable, "-m", "skytrail.cli", "fsck", "--all"],
        env=installation.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert found.returncode == 0, found.stdout + found.stderr


def faults_of(installation: Installation) -> Counter[str]:
    """How often each kind of fault has struck, by what the processes have logged."""
    lines = [
        line.partition("fault: ")[2].split(maxsplit=1)
        for part in installation.parts.values()
        for line in part.log.read_text().splitlines()
        if "fault: " in line
    ]
    return Counter(f"{kind} {_kind_of(what)}" for kind, what in lines)


def _kind_of(what: str) -> str:
    return "a message" if "message" in what else "a write"


def all_end(checks: Mapping[str, Callable[[], bool]], timeout: float) -> None:
    """Waits until all of these are true."""
    for what, check in checks.items():
        wait_until(check, timeout=timeout, what=what)


def executions_of(name: str) -> int:
    """How many executions the runs of a DAG have begun."""
    return Attempt.objects.filter(task_run__dag__dag_id=name).count()
