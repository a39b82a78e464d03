"""Secrets in a task's hands: templates that name them, and masks wherever people read."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest

from dags_app.domain import templates
from dags_app.domain.commands import digest_of
from dags_app.domain.tasks import TASK_CLASSES
from runs_app.at_work.here import Secrets
from runs_app.domain.outcomes import Outcome
from runs_app.domain.states import TaskState
from skytrail.errors import NotFound
from skytrail.security.secrets.values import ConnectionValue, VariableValue
from tests.workers.calls import EXECUTION, text_of
from workers.carrying_out import carry_out
from workers.guards.interruption import Interruption
from workers.local.services import GivenSecrets, services
from workers.log import Log
from workers.template_names import FILTERS

SHOP = ConnectionValue.from_uri("shop", "http://me:s3cret%2Fpw@shop.example.org?token=canary")
GIVEN = GivenSecrets(
    connections={"shop": SHOP},
    variables={
        "region": VariableValue(key="region", value="north", is_secret=False),
        "limits": VariableValue(key="limits", value='{"rows": [5]}', is_secret=False),
        "pin": VariableValue(key="pin", value="p1n-of-mine", is_secret=True),
    },
)


@dataclasses.dataclass
class Counting:
    """Counts how often it is asked."""

    inner: Secrets
    asked: list[str] = dataclasses.field(default_factory=list)

    def connection(self, conn_id: str) -> ConnectionValue:
        self.asked.append(conn_id)
        return self.inner.connection(conn_id)

    def variable(self, key: str) -> VariableValue:
        self.asked.append(key)
        return self.inner.variable(key)


Carry = Callable[..., tuple[Outcome, str]]


@pytest.fixture
def carry() -> Carry:
    """Carries out a task as a worker does; gives the outcome and the log."""

    def do(type_: str, *, secrets: Secrets = GIVEN, **fields: Any) -> tuple[Outcome, str]:
        command = TASK_CLASSES[type_].command_class.model_validate({"type": type_, **fields})
        canonical = command.canonical()
        execution = dataclasses.replace(
            EXECUTION, command=canonical, command_digest=digest_of(canonical)
        )
        log, interruption = Log(1_000_000), Interruption()
        try:
            outcome = carry_out(
                execution,
                log=log,
                interruption=interruption,
                services=dataclasses.replace(
                    services(lambda: pytest.fail("nobody asks for the time")), secrets=secrets
                ),
                outputs=lambda _: {},
            )
        finally:
            interruption.close()
        return outcome, text_of(log)

    return do


def given(carry: Carry, text: str, **how: Any) -> Any:
    """What a template comes to, as a function's argument."""
    outcome, _ = carry("python", callable="tests.workers.chores.give", args=[text], **how)
    assert outcome.state is TaskState.SUCCESS, outcome
    return outcome.output


def test_variables_and_connections_are_named_in_templates(carry: Carry) -> None:
    assert given(carry, "{{ var.value.region }} {{ conn.shop.host }}") == "north shop.example.org"
    assert given(carry, "{{ var.json.limits.rows }}") == [5]
    assert given(carry, "{{ var.value.get('nothing', 'else') }}") == "else"
    assert given(carry, "{{ conn['shop'].conn_type }}") == "http"


def test_each_is_looked_up_once(carry: Carry) -> None:
    counting = Counting(GIVEN)
    text = "{{ var.value.region }}{{ var.value.region }}{{ conn.shop.host }}{{ conn.shop.login }}"
    given(carry, text, secrets=counting)
    assert counting.asked == ["region", "shop"]


def test_a_password_in_an_address_is_masked_too(carry: Carry) -> None:
    proxy = ConnectionValue(
        conn_id="proxy",
        conn_type="http",
        host="http://me:s3cret%2Fpw@shop.example.org",
        extra={"via": ["socks://you:c4nary@gate.example.org"]},
    )
    secrets = GivenSecrets(connections={"proxy": proxy})
    assert given(carry, "{{ conn.proxy.host }} s3cret/pw", secrets=secrets) == (
        "http://me:***@shop.example.org ***"
    )
    assert given(carry, "{{ conn.proxy.extra.via[0] }}", secrets=secrets) == (
        "socks://you:***@gate.example.org"
    )


def test_what_is_missing_says_where_to_give_it(carry: Carry) -> None:
    for text in ("{{ var.value.nothing }}", "{{ conn.nothing.host }}", "{{ var.json.nothing }}"):
        outcome, _ = carry("python", callable="tests.workers.chores.give", args=[text])
        assert outcome.reason == "bad_template"
        assert "_NOTHING" in outcome.message


