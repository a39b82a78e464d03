from __future__ import annotations

import contextlib
import gzip
import json
import shutil
import socket
import ssl
import subprocess
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from runs_app.domain.outcomes import Outcome
from runs_app.domain.states import TaskState
from tests.workers.calls import EXECUTION, Bench
from tests.workers.pages import Page, Request, Site, serving


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with serving() as site:
        yield site


def answer(bench: Bench, site: Site, page: Page, **parameters: Any) -> Outcome:
    """What becomes of a task that is given `page`."""
    site.pages["/page"] = page
    return bench.run("http", uri=site.url("/page"), **parameters)


def echo(request: Request) -> Page:
    asked = [request.method, request.path, request.headers, request.body.decode()]
    return Page(200, json.dumps(asked).encode(), {"Content-Type": "application/json"})


# ------------------------------------------------------------------- what is sent


def test_method_query_headers_and_body(bench: Bench, site: Site) -> None:
    site.pages["/echo"] = echo
    output = bench.run(
        "http",
        uri=site.url("/echo?a=1"),
        method="PUT",
        params={"b": True, "c": "ü &"},
        headers={"X-Mine": "yes"},
        json={"rows": [1, None]},
    ).output
    method, path, headers, body = output["json"]
    assert (method, json.loads(body)) == ("PUT", {"rows": [1, None]})
    assert path == "/echo?a=1&b=true&c=%C3%BC+%26"
    assert headers["X-Mine"] == "yes"
    assert headers["Idempotency-Key"] == str(EXECUTION.task_run_id)
    assert headers["Host"] == f"127.0.0.1:{site.port}"


def test_a_text_body(bench: Bench, site: Site) -> None:
    site.pages["/echo"] = echo
    output = bench.run("http", uri=site.url("/echo"), method="POST", body="schöne Grüße").output
    assert output["json"][3] == "schöne Grüße"


def test_secrets_in_an_address_stay_out_of_log_and_message(bench: Bench, site: Site) -> None:
    site.pages["/page"] = Page(404)
    uri = f"http://user:canary@127.0.0.1:{site.port}/page?token=canary"
    outcome = bench.run("http", uri=uri)
    assert "canary" not in bench.log + outcome.message
    assert site.requests[-1].headers["Authorization"].startswith("Basic ")


# ------------------------------------------------------------------- what comes back


def test_text_is_kept_with_some_headers(bench: Bench, site: Site) -> None:
    headers = {"Content-Type": "text/plain; charset=latin-1", "Set-Cookie": "canary"}
    output = answer(bench, site, Page(200, "Grüße".encode("latin-1"), headers)).output
    assert output["body"] == "Grüße"
    assert output["truncated"] is False
    assert "set-cookie" not in output["headers"]


@pytest.mark.parametrize("charset", ["no-such-charset", "rot13", "hex", ""])
def test_a_charset_that_is_none_is_taken_for_utf8(bench: Bench, site: Site, charset: str) -> None:
    page = Page(200, "Grüße".encode(), {"Content-Type": f"text/plain; charset={charset}"})
    assert answer(bench, site, page).output["body"] == "Grüße"


def test_a_long_body_is_cut_and_marked(bench: Bench, site: Site) -> None:
    output = answer(bench, site, Page(200, b"x" * 1000), max_response_bytes=100).output
    assert (output["body"], output["truncated"]) == ("x" * 100, True)
    assert "body cut after 100 bytes" in bench.log


def test_as_much_as_fits_is_kept_of_text_that_takes_more_space_as_json(
    bench: Bench, site: Site
) -> None:
    body = ("п" * 4_000_000).encode()  # 24 MB as \uXXXX
    page = Page(200, body, {"Content-Type": "text/plain; charset=utf-8"})
    output = answer(bench, site, page, max_response_bytes=8_388_608).output
    assert output["body"] == "п" * 2_000_000
    assert output["truncated"] is True


def test_json_that_cannot_be_kept_as_such_is_text(bench: Bench, site: Site) -> None:
    page = Page(200, b'{"a": "\\u0000"}', {"Content-Type": "application/json"})
    assert answer(bench, site, page).output["body"] == '{"a": "\\u0000"}'
    page = Page(200, b"{oops", {"Content-Type": "application/json"})
    assert answer(bench, site, page).output["body"] == "{oops"


def test_nul_bytes_are_replaced(bench: Bench, site: Site) -> None:
    assert answer(bench, site, Page(200, b"a\x00b")).output["body"] == "a\ufffdb"


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
def test_a_packed_answer_is_unpacked(bench: Bench, site: Site, pack: Any) -> None:
    encoding = "gzip" if pack is gzip.compress else "deflate"
    page = Page(200, pack(b"text " * 1000), {"Content-Encoding": encoding})
    assert answer(bench, site, page).output["body"] == "text " * 1000


def test_a_small_answer_that_stands_for_a_huge_one_is_not_unpacked_whole(
    bench: Bench, site: Site
) -> None:
    bomb = gzip.compress(b"\x00" * 200_000_000, compresslevel=1)
    output = answer(bench, site, Page(200, bomb, {"Content-Encoding": "gzip"})).output
    assert output["truncated"] is True


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip"])
def test_packing_that_was_not_asked_for_is_refused(bench: Bench, site: Site, encoding: str) -> None:
    outcome = answer(bench, site, Page(200, b"x", {"Content-Encoding": encoding}))
    assert (outcome.reason, outcome.may_retry) == ("bad_answer", True)


