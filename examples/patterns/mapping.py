"""One task becomes many: as many as there are files, which is known only when they are found."""

from __future__ import annotations

from pathlib import Path

from skytrail.sdk import dag, task

DATA = Path(__file__).parent.parent / "data"


@task
def find(pattern: str) -> list[str]:
    return sorted(path.name for path in DATA.glob(pattern))


@task(max_map_length=100)  # more files than that are a mistake: it fails, and says how many
def count(file: str, header: int) -> dict[str, int | str]:
    lines = len((DATA / file).read_text().splitlines()) - header
    print(f"{file}: {lines} lines")
    return {"file": file, "lines": lines}


@task
def report(counts: list[dict[str, int | str]]) -> int:
    # In the order of the files, whichever was counted first.
    total = sum(int(each["lines"]) for each in counts)
    print(f"{total} lines in {', '.join(str(each['file']) for each in counts)}")
    return total


@dag(
    description="One task for each file that is found, and one that puts their results together.",
    owner="examples",
    tags=["example", "pattern"],
)
def pattern_mapping() -> None:
    # `partial`: what is the same for all. `expand`: what differs.
    report(count.partial(header=1).expand(file=find("*-temps.csv")))


pattern_mapping()