def test_a_variable_that_is_no_json_is_named(carry: Carry) -> None:
    outcome, _ = carry(
        "python", callable="tests.workers.chores.give", args=["{{ var.json.region.x }}"]
    )
    assert "the variable region is no JSON" in outcome.message


def test_what_a_task_writes_has_masks(carry: Carry) -> None:
    outcome, log = carry(
        "bash",
        command='echo "it is $PIN, $PW and $TOKEN."; printf %s "$PIN" | base64; exit 3',
        env={
            "PIN": "{{ var.value.pin }}",
            "PW": "{{ conn.shop.password }}",
            "TOKEN": "{{ conn.shop.extra.token }}",
        },
    )
    assert "it is ***, *** and ***." in log
    for secret in ("p1n-of-mine", "s3cret/pw", "canary", "cDFuLW9m"):
        assert secret not in log
    assert outcome.state is TaskState.FAILED


def test_what_it_returns_and_how_it_fails_have_masks(carry: Carry) -> None:
    assert given(carry, "x {{ var.value.pin }} y") == "x *** y"
    assert given(carry, "{{ conn.shop }}") == {
        "conn_id": "shop",
        "conn_type": "http",
        "uri": "***",
        "host": "shop.example.org",
        "port": None,
        "schema": "",
        "login": "me",
        "password": "***",
        "extra": {"token": "***"},
    }
    outcome, _ = carry(
        "python", callable="tests.workers.chores.fail", args=["with {{ var.value.pin }}"]
    )
    assert outcome.message.endswith("with ***")


def test_a_secret_that_comes_in_pieces_is_masked() -> None:
    from skytrail.security.redaction import Redactor

    log = Log(1_000_000)
    log.write("before: p1n\n")
    log.hide(Redactor(["p1n-of-mine"]))
    for piece in ("and p1n", "-of-", "mine here\nno end p1n-of", "-mine"):
        log.write(piece)
    shown = "".join(piece.text for piece in log.take())
    assert shown == "before: p1n\nand *** here\n"
    assert text_of(log) == "no end ***"


def test_a_line_without_an_end_is_shown_all_the_same() -> None:
    from skytrail.security.redaction import Redactor

    log = Log(10_000_000)
    log.hide(Redactor(["p1n-of-mine"]))
    for _ in range(40_000):
        log.write("x" * 7 + "p1n-of-")
        log.write("mine")
    shown = "".join(piece.text for piece in log.take())
    assert len(shown) > 100_000
    whole = shown + text_of(log)
    assert "p1n-of" not in whole
    assert whole.count("***") == 40_000


def test_the_end_of_a_log_that_was_cut_has_masks() -> None:
    from skytrail.security.redaction import Redactor

    log = Log(100)
    log.hide(Redactor(["p1n-of-mine"]))
    for _ in range(100):
        log.write_bytes(b"it is p1n-of-mine\n")
    whole = text_of(log)
    assert "log cut here" in whole
    assert "p1n" not in whole


@pytest.mark.parametrize("error", [NotFound, ValueError])
def test_secrets_that_cannot_be_had_fail_the_task(carry: Carry, error: type[Exception]) -> None:
    class Broken:
        def connection(self, conn_id: str) -> ConnectionValue:
            raise error

        def variable(self, key: str) -> VariableValue:
            raise error

    outcome, _ = carry(
        "python",
        callable="tests.workers.chores.give",
        args=["{{ conn.shop.host }}"],
        secrets=Broken(),
    )
    assert outcome.state is TaskState.FAILED


def test_the_filters_that_a_definition_may_name_are_those_that_there_are() -> None:
    assert FILTERS.keys() == templates.FILTERS


def test_templates_have_dates_filters_and_macros(carry: Carry) -> None:
    assert given(carry, "{{ '2026-01-31T10:00:00+01:00' | ds_nodash }}") == "20260131"
    assert given(carry, "{{ '2026-01-31T10:00:00+01:00' | ts_nodash_with_tz }}") == (
        "20260131T100000+0100"
    )
    assert given(carry, "{{ macros.ds_add('2026-01-31', 1) }}") == "2026-02-01"
    assert given(carry, "{{ macros.ds_format('31.01.2026', '%d.%m.%Y', '%Y-%m') }}") == "2026-01"
    assert given(carry, "{{ '[1, 2]' | fromjson }}") == [1, 2]
    assert given(carry, "x{{ {'a': '<'} | tojson }}") == "x" + json.dumps({"a": "<"})
    shifted = "{{ macros.datetime('2026-01-31') - macros.timedelta(days=1) }}"
    assert given(carry, shifted) == "2026-01-30T00:00:00"
    assert given(carry, "{{ ti.try_number }}/{{ dag_run.run_id }}") == "1/manual__1"
