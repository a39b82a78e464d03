"""The tree of a run: what it says of each task, and what it leaves out."""

from __future__ import annotations

from rich.console import Console
from rich.tree import Tree

from skytrail.cli.tree import RunShown, TaskShown, TryShown, tree_of


def drawn(tree: Tree) -> str:
    console = Console(width=120, no_color=True)
    with console.capture() as capture:
        console.print(tree)
    return capture.get()


def test_a_task_that_failed_has_its_tries_and_the_end_of_its_log() -> None:
    task = TaskShown(
        name="fetch",
        state="failed",
        began=0.5,
        took=1.25,
        tries=[TryShown(1, "failed", "no answer"), TryShown(2, "failed", "no answer again")],
        log="".join(f"line {number}\n" for number in range(5)),
        output={"rows": 3},
    )
    text = drawn(tree_of(RunShown(name="story", state="failed", took=2.0, tasks=[task])))
    assert "failed  story  in 2.00 s  1 tasks: 1 failed" in text
    assert "2 tries" in text
    assert "try 1   no answer" in text
    assert "try 2   no answer again" in text
    assert "line 4" in text
    assert "line 1" not in text
    assert '{"rows": 3}' in text


def test_of_very_many_tasks_those_that_are_not_simply_done_are_shown() -> None:
    tasks = [
        TaskShown(name=f"t{number}", state="failed" if number == 450 else "success")
        for number in range(500)
    ]
    text = drawn(tree_of(RunShown(name="story", state="failed", tasks=tasks)))
    assert "t450" in text
    assert "t499" not in text
    assert "… and 400 success" in text


def test_tasks_stand_in_their_groups() -> None:
    tasks = [
        TaskShown(name=name, state="success", group=group)
        for name, group in [("a", None), ("etl.b", "etl"), ("etl.in.c", "etl.in"), ("etl.d", "etl")]
    ]
    lines = drawn(tree_of(RunShown(name="story", state="success", tasks=tasks))).splitlines()
    assert [line.rstrip()[4:] for line in lines[1:]] == [
        "✓ success a",
        "etl",
        "├── ✓ success etl.b",
        "├── in",
        "│   └── ✓ success etl.in.c",
        "└── ✓ success etl.d",
    ]
