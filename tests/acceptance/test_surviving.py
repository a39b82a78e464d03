"""Processes die, Redis forgets: every run still ends."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psutil
import redis
from django.conf import settings as django_settings

from runs_app.models import DagRun, TaskRun, Worker
from tests.acceptance.conftest import LEASE, Installation, Part
from tests.waiting import wait_until

#: A task that shows that it is at work, and ends when it is let.
GATED = "echo $$ > {folder}/$SKYTRAIL_FENCE; until [ -e {folder}/gate ]; do sleep 0.05; done"


def start_gated(installation: Installation, name: str, folder: Path, queue: str) -> str:
    """A run whose task is at work in a worker of `queue`; its run_id."""
    folder.chmod(0o777)
    task = {"id": "work", "type": "bash", "command": GATED.format(folder=folder), "queue": queue}
    installation.save(name, [task, {"id": "after", "depends_on": ["work"], "queue": queue}])
    run_id = installation.trigger(name)
    wait_until(lambda: is_at_work(folder, 1), timeout=20, what="the task is at work")
    return run_id


def is_at_work(folder: Path, epoch: int) -> bool:
    """Whether that execution has written down its shell's pid, all of it."""
    mark = folder / str(epoch)
    return mark.exists() and mark.read_text().endswith("\n")


def pool_process_of(worker: Part) -> psutil.Process:
    """The pool process in which something runs."""

    def busy() -> psutil.Process | None:
        for child in psutil.Process(worker.process.pid).children():
            if child.children():
                return child
        return None

    found = wait_until(busy, what="a pool process is at work")
    assert found is not None
    return found


def is_gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_task_whose_pool_process_is_killed_runs_again_within_seconds(
    installation: Installation, tmp_path: Path
) -> None:
    worker = installation.start_worker("doomed_child", queues="doomed_child", count=1)
    run_id = start_gated(installation, "doomed_child", tmp_path, "doomed_child")
    shell = int((tmp_path / "1").read_text())
    pool_process_of(worker).kill()
    wait_until(
        lambda: is_at_work(tmp_path, 2), timeout=LEASE, what="it runs again, before its lease ended"
    )
    assert is_gone(shell), "what the killed process had started is gone"
    (tmp_path / "gate").touch()
    assert installation.wait_for_end("doomed_child", run_id)["state"] == "success"
    task = installation.task("doomed_child", run_id, "work")
    assert (task["attempt"], task["lost_count"]) == (1, 1)


def test_a_task_whose_worker_is_killed_is_taken_over_by_another(
    installation: Installation, tmp_path: Path
) -> None:
    worker = installation.start_worker("doomed", queues="doomed", count=1)
    run_id = start_gated(installation, "doomed", tmp_path, "doomed")
    shell = int((tmp_path / "1").read_text())
    worker.kill()
    wait_until(lambda: is_gone(shell), what="what the worker had started is gone")
    installation.start_worker("heir", queues="doomed", count=1)
    wait_until(
        lambda: is_at_work(tmp_path, 2), timeout=LEASE * 4, what="another worker has taken it over"
    )
    (tmp_path / "gate").touch()
    assert installation.wait_for_end("doomed", run_id)["state"] == "success"


def test_a_worker_that_hangs_stops_its_work_before_another_may_begin_it(
    installation: Installation, tmp_path: Path
) -> None:
    hanging = installation.start_worker("hanging", queues="hanging", count=1)
    run_id = start_gated(installation, "hanging", tmp_path, "hanging")
    shell = int((tmp_path / "1").read_text())
    hanging.process.send_signal(signal.SIGSTOP)
    # Only its parent process, which renews the leases; the one that executes the task goes on.
    wait_until(lambda: is_gone(shell), timeout=LEASE, what="its work has stopped by itself")
    assert installation.task("hanging", run_id, "work")["lost_count"] == 0, "before it was lost"
    installation.start_worker("nimble", queues="hanging", count=1)
    wait_until(
        lambda: is_at_work(tmp_path, 2), timeout=LEASE * 4, what="another worker has begun it"
    )
    hanging.process.send_signal(signal.SIGCONT)
    (tmp_path / "gate").touch()
    assert installation.wait_for_end("hanging", run_id)["state"] == "success"


def test_a_worker_that_is_told_to_stop_hands_back_what_it_does_not_finish(
    installation: Installation, tmp_path: Path
) -> None:
    worker = installation.start_worker("leaving", queues="leaving", count=1)
    run_id = start_gated(installation, "leaving", tmp_path, "leaving")
    worker.stop()
    task = installation.task("leaving", run_id, "work")
    assert (task["state"], task["attempt"], task["lost_count"]) == ("queued", 1, 0)
    assert Worker.objects.get(name__startswith="leaving@").stopped_at is not None
    installation.start_worker("successor", queues="leaving", count=1)
    wait_until(lambda: is_at_work(tmp_path, 2), timeout=20, what="its successor has begun it")
    (tmp_path / "gate").touch()
    assert installation.wait_for_end("leaving", run_id)["state"] == "success"


def test_redis_forgets_everything_and_no_run_is_lost(
    installation: Installation, tmp_path: Path
) -> None:
    tasks = [
        {"id": f"t{place}", "queue": "forgotten", "depends_on": [f"t{place - 1}"] if place else []}
        for place in range(5)
    ]
    installation.save("forgotten", tasks)
    runs = [installation.trigger("forgotten") for _ in range(4)]
    redis.Redis.from_url(django_settings.SKYTRAIL_REDIS_URL).flushdb()
    # Not to wait for the time after which a message counts as late.
    TaskRun.objects.filter(state="queued").update(published_at="2026-01-01T00:00Z")
    installation.start_worker("late", queues="forgotten", count=1)
    for run_id in runs:
        assert installation.wait_for_end("forgotten", run_id, timeout=60)["state"] == "success"


def test_schedules_tick_with_three_beats_and_with_none(installation: Installation) -> None:
    beats = [
        installation.parts["beat"],
        *(installation.start("beat", label=f"beat{place}") for place in (2, 3)),
    ]
    installation.save("ticking", [{"id": "a"}], schedule={"interval_seconds": 1})
    runs = DagRun.objects.filter(dag__dag_id="ticking")
    wait_until(lambda: runs.count() >= 4, timeout=30, what="four runs with three beats")
    dates = list(runs.values_list("logical_date", flat=True))
    assert len(dates) == len(set(dates)), "one run for each date"
    for beat in beats:
        beat.kill()
    so_far = runs.count()
    wait_until(lambda: runs.count() > so_far + 1, timeout=40, what="more runs with no beat at all")
    answer = installation.call("PATCH", "dags/ticking", json={"paused": True})
    assert answer.status_code == 200
    installation.start("beat")


def test_a_worker_that_is_killed_leaves_no_process_behind(
    installation: Installation, tmp_path: Path
) -> None:
    worker = installation.start_worker("gone", queues="gone", count=2)
    start_gated(installation, "gone", tmp_path, "gone")
    family = psutil.Process(worker.process.pid).children(recursive=True)
    assert len(family) >= 4, "two pool processes, the warden, the task's shell"
    os.kill(worker.process.pid, signal.SIGKILL)
    worker.process.wait()
    wait_until(lambda: all(is_gone(process.pid) for process in family), what="all are gone")
