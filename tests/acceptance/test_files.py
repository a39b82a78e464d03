"""A file of DAGs is watched, and its functions run on a worker, as they are now."""

from __future__ import annotations

from pathlib import Path

from tests.acceptance.conftest import Installation
from tests.waiting import wait_until

DAG = """
from common_words import WORD
from skytrail.sdk import dag, task

@dag
def daily():
    @task(queue="files")
    def say():
        return [WORD, __name__]

    say()

daily()
"""


def test_files_are_synced_while_they_change_and_a_worker_runs_them(
    installation: Installation, tmp_path: Path
) -> None:
    folder = tmp_path / "dags"
    (folder / "etl").mkdir(parents=True)
    (folder / "common_words.py").write_text("WORD = 'one'\n")
    (folder / "etl/of_files.py").write_text(DAG)
    sync = installation.start("sync", str(folder), "--watch")
    installation.start_worker("filer", queues="files", count=1, SKYTRAIL_DAGS_DIR=str(folder))

    def is_there() -> bool:
        return installation.call("GET", "dags/daily").status_code == 200

    wait_until(is_there, timeout=40, what="the DAG is there")
    for word in ("one", "two"):
        (folder / "common_words.py").write_text(f"WORD = {word!r}\n")
        run = installation.trigger("daily")
        assert installation.wait_for_end("daily", run)["state"] == "success"
        assert installation.output("daily", run, "say") == [word, "etl.of_files"]

    (folder / "bad.yaml").write_text("name: bad\ntasks: 3\n")
    wait_until(
        lambda: installation.call("GET", "import-errors").json()["results"],
        timeout=20,
        what="the bad file is told of",
    )
    assert f"{folder}/bad.yaml:2:8: tasks: " in sync.log.read_text()
    (folder / "etl/of_files.py").unlink()
    wait_until(
        lambda: installation.call("GET", "dags/daily").json()["gone_at"],
        timeout=20,
        what="the DAG is gone",
    )
    sync.stop()
