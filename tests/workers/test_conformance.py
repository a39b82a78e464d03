"""What every executor has to do alike. A new one joins `KINDS`, and is done when it passes."""

from __future__ import annotations

import json
import os
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from runs_app.domain.outcomes import MAX_OUTPUT_BYTES
from runs_app.domain.states import TaskState
from skytrail.documents import unstorable
from tests.waiting import wait_until
from tests.workers.calls import Bench
from tests.workers.chores import NASTY_KEPT
from tests.workers.pages import Page, Request, Site, serving
from workers.executors.registry import EXECUTORS
from workers.guards.interruption import Reason
from workers.log import Log

CHORES = "tests.workers.chores"

#: A command: its type and parameters.
Told = dict[str, Any]


@dataclass
class Kind:
    """How one executor is made to do each thing; what it cannot do is left out."""

    type: str
    succeed: Told
    fail: Told | None = None
    fail_for_good: Told | None = None
    skip: Told | None = None
    wait: Told | None = None
    say: Told | None = None
    say_much: Told | None = None
    say_nasty: Told | None = None
    break_nastily: Told | None = None
    give: Told | None = None
    give_too_much: Told | None = None
    give_no_json: Told | None = None
    downstream: list[str] = field(default_factory=list)


def _bash(command: str) -> Told:
    return {"command": command}


def _python(name: str, *args: Any) -> Told:
    return {"callable": f"{CHORES}.{name}", "args": list(args)}


def _celery(name: str, *args: Any) -> Told:
    return {"task": f"{CHORES}.celery_{name}", "args": list(args)}


def _http(path: str) -> Told:
    return {"uri": f"http://127.0.0.1:{{port}}{path}"}


def _sql(statement: str, **more: Any) -> Told:
    return {"conn_id": "scratch", "sql": statement, **more}


#: Begins, and never ends.
_ENDLESS = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1e12) "
    "SELECT max(i) AS i FROM n"
)

KINDS = [
    Kind("empty", succeed={}),
    Kind(
        "bash",
        succeed=_bash("true"),
        fail=_bash("exit 3"),
        skip=_bash("exit 99"),
        wait=_bash("echo begun; sleep 1000"),
        say=_bash("echo said so"),
        say_much=_bash("for i in $(seq 2000); do echo line $i; done"),
        say_nasty=_bash(r"printf 'NUL \x00, half \xed\xa0\x80, שלום, 🙂, \x1b[31m\n'"),
        give=_bash("""echo '{"rows": 3}' > $SKYTRAIL_OUTPUT"""),
        give_too_much=_bash("head -c 17000000 /dev/zero > $SKYTRAIL_OUTPUT"),
        give_no_json=_bash("echo '{oops}' > $SKYTRAIL_OUTPUT"),
    ),
    Kind(
        "python",
        succeed=_python("give"),
        fail=_python("break_down"),
        fail_for_good=_python("fail", "for good"),
        skip=_python("skip"),
        wait=_python("say_then_wait"),
        say=_python("say", "said so"),
        say_much=_python("print_many", 2000),
        say_nasty=_python("say_nasty"),
        break_nastily=_python("break_down_nastily"),
        give=_python("give", {"rows": 3}),
        give_too_much=_python("many", 17_000_000),
        give_no_json=_python("a_set"),
    ),
    Kind(
        "celery",
        succeed=_celery("give"),
        fail=_celery("retry", "it broke"),
        fail_for_good=_celery("raise", "fail"),
        skip=_celery("raise", "skip"),
        wait=_celery("wait"),
        say=_celery("say", "said so"),
        break_nastily=_celery("break_down"),
        give=_celery("give", {"rows": 3}),
    ),
    Kind(
        "http",
        succeed=_http("/fine"),
        fail=_http("/broken"),
        fail_for_good=_http("/missing"),
        wait=_http("/slow"),
        say=_http("/said so"),
        break_nastily=_http("/nasty"),
    ),
    Kind(
        "sql",
        succeed=_sql("SELECT 1 AS a"),
        fail=_sql("SELECT a FROM nowhere"),
        fail_for_good=_sql("SELECT 1 AS a", max_rows=0),
        wait=_sql(_ENDLESS),
        give_too_much=_sql("SELECT hex(zeroblob(8400000)) AS a"),
    ),
    Kind(
        "branch",
        succeed=_python("pick", "next"),
        fail=_python("break_down"),
        fail_for_good=_python("fail", "for good"),
        skip=_python("skip"),
        wait=_python("say_then_wait"),
        say=_python("say", "said so"),
        break_nastily=_python("break_down_nastily"),
        give_too_much=_python("many", 17_000_000),
        give_no_json=_python("a_set"),
        downstream=["next"],
    ),
    Kind(
        "short_circuit",
        succeed=_python("give", 1),
        fail=_python("break_down"),
        fail_for_good=_python("fail", "for good"),
        skip=_python("skip"),
        wait=_python("say_then_wait"),
        say=_python("say", "said so"),
        break_nastily=_python("break_down_nastily"),
        give=_python("give", {"rows": 3}),
        give_too_much=_python("many", 17_000_000),
        give_no_json=_python("a_set"),
    ),
    Kind("latest_only", succeed={}),
    Kind(
        "python_sensor",
        succeed=_python("give", 1),
        fail=_python("break_down"),
        fail_for_good=_python("fail", "for good"),
        skip=_python("skip"),
        wait=_python("say_then_wait"),
        say=_python("say_and_give", "said so"),
        break_nastily=_python("break_down_nastily"),
        give=_python("give", {"rows": 3}),
        give_too_much=_python("many", 17_000_000),
        give_no_json=_python("a_set"),
    ),
    Kind("file_sensor", succeed={"path": "/etc/passwd"}),
    Kind(
        "http_sensor",
        succeed=_http("/fine"),
        fail_for_good={"uri": "http://10.1.2.3/"},
        wait=_http("/slow"),
        say=_http("/said so"),
    ),
    Kind(
        "sql_sensor",
        succeed=_sql("SELECT 1 AS a"),
        fail=_sql("SELECT a FROM nowhere"),
        wait=_sql(_ENDLESS),
        give_too_much=_sql("SELECT hex(zeroblob(8400000)) AS a"),
    ),
    Kind("time_sensor", succeed={"until": "2020-01-01T00:00:00Z"}),
]


