"""What a connection says about a website: where it is, and what to send along. To it alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import httpx

from skytrail.security.redaction import looks_secret
from skytrail.security.secrets.values import ConnectionValue

TYPES = frozenset({"http", "https"})

#: What begins so is a whole address (RFC 3986 §3.1).
_WHOLE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class BadConnection(Exception):
    """The connection is of no use for a request; the text names the field, and what to do."""


class SecretAstray(Exception):
    """A redirect wants a secret to be sent elsewhere; the text says where to."""


@dataclass(frozen=True, repr=False)
class Website:
    """Where requests go, and what only this place is sent."""

    url: httpx.URL
    headers: Mapping[str, str] = field(default_factory=dict)

    def address(self, uri: str) -> httpx.URL:
        """The address of a path below it, or of a whole address that is one of its own.

        Raises `BadConnection`, and what httpx does for what is no address.
        """
        if _WHOLE.match(uri):
            url = httpx.URL(uri)
            if origin_of(url) != origin_of(self.url):
                raise BadConnection(
                    f"uri: {place_of(url)} is not at {place_of(self.url)}, where conn_id leads; "
                    "write a path, or leave conn_id out"
                )
            return url
        below = self.url.raw_path.decode().partition("?")[0].rstrip("/")
        path, question, asked = uri.partition("?")
        whole = f"{below}/{path.lstrip('/')}{question}{asked}"
        return httpx.URL(f"{place_of(self.url)}{whole}")


def website_of(value: ConnectionValue) -> Website:
    """Reads a connection. A login is sent as basic authentication; of the extras `token` as a
    bearer's, and `headers` as they are. Raises `BadConnection`.
    """
    if value.conn_type not in TYPES:
        raise BadConnection(
            f"conn_id: {value.conn_id} is a connection of type {value.conn_type}; requests need "
            "one of type http or https"
        )
    try:
        url = base_url(value)
    except (httpx.InvalidURL, ValueError):
        raise BadConnection(
            f"conn_id: host and port of {value.conn_id} make no usable address"
        ) from None
    if value.schema and value.schema not in TYPES:
        url = url.copy_with(path=f"/{value.schema.strip('/')}")
    return Website(url, _headers(value))


def base_url(value: ConnectionValue) -> httpx.URL:
    """Scheme, host and port. A host may be a whole address; else `https` may be the type or, as in
    Airflow, the schema. Raises `httpx.InvalidURL`, `ValueError`.
    """
    if "://" in value.host:
        url = httpx.URL(value.host)
        # A login in it would be shown.
        url = url.copy_with(userinfo=b"")
    else:
        scheme = "https" if "https" in {value.conn_type, value.schema} else "http"
        host = f"[{value.host}]" if ":" in value.host else value.host
        url = httpx.URL(f"{scheme}://{host}")
    return url.copy_with(port=value.port) if value.port else url


class AtHomeOnly:
    """An event hook for requests: adds the website's headers where a request goes to it.

    Whatever looks like a secret, or holds one that the try was lent (`masked` knows them), goes to
    no other place than the first, wherever a redirect leads: headers are left off, a body is not
    sent at all. httpx itself takes only `Authorization` away then. What is left off is said.
    """

    def __init__(
        self,
        first: httpx.URL,
        website: Website | None,
        *,
        masked: Callable[[str], str] = str,
        say: Callable[[str], object] = lambda _: None,
    ) -> None:
        self._home = origin_of(first)
        self._headers = dict(website.headers) if website else {}
        self._masked = masked
        self._say = say
        self._only_here: set[str] = set()

    def __call__(self, request: httpx.Request) -> None:
        """Raises `SecretAstray`."""
        if origin_of(request.url) == self._home:
            for name, value in self._headers.items():
                request.headers.setdefault(name, value)
            self._only_here |= self._secret_among(request.headers)
            return
        # Not only those of now: httpx has taken some away, and another redirect may lead on.
        self._only_here |= self._secret_among(request.headers)
        for name in self._only_here:
            request.headers.pop(name, None)
        where = place_of(request.url)
        body = request.read().decode("utf-8", "replace")
        if self._masked(body) != body:
            raise SecretAstray(
                f"uri: a redirect leads to {where}, and the body of the request holds a secret, "
                "which is not sent there; write the address that it leads to"
            )
        left_off = f", without {', '.join(sorted(self._only_here))}" if self._only_here else ""
        self._say(f"redirected to {where}{left_off}\n")

    def _secret_among(self, headers: httpx.Headers) -> set[str]:
        added = {name.lower() for name in self._headers}
        return {
            name
            for name, value in headers.items()
            if name in added or looks_secret(name) or self._masked(value) != value
        }


def origin_of(url: httpx.URL) -> tuple[str, str, int | None]:
    """Scheme, host and port: who shares them is the same place (RFC 6454 §4)."""
    return url.scheme, url.host, url.port or {"http": 80, "https": 443}.get(url.scheme)


def _headers(value: ConnectionValue) -> dict[str, str]:
    given = value.extra.get("headers", {})
    if not isinstance(given, Mapping):
        raise BadConnection(f"conn_id: extra.headers of {value.conn_id} is no object of headers")
    headers = {str(name): str(inner) for name, inner in given.items()}
    for name, text in headers.items():
        if not _HEADER_NAME.fullmatch(name):
            raise BadConnection(
                f"conn_id: extra.headers of {value.conn_id} has {name!r} for a name"
            )
        _check(text, f"extra.headers.{name}", value)
    if value.login or value.password:
        request = httpx.Request("GET", "http://x")
        flow = httpx.BasicAuth(value.login, value.password).auth_flow(request)
        headers["Authorization"] = next(flow).headers["Authorization"]
    elif token := value.extra.get("token"):
        _check(str(token), "extra.token", value)
        headers["Authorization"] = f"Bearer {token}"
    return headers


def _check(text: str, where: str, value: ConnectionValue) -> None:
    """Raises `BadConnection` for what no header can hold. It may be a secret: it is not shown."""
    if not text.isascii() or not (text.isprintable() or not text):
        raise BadConnection(
            f"conn_id: {where} of {value.conn_id} is no header: it holds plain ASCII without line "
            "breaks; is there one at its end?"
        )


def place_of(url: httpx.URL) -> str:
    """Scheme, host and port, as people may see them."""
    host = f"[{url.host}]" if ":" in url.host else url.host
    return f"{url.scheme}://{host}{f':{url.port}' if url.port else ''}"
