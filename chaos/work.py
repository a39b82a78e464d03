"""The load's DAGs: chains, fans, diamonds, retries and long tasks, in bash and in Python.

Every task tells the witness when it starts and when it ends; see `witness.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Any

# Without a client, and without another process than `sleep`. $PPID is the pool process.
_TELLS = """\
exec 3<>"/dev/tcp/127.0.0.1/$CHAOS_WITNESS" || exit 97
tell() {
  echo "$SKYTRAIL_IDEMPOTENCY_KEY $SKYTRAIL_FENCE $SKYTRAIL_ATTEMPT $1 $PPID" >&3
  read -r answer <&3 && [ "$answer" = ok ] || exit 98
}
tell start
"""
_BASH = f"""\
{_TELLS}
sleep "$CHAOS_SECONDS"
if [ "$SKYTRAIL_ATTEMPT" -le "$CHAOS_FAILURES" ]; then tell fail; exit 1; fi
tell end
"""

#: Seconds a task takes: between the two, and rather short.
_SHORTEST, _LONGEST = 0.05, 5.0


@dataclass
class Shapes:
    """Makes DAGs of given shapes; `port` is the witness's, `long` the seconds of a long task."""

    random: Random
    port: int
    long: float
    documents: list[dict[str, Any]] = field(default_factory=list)

    def mixed(self) -> list[dict[str, Any]]:
        """One of each."""
        return [self.chain(), self.fan(), self.diamonds(), self.retries(), self.slow()]

    def chain(self, length: int = 20) -> dict[str, Any]:
        """One after the other."""
        return dag(
            "chain",
            [
                self.task(f"t{place}", after=[f"t{place - 1}"] if place else [], at_most=1.2)
                for place in range(length)
            ],
        )

    def fan(self, width: int = 50) -> dict[str, Any]:
        """Side by side, and one that waits for all."""
        side_by_side = [self.task(f"t{place}", at_most=1.5) for place in range(width)]
        names = [task["id"] for task in side_by_side]
        return dag("fan", [*side_by_side, self.task("join", after=names)])

    def diamonds(self, count: int = 3) -> dict[str, Any]:
        """One, three beside each other, one: several times in a row."""
        tasks: list[dict[str, Any]] = []
        before: list[str] = []
        for place in range(count):
            sides = [f"d{place}b{side}" for side in range(3)]
            tasks.append(self.task(f"d{place}a", after=before, at_most=2.0))
            tasks += [self.task(side, after=[f"d{place}a"], at_most=4.0) for side in sides]
            tasks.append(self.task(f"d{place}c", after=sides, at_most=2.0))
            before = [f"d{place}c"]
        return dag("diamonds", tasks)

    def retries(self) -> dict[str, Any]:
        """Tasks that fail once or twice before they succeed."""
        return dag(
            "retries",
            [
                self.task("once", failures=1, at_most=1.0),
                self.task("twice", after=["once"], failures=2, at_most=1.0),
                self.task("beside", after=["once"], at_most=1.0),
                self.task("end", after=["twice", "beside"], at_most=0.5),
            ],
        )

    def slow(self) -> dict[str, Any]:
        """Two long tasks, one of each kind, and what follows them."""
        return dag(
            "slow",
            [
                self.task("shell", seconds=self.long, kind="bash"),
                self.task("python", seconds=self.long, kind="python"),
                self.task("end", after=["shell", "python"], at_most=0.5),
            ],
        )

    def task(
        self,
        name: str,
        *,
        after: Iterable[str] = (),
        seconds: float | None = None,
        at_most: float = _LONGEST,
        failures: int = 0,
        kind: str | None = None,
        **fields: Any,
    ) -> dict[str, Any]:
        """A task that takes `seconds` (by default a random time), bash or Python by chance."""
        if seconds is None:
            seconds = min(at_most, _SHORTEST + self.random.expovariate(3 / at_most))
        seconds = round(seconds, 3)
        kind = kind or self.random.choice(["bash", "python"])
        command: dict[str, Any]
        if kind == "python":
            command = {
                "type": "python",
                "callable": "chaos.effects.work",
                "kwargs": {"seconds": seconds, "failures": failures},
            }
        else:
            command = {
                "type": "bash",
                "command": _BASH,
                "env": {
                    "CHAOS_WITNESS": str(self.port),
                    "CHAOS_SECONDS": str(seconds),
                    "CHAOS_FAILURES": str(failures),
                },
            }
        return {
            "id": name,
            "depends_on": list(after),
            "retries": failures,
            "retry_delay_seconds": 0.5,
            **command,
            **fields,
        }


def script(name: str, body: str, *, port: int, **fields: Any) -> dict[str, Any]:
    """A bash task that does `body`, and tells the witness before and after."""
    return {
        "id": name,
        "type": "bash",
        "command": f"{_TELLS}\n{body}\ntell end\n",
        "env": {"CHAOS_WITNESS": str(port)},
        **fields,
    }


def dag(name: str, tasks: list[dict[str, Any]], **fields: Any) -> dict[str, Any]:
    """A DAG whose runs do not wait for each other."""
    return {"name": name, "max_active_runs": 1000, "tasks": tasks, **fields}