# ------------------------------------------------------------------- status rules


@pytest.mark.parametrize(
    ("status", "rules", "state"),
    [
        (204, ["200-299"], TaskState.SUCCESS),
        (404, [200, 404], TaskState.SUCCESS),
        (200, [201], TaskState.FAILED),
        (500, ["200-299"], TaskState.FAILED),
    ],
)
def test_status_rules(
    bench: Bench, site: Site, status: int, rules: list[int | str], state: TaskState
) -> None:
    assert answer(bench, site, Page(status), expected_status=rules).state is state


@pytest.mark.parametrize(
    ("status", "may_retry"), [(400, False), (404, False), (408, True), (429, True), (503, True)]
)
def test_only_what_may_pass_is_tried_again(
    bench: Bench, site: Site, status: int, may_retry: bool
) -> None:
    outcome = answer(bench, site, Page(status, b"why it was refused"))
    assert outcome.may_retry is may_retry
    assert str(status) in outcome.message
    assert "why it was refused" in bench.log


# ------------------------------------------------------------------- redirects


def test_a_redirect_is_followed_with_the_name_and_the_login(bench: Bench, site: Site) -> None:
    bench_uri = f"http://user:word@127.0.0.1:{site.port}/away"
    site.pages["/away"] = Page(302, headers={"Location": "/echo"})
    site.pages["/echo"] = echo
    headers = bench.run("http", uri=bench_uri).output["json"][2]
    assert headers["Host"] == f"127.0.0.1:{site.port}"
    assert "Authorization" in headers


def test_a_relative_redirect_of_an_allowed_name_stays_allowed(
    bench: Bench, site: Site, settings: Settings
) -> None:
    settings.SKYTRAIL_HTTP_ALLOWED = ["localhost"]
    site.pages["/away"] = Page(302, headers={"Location": "/there"})
    site.pages["/there"] = Page(200, b"arrived")
    outcome = bench.run("http", uri=site.url("/away", host="localhost"))
    assert outcome.output["body"] == "arrived"
    assert site.requests[-1].headers["Host"] == f"localhost:{site.port}"


@pytest.mark.parametrize(
    "target", ["http://169.254.169.254/latest/meta-data", "http://[::1]/", "http://127.0.0.2/"]
)
def test_a_redirect_to_a_private_address_is_refused(bench: Bench, site: Site, target: str) -> None:
    outcome = answer(bench, site, Page(302, headers={"Location": target}))
    assert (outcome.reason, outcome.may_retry) == ("private_address", False)
    assert "SKYTRAIL_HTTP_ALLOWED" in outcome.message


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/", "gopher://x/"])
def test_a_redirect_to_anything_else_is_refused(bench: Bench, site: Site, target: str) -> None:
    assert answer(bench, site, Page(302, headers={"Location": target})).reason == "bad_uri"


def test_redirects_have_an_end(bench: Bench, site: Site) -> None:
    assert answer(bench, site, Page(302, headers={"Location": "/page"})).reason == "redirects"


# ------------------------------------------------------------------- when nobody answers


def test_private_addresses_are_refused(bench: Bench, site: Site, settings: Settings) -> None:
    settings.SKYTRAIL_HTTP_ALLOWED = []
    asked = len(site.requests)
    assert bench.run("http", uri=site.url("/page")).reason == "private_address"
    assert len(site.requests) == asked


def test_nobody_listens(bench: Bench) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        outcome = bench.run("http", uri=f"http://127.0.0.1:{port}/")
    assert (outcome.reason, outcome.may_retry) == ("connection", True)


@pytest.mark.parametrize(
    "uri", ["http://a..b/", f"http://{'a' * 70}.example/", "http://127.0.0.1:99999/"]
)
def test_an_address_that_leads_nowhere_is_an_outcome(bench: Bench, uri: str) -> None:
    assert bench.run("http", uri=uri).reason in {"bad_uri", "connection"}


def test_an_answer_that_does_not_come_is_not_waited_for(bench: Bench) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        outcome = bench.run("http", uri=f"http://127.0.0.1:{port}/", request_timeout_seconds=0.1)
    assert (outcome.reason, outcome.may_retry) == ("timeout", True)
    assert "request_timeout_seconds, 0.1 s" in outcome.message


def test_a_certificate_that_nobody_vouches_for_is_refused(bench: Bench, tmp_path: Path) -> None:
    with _of_an_unknown_authority(tmp_path) as port:
        outcome = bench.run("http", uri=f"https://127.0.0.1:{port}/")
    assert outcome.reason == "connection"
    assert "CERTIFICATE_VERIFY_FAILED" in outcome.message


@contextlib.contextmanager
def _of_an_unknown_authority(folder: Path) -> Iterator[int]:
    """A server that has made its certificate itself, for one caller."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("there is no openssl to make a certificate with")
    made = ("-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1", "-days", "1")
    files = ("-keyout", f"{folder}/key.pem", "-out", f"{folder}/certificate.pem")
    subprocess.run([openssl, "req", *made, *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError):
                context.wrap_socket(connection, server_side=True).close()

        thread = threading.Thread(target=serve, name="tls")
        thread.start()
        yield listener.getsockname()[1]
        thread.join()
