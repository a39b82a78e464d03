"""What the demo asks of Skytrail over REST, as any other program would."""

from __future__ import annotations

from typing import Any

import httpx

from skytrail.errors import Unavailable

_TIMEOUT = 20.0


class RestRefused(Unavailable):
    """{method} {path} was answered with {status}: {text}"""


class RestAway(Unavailable):
    """{method} {path} got no answer: {reason}"""


class Rest:
    """The REST API at `url` (of the web server), with a token or without."""

    def __init__(self, url: str, *, token: str | None = None) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._client = httpx.Client(
            base_url=f"{url}/api/v1/", headers=headers, timeout=_TIMEOUT, trust_env=False
        )

    @classmethod
    def sign_in(cls, url: str, password: str) -> Rest:
        """As the admin that the first start has made."""
        credentials = {"username": "admin", "password": password}
        answer = cls(url).ask("POST", "auth/token", credentials)
        return cls(url, token=answer["access_token"])

    def register(self, document: dict[str, Any]) -> None:
        """Creates a DAG."""
        self.ask("POST", "dags", document)

    def trigger(self, name: str) -> str:
        """Triggers a run of a DAG; its run_id."""
        return str(self.ask("POST", f"dags/{name}/runs", {})["run_id"])

    def has_worker(self) -> bool:
        """Whether a worker has reported itself that serves the queue of the examples."""
        workers = self.ask("GET", "workers")["results"]
        return any(w["status"] == "active" and "default" in w["queues"] for w in workers)

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """The answer's JSON. Raises RestRefused, RestAway."""
        try:
            answer = self._client.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise RestAway(method=method, path=path, reason=error) from error
        if answer.is_error:
            raise RestRefused(
                method=method, path=path, status=answer.status_code, text=answer.text[:1000]
            )
        return answer.json()