def those_that(can: str) -> pytest.MarkDecorator:
    """Parametrises a test with the executors that can do something."""
    able = [kind for kind in KINDS if getattr(kind, can) is not None]
    return pytest.mark.parametrize("kind", able, ids=lambda kind: kind.type)


@dataclass
class SlowSite:
    """A site with a page that does not answer before the gate is open."""

    site: Site
    gate: threading.Event = field(default_factory=threading.Event)

    def slow(self, _: Request) -> Page:
        self.gate.wait()
        return Page()

    def hang_up(self) -> None:
        """The site's side of every connection is closed: it is in this process too."""
        self.gate.set()
        wait_until(lambda: not _answering(), what="the site has closed its connections")
        self.gate.clear()


def _answering() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if "process_request" in thread.name]


@pytest.fixture(scope="module")
def site() -> Iterator[SlowSite]:
    with serving() as site:
        slow_site = SlowSite(site)
        nasty = "NUL \x00, half \udcff, שלום, 🙂, \x1b[31m".encode("utf-8", "replace")
        site.pages |= {
            "/fine": Page(),
            "/said%20so": Page(),
            "/broken": Page(500),
            "/missing": Page(404),
            "/nasty": Page(500, nasty),
            "/slow": slow_site.slow,
        }
        yield slow_site
        slow_site.hang_up()


@dataclass
class Doer:
    """One executor, told by a `Kind`."""

    bench: Bench
    slow_site: SlowSite

    @property
    def site(self) -> Site:
        return self.slow_site.site

    def told(self, kind: Kind, what: str) -> Told:
        text = json.dumps(getattr(kind, what)).replace("{port}", str(self.site.port))
        command: Told = json.loads(text)
        return command

    def do(self, kind: Kind, what: str) -> Any:
        return self.bench.about(downstream=kind.downstream).run(kind.type, **self.told(kind, what))

    def stop(self, kind: Kind, reason: Reason) -> Any:
        asked = len(self.site.requests)

        def begun(log: Log) -> bool:
            seen = "".join(piece.text for piece in log.take())
            return "begun" in seen or "executing" in seen or len(self.site.requests) > asked

        told = self.told(kind, "wait")
        try:
            return self.bench.stop(kind.type, once=begun, reason=reason, **told)
        finally:
            self.slow_site.hang_up()


@pytest.fixture
def doer(bench: Bench, site: SlowSite, monkeypatch: pytest.MonkeyPatch) -> Doer:
    monkeypatch.setenv("SKYTRAIL_CONN_SCRATCH", "sqlite://")
    return Doer(bench, site)


def test_every_executor_is_here() -> None:
    # What has to do with other runs, and with people, is tried with real ones: tests/actions.
    elsewhere = {"approval", "external_sensor", "trigger_dag"}
    assert {kind.type for kind in KINDS} | elsewhere == set(EXECUTORS)


@those_that("succeed")
def test_success(doer: Doer, kind: Kind) -> None:
    outcome = doer.do(kind, "succeed")
    assert outcome.state is TaskState.SUCCESS
    assert outcome.message == ""


@those_that("fail")
def test_failure_has_a_reason_and_may_be_tried_again(doer: Doer, kind: Kind) -> None:
    outcome = doer.do(kind, "fail")
    assert outcome.state is TaskState.FAILED
    assert outcome.reason
    assert outcome.message
    assert outcome.may_retry


@those_that("fail_for_good")
def test_failure_for_good_is_not_tried_again(doer: Doer, kind: Kind) -> None:
    outcome = doer.do(kind, "fail_for_good")
    assert outcome.state is TaskState.FAILED
    assert not outcome.may_retry


