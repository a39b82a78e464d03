"""Trying a website: one request, to where http tasks may go."""

from __future__ import annotations

from http import HTTPStatus

import httpx
from django.conf import settings

from skytrail.security.secrets.values import ConnectionValue
from workers.executors.http_connection import BadConnection, website_of
from workers.executors.network_guard import GuardedTransport, PrivateAddress
from workers.reaching.verdict import Verdict

_SECONDS = 8.0

#: What servers say that do not know HEAD.
_NO_HEAD = frozenset({HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED})

_REFUSED = frozenset(
    {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.PROXY_AUTHENTICATION_REQUIRED,
    }
)


def try_website(value: ConnectionValue) -> Verdict:
    """Asks for the address itself; any answer is one, but for a refusal and an error of theirs.

    It is sent what tasks send. No redirect is followed: the login is for this host.
    """
    try:
        website = website_of(value)
        url = website.url
        with httpx.Client(
            transport=GuardedTransport(settings.SKYTRAIL_HTTP_ALLOWED),
            timeout=_SECONDS,
            follow_redirects=False,
            trust_env=False,
            headers=website.headers,
        ) as client:
            method, status = "HEAD", _status(client, "HEAD", url)
            if status in _NO_HEAD:
                method, status = "GET", _status(client, "GET", url)
    except PrivateAddress as error:
        return Verdict("failed", str(error))
    except BadConnection as error:
        return Verdict("failed", str(error).removeprefix("conn_id: "))
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, ValueError):
        return Verdict("failed", "host and port make no usable address")
    except httpx.TimeoutException:
        return Verdict("failed", f"no answer within {_SECONDS:g} s")
    except (httpx.HTTPError, OSError) as error:
        return Verdict("failed", f"the request failed: {error or type(error).__name__}")
    answered = f"{method} {url.scheme}://{url.netloc.decode()}{url.path} answered {status}"
    if status in _REFUSED:
        return Verdict("failed", f"{answered}: the login is not accepted")
    return Verdict("failed" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "ok", answered)


def _status(client: httpx.Client, method: str, url: httpx.URL) -> int:
    # Not a byte of the body is read.
    with client.stream(method, url) as response:
        return response.status_code
