from __future__ import annotations

import time

import httpx
from django.conf import settings

from dags_app.domain.commands import HttpCommand
from runs_app.domain.outcomes import Outcome
from skytrail.errors import SkytrailError
from workers.executors import http_body
from workers.executors.contract import Call
from workers.executors.http_connection import (
    AtHomeOnly,
    BadConnection,
    SecretAstray,
    Website,
    place_of,
    website_of,
)
from workers.executors.network_guard import GuardedTransport, PrivateAddress

MAX_REDIRECTS = 3

#: Of the body of an answer that was not expected, so many characters are shown in the log.
_SHOWN = 2000

#: Statuses after which the same request may well succeed.
_PASSING = {408, 425, 429, *range(500, 600)}


class HttpExecutor:
    """Makes one HTTP request. The output is `{status_code, headers, body, truncated}`, with `json`
    instead of `body` where the answer is JSON.

    The `Idempotency-Key` header is the same for every try, so that a careful server does the
    work once. A status outside `expected_status` fails the task, for good where asking again cannot
    help.
    """

    def execute(self, call: Call[HttpCommand]) -> Outcome:
        try:
            website = _website(call)
            url = _address(call.command, website)
            at_home_only = AtHomeOnly(url, website, masked=call.masked, say=call.log.write)
            with (
                call.interruption.interruptible(),
                httpx.Client(
                    transport=GuardedTransport(settings.SKYTRAIL_HTTP_ALLOWED),
                    timeout=call.command.request_timeout_seconds,
                    follow_redirects=True,
                    max_redirects=MAX_REDIRECTS,
                    trust_env=False,
                    event_hooks={"request": [at_home_only]},
                ) as client,
            ):
                return _request(client, url, call)
        except BadConnection as error:
            return Outcome.failed(str(error), reason="bad_connection", may_retry=False)
        except SecretAstray as error:
            return Outcome.failed(str(error), reason="redirects", may_retry=False)
        except SkytrailError as error:
            return Outcome.failed(f"conn_id: {error}", reason="no_connection")
        except PrivateAddress as error:
            return Outcome.failed(f"uri: {error}", reason="private_address", may_retry=False)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            return Outcome.failed(
                f"uri: no usable address, or a redirect to none: {error}",
                reason="bad_uri",
                may_retry=False,
            )
        except httpx.TooManyRedirects:
            return Outcome.failed(
                f"uri: more than {MAX_REDIRECTS} redirects", reason="redirects", may_retry=False
            )
        except httpx.TimeoutException as error:
            limit = f"{call.command.request_timeout_seconds:g} s"
            return Outcome.failed(
                f"no answer within request_timeout_seconds, {limit} ({type(error).__name__})",
                reason="timeout",
            )
        except http_body.UnknownEncoding as error:
            return Outcome.failed(f"the answer cannot be read: {error}", reason="bad_answer")
        except (httpx.HTTPError, OSError) as error:
            return Outcome.failed(
                f"the request failed: {error or type(error).__name__}", reason="connection"
            )


def _website(call: Call[HttpCommand]) -> Website | None:
    conn_id = call.command.conn_id
    return None if conn_id is None else website_of(call.services.secrets.connection(conn_id))


def _address(command: HttpCommand, website: Website | None) -> httpx.URL:
    url = httpx.URL(command.uri) if website is None else website.address(command.uri)
    return url.copy_merge_params(command.params)


def _request(client: httpx.Client, url: httpx.URL, call: Call[HttpCommand]) -> Outcome:
    command = call.command
    shown = _shown(url)
    started = time.monotonic()
    call.log.write(f"{command.method} {shown}\n")
    with client.stream(
        command.method,
        url,
        headers={
            "Accept-Encoding": "gzip",
            "Idempotency-Key": str(call.execution.task_run_id),
            **command.headers,
        },
        json=command.json_body,
        content=command.body,
    ) as response:
        body = http_body.read(response, command.max_response_bytes)
    took = time.monotonic() - started
    cut = f", body cut after {len(body.data):,} bytes" if body.truncated else ""
    status = f"{response.status_code} {response.reason_phrase}".rstrip()
    call.log.write(f"{status} in {took:.2f} s{cut}\n")
    if is_expected(response.status_code, command.expected_status):
        return Outcome.success(http_body.output_of(response, body))
    if body.data:
        call.log.write(body.text(response.charset_encoding)[:_SHOWN] + "\n")
    expected = ", ".join(str(rule) for rule in command.expected_status)
    return Outcome.failed(
        f"{command.method} {shown} answered {status}; expected {expected}",
        reason="http_status",
        may_retry=response.status_code in _PASSING,
    )


def is_expected(status: int, rules: list[int | str]) -> bool:
    """Whether one of the rules, like 204 or "200-299", covers `status`."""
    for rule in rules:
        first, _, last = str(rule).partition("-")
        if int(first) <= status <= int(last or first):
            return True
    return False


def _shown(url: httpx.URL) -> str:
    """An address for logs: a password or a token in it stays out of them."""
    return f"{place_of(url)}{url.path}"