@those_that("skip")
def test_skipping(doer: Doer, kind: Kind) -> None:
    outcome = doer.do(kind, "skip")
    assert outcome.state is TaskState.SKIPPED
    assert outcome.message


@those_that("wait")
@pytest.mark.parametrize("reason", list(Reason))
def test_work_that_is_told_to_stop_does(doer: Doer, kind: Kind, reason: Reason) -> None:
    assert doer.stop(kind, reason).reason is reason


@those_that("say")
def test_what_it_says_is_its_log(doer: Doer, kind: Kind) -> None:
    doer.do(kind, "say")
    assert "said so" in doer.bench.log


@those_that("say_much")
def test_a_long_log_is_cut_with_a_mark_and_its_end_is_kept(doer: Doer, kind: Kind) -> None:
    doer.bench.log_limit = 1024
    doer.do(kind, "say_much")
    assert "log cut here" in doer.bench.log
    assert "line 1\n" in doer.bench.log
    assert "line 1999\n" in doer.bench.log


@those_that("say_nasty")
def test_nasty_output_survives(doer: Doer, kind: Kind) -> None:
    outcome = doer.do(kind, "say_nasty")
    assert outcome.state is TaskState.SUCCESS
    assert unstorable(doer.bench.log) == []
    for word in ("שלום", "🙂", "\x1b[31m", "NUL \ufffd,"):
        assert word in doer.bench.log


@those_that("break_nastily")
def test_a_nasty_failure_is_told(doer: Doer, kind: Kind) -> None:
    outcome = doer.do(kind, "break_nastily")
    assert outcome.state is TaskState.FAILED
    assert unstorable(doer.bench.log) == []
    assert "שלום, 🙂" in doer.bench.log
    assert NASTY_KEPT.partition(",")[0] in doer.bench.log


@those_that("break_nastily")
def test_a_failure_shows_no_internals(doer: Doer, kind: Kind) -> None:
    doer.do(kind, "break_nastily")
    assert "workers/" not in doer.bench.log.replace("tests/workers/", "")


@those_that("give")
def test_output_is_kept(doer: Doer, kind: Kind) -> None:
    assert doer.do(kind, "give").output == {"rows": 3}


@those_that("give_too_much")
def test_too_large_an_output_fails_and_says_what_to_do(doer: Doer, kind: Kind) -> None:
    outcome = doer.do(kind, "give_too_much")
    assert outcome.state is TaskState.FAILED
    assert f"{MAX_OUTPUT_BYTES:,}" in outcome.message
    assert "to a file" in outcome.message


@those_that("give_no_json")
def test_an_output_that_is_no_json_fails_and_says_why(doer: Doer, kind: Kind) -> None:
    outcome = doer.do(kind, "give_no_json")
    assert outcome.state is TaskState.FAILED
    assert outcome.reason == "bad_output"
    assert "JSON" in outcome.message


@those_that("succeed")
def test_it_works_again_in_the_same_process(doer: Doer, kind: Kind) -> None:
    assert doer.do(kind, "succeed") == doer.do(kind, "succeed")


@those_that("wait")
def test_it_works_again_after_having_been_stopped(doer: Doer, kind: Kind) -> None:
    doer.stop(kind, Reason.CANCELLED)
    assert doer.do(kind, "succeed").state is TaskState.SUCCESS


# ------------------------------------------------------------------- nothing is left behind


def _traces() -> dict[str, Any]:
    """What an execution could leave behind in this process and in the temporary folder."""
    me = psutil.Process()
    return {
        "descriptors": me.num_fds(),
        "threads": {thread.name for thread in threading.enumerate()},
        "children": me.children(recursive=True),
        "folders": {path.name for path in Path(tempfile.gettempdir()).glob("task-*")},
        "environment": dict(os.environ),
        "directory": Path.cwd(),
    }


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A temporary folder of this test's own."""
    tempfile.gettempdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@those_that("succeed")
@pytest.mark.usefixtures("temporary")
def test_success_leaves_nothing_behind(doer: Doer, kind: Kind) -> None:
    doer.do(kind, "succeed")  # what is made once stays
    before = _traces_at_rest(doer)
    doer.do(kind, "succeed")
    assert _traces_at_rest(doer) == before


@those_that("fail")
@pytest.mark.usefixtures("temporary")
def test_failure_leaves_nothing_behind(doer: Doer, kind: Kind) -> None:
    doer.do(kind, "fail")
    before = _traces_at_rest(doer)
    doer.do(kind, "fail")
    assert _traces_at_rest(doer) == before


@those_that("wait")
@pytest.mark.usefixtures("temporary")
def test_being_stopped_leaves_nothing_behind(doer: Doer, kind: Kind) -> None:
    before = _traces_at_rest(doer)
    doer.stop(kind, Reason.TIMEOUT)
    assert _traces_at_rest(doer) == before


def _traces_at_rest(doer: Doer) -> dict[str, Any]:
    doer.slow_site.hang_up()
    return _traces()
