"""What seeded executions have written."""

from __future__ import annotations

from skytrail.cli.seeding.chance import Chance

_DID = ("read", "parsed", "checked", "matched", "wrote", "skipped", "merged")


def of_success(chance: Chance, task: str) -> str:
    """The log of an execution that went well."""
    rows = chance.randrange(10, 500_000)
    return "".join([_began(task), *_steps(chance, rows), f"done: {rows:,} rows\n"])


def of_failure(chance: Chance, task: str, last: str) -> str:
    """The log of one that failed, with `last` at its end."""
    rows = chance.randrange(10, 500_000)
    return "".join(
        [_began(task), *_steps(chance, rows), f"\x1b[31mERROR\x1b[0m {task} failed\n{last}\n"]
    )


def _began(task: str) -> str:
    return f"INFO {task} begins\n"


def _steps(chance: Chance, rows: int) -> list[str]:
    return [
        f"INFO {chance.choice(_DID)} {rows * part // 4:,} of {rows:,} rows\n"
        for part in range(1, chance.randint(2, 5))
    ]
