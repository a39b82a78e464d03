"""What tasks hand on: values, named outputs, and files."""

from __future__ import annotations

from datetime import timedelta

from skytrail.sdk import Artifact, artifact, chain, dag, task


@task(outputs=["rows", "place"])
def extract(count: int) -> dict[str, object]:
    # Each is kept by itself. Beyond 64 KiB it goes to the artifact store, and nobody notices.
    return {"rows": [{"id": number} for number in range(count)], "place": "north"}


@task
def report(rows: list[dict[str, int]], place: str) -> Artifact:
    page = artifact.folder() / "report.html"
    page.write_text(f"<h1>{place}: {len(rows):,} rows</h1>")
    return artifact.save(page, ttl=timedelta(days=90))


@task
def check(page: Artifact) -> str:
    return page.read_text()


@task.bash(env={"PAGE": "{{ outputs.report }}"})
def publish() -> str:
    # A variable that is an artifact holds the path of a copy.
    return 'cp "$PAGE" "$SKYTRAIL_ARTIFACTS/published.html"'


@dag(
    description="A report is built of many rows, checked and published.",
    owner="examples",
    tags=["example", "pattern"],
    params={"count": 5000},
)
def pattern_data() -> None:
    found = extract("{{ params.count }}")  # type: ignore[arg-type]
    page = report(found["rows"], found["place"])  # type: ignore[arg-type]
    chain(check(page), publish())


pattern_data()
