from __future__ import annotations

import contextlib
import json
import time
from typing import Any

import httpx
from django.conf import settings

from dags_app.domain.commands import HttpCommand
from runs_app.domain.outcomes import Outcome, Unkeepable, keepable
from workers.executors.contract import Call
from workers.executors.network_guard import GuardedTransport, PrivateAddress

MAX_REDIRECTS = 3

#: What is read of a response at most, kept or not.
MAX_READ = 10 * 1024 * 1024

#: Headers that are kept; others may hold cookies and tokens.
_KEPT = ("content-type", "content-length", "date", "etag", "last-modified", "location", "link")

#: Statuses after which the same request may well succeed.
_PASSING = {408, 425, 429, *range(500, 600)}


class HttpExecutor:
    """Makes one HTTP request. The output is `{status_code, headers, body, json, truncated}`.

    The `Idempotency-Key` header is the same for every try, so that a careful server does the
    work once. A status outside `expected_status` fails the task, for good where asking again cannot
    help.
    """

    def execute(self, call: Call[HttpCommand]) -> Outcome:
        command = call.command
        try:
            with (
                call.interruption.interruptible(),
                httpx.Client(
                    transport=GuardedTransport(settings.SKYTRAIL_HTTP_ALLOWED),
                    timeout=command.request_timeout_seconds,
                    follow_redirects=True,
                    max_redirects=MAX_REDIRECTS,
                    trust_env=False,
                ) as client,
            ):
                return self._request(client, call)
        except PrivateAddress as error:
            return Outcome.failed(str(error), reason="private_address", may_retry=False)
        except httpx.InvalidURL as error:
            return Outcome.failed(f"no usable address: {error}", reason="bad_uri", may_retry=False)
        except httpx.UnsupportedProtocol:
            return Outcome.failed(
                f"{command.uri!r} does not begin with http:// or https://",
                reason="bad_uri",
                may_retry=False,
            )
        except httpx.TooManyRedirects:
            return Outcome.failed(
                f"more than {MAX_REDIRECTS} redirects", reason="redirects", may_retry=False
            )
        except httpx.TimeoutException as error:
            limit = f"{command.request_timeout_seconds:g} s"
            return Outcome.failed(
                f"no answer within {limit} ({type(error).__name__})", reason="timeout"
            )
        except (httpx.HTTPError, OSError) as error:
            return Outcome.failed(f"the request failed: {error}", reason="connection")

    def _request(self, client: httpx.Client, call: Call[HttpCommand]) -> Outcome:
        command = call.command
        shown = _shown(command.uri)
        started = time.monotonic()
        call.log.write(f"{command.method} {shown}\n")
        with client.stream(
            command.method,
            command.uri,
            params=command.params or None,
            headers={"Idempotency-Key": str(call.execution.task_run_id), **command.headers},
            json=command.json_body,
            content=command.body,
        ) as response:
            body, truncated = _read(response, command.max_response_bytes)
            took = time.monotonic() - started
            call.log.write(f"{response.status_code} {response.reason_phrase} in {took:.2f} s\n")
        if not is_expected(response.status_code, command.expected_status):
            call.log.write_bytes(body[:2000] + b"\n" if body else b"")
            expected = ", ".join(str(rule) for rule in command.expected_status)
            return Outcome.failed(
                f"{command.method} {shown} answered {response.status_code} "
                f"{response.reason_phrase}; expected {expected}",
                reason="http_status",
                may_retry=response.status_code in _PASSING,
            )
        return Outcome.success(_output(response, body, truncated=truncated))


def is_expected(status: int, rules: list[int | str]) -> bool:
    """Whether a status is among rules such as 200 and "200-299"."""
    for rule in rules:
        first, _, last = str(rule).partition("-")
        if int(first) <= status <= int(last or first):
            return True
    return False


def _read(response: httpx.Response, keep: int) -> tuple[bytes, bool]:
    """The first `keep` bytes of the body, and whether there was more."""
    body = b""
    total = 0
    for chunk in response.iter_bytes(16_384):
        body += chunk[: max(0, keep - len(body))]
        total += len(chunk)
        if total > MAX_READ:
            break
    return body, total > len(body)


def _output(response: httpx.Response, body: bytes, *, truncated: bool) -> dict[str, Any]:
    """What is kept of a response; without its body where that cannot be kept."""
    text = body.decode(response.encoding or "utf-8", "replace")
    output = {
        "status_code": response.status_code,
        "headers": {name: response.headers[name] for name in _KEPT if name in response.headers},
        "truncated": truncated,
    }
    content: dict[str, Any] = {"body": text}
    if "json" in response.headers.get("content-type", "") and not truncated:
        with contextlib.suppress(ValueError, RecursionError):
            content = {"json": json.loads(text)}
    try:
        return dict(keepable(output | content))
    except Unkeepable:
        return output | {"truncated": True, "body": ""}


def _shown(uri: str) -> str:
    """An address for logs: a password or a token in it stays out of them."""
    url = httpx.URL(uri)
    return f"{url.scheme}://{url.host}{f':{url.port}' if url.port else ''}{url.path}"
