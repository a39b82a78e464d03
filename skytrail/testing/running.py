"""Running a DAG for a test."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dags_app.authoring import DAG
from dags_app.authoring.importing import dag_in
from dags_app.domain.commands import ApprovalCommand, TaskType
from dags_app.domain.fields import read_moment
from dags_app.domain.parse import parse
from dags_app.domain.problems import suggestion
from dags_app.domain.spec import DagSpec
from dags_app.domain.tasks import DECIDING
from runs_app.domain.outcomes import Fail, Outcome, Skip, keepable
from skytrail.errors import Invalid, NotFound
from skytrail.security.redaction import looks_secret
from skytrail.security.secrets.values import ConnectionValue, VariableValue
from skytrail.testing.results import RunResult, result_of
from workers.executors.short_circuit import is_true
from workers.local.facts import facts_of
from workers.local.ledger import LocalTask
from workers.local.readiness import get_ready, look_here
from workers.local.services import GivenSecrets
from workers.local.trying import Trial, nobody, prepared


class NotADate(Invalid):
    """logical_date={given!r} is no date: give a datetime, or text like 2026-01-31."""


class NoSuchTask(NotFound):
    """The DAG {dag_id} has no task {task_id!r}, for which an output is given{hint}"""


class NotDownstream(Invalid):
    """{task_id} cannot go on with {chosen!r}: no task of that name depends directly on it."""


def run_dag(
    dag: DAG | DagSpec | Mapping[str, Any] | str | Path,
    *,
    conf: Mapping[str, Any] | None = None,
    logical_date: datetime | str | None = None,
    outputs: Mapping[str, Any] | None = None,
    answers: Mapping[str, str] | None = None,
    connections: Mapping[str, str | Mapping[str, Any]] | None = None,
    variables: Mapping[str, str] | None = None,
    now: datetime | None = None,
) -> RunResult:
    """Runs a DAG to its end and says what came of it.

    `dag`: one written with `skytrail.sdk`, a definition, or the path of a file (of a Python file
    that makes several, `dags/etl.py::name`). `outputs`: tasks that are not executed, and what they
    leave: a value; of a task that decides, the ids of the tasks to go on with; or an exception, as
    if the task had raised it. `answers`: for approvals, by their subject, the option to choose.
    `connections`: by name, a URI or a mapping with `conn_type` and so on; `variables`: their texts;
    what is not given is looked for in the environment and in mounted files. `now`: what time it is
    when the run begins.

    Raises what is wrong with the definition, with `conf`, or with the arguments.
    """
    spec = _spec_of(dag)
    get_ready(spec)
    moment = now or datetime.now(UTC)
    facts = facts_of(spec, conf=dict(conf or {}), logical_date=date_of(logical_date), now=moment)
    trial = Trial(
        given=_given(spec, outputs or {}),
        ask=_answering(answers or {}),
        secrets=_secrets(connections or {}, variables or {}),
    )
    with prepared(spec, facts, trial, observer=_Nobody()) as run:
        run.to_the_end()
    return result_of(run.ledger)


def _secrets(
    connections: Mapping[str, str | Mapping[str, Any]], variables: Mapping[str, str]
) -> GivenSecrets:
    return GivenSecrets(
        connections={name: _connection(name, given) for name, given in connections.items()},
        variables={
            key: VariableValue(key=key, value=text, is_secret=looks_secret(key))
            for key, text in variables.items()
        },
    )


def _connection(name: str, given: str | Mapping[str, Any]) -> ConnectionValue:
    read = ConnectionValue.from_text if isinstance(given, str) else ConnectionValue.from_json
    return read(name, given)  # type: ignore[arg-type]  # each is given what it reads


class _Nobody:
    """Looks at the result."""

    def moved(self, task: LocalTask) -> None:
        """Nothing is shown."""


def _spec_of(dag: DAG | DagSpec | Mapping[str, Any] | str | Path) -> DagSpec:
    match dag:
        case DagSpec():
            return dag
        case DAG():
            return dag.spec()
        case Mapping():
            return parse(dict(dag))
        case _:
            return _in_a_file(str(dag))


def _in_a_file(name: str) -> DagSpec:
    file, _, dag_id = name.partition("::")
    if Path(file).suffix == ".py":
        look_here()
        return dag_in(Path(file), dag_id or None).spec()
    # What the command line is made of is not needed otherwise.
    from skytrail.cli.arguments import read_spec  # noqa: PLC0415

    return read_spec(name)


def date_of(given: datetime | str | None) -> datetime | None:
    """A date as a test gives it; one without an offset is in UTC. Raises `NotADate`."""
    if given is None:
        return None
    moment = given if isinstance(given, datetime) else read_moment(given)
    if moment is None:
        raise NotADate(given=given)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _given(spec: DagSpec, outputs: Mapping[str, Any]) -> Callable[[LocalTask], Outcome | None]:
    tasks = {task.id: task for task in spec.tasks}
    for name, given in outputs.items():
        if name not in tasks:
            raise NoSuchTask(dag_id=spec.name, task_id=name, hint=suggestion(name, tasks))
        if tasks[name].type is TaskType.BRANCH and not isinstance(given, BaseException):
            for chosen in _names(given):
                if chosen not in tasks or name not in tasks[chosen].depends_on:
                    raise NotDownstream(task_id=name, chosen=chosen)
    return lambda task: _outcome(task, outputs[task.spec.id]) if task.spec.id in outputs else None


def _outcome(task: LocalTask, given: Any) -> Outcome:
    """What would have come of a task that leaves, or raises, what is given."""
    match given:
        case Outcome():
            return given
        case Skip():
            return Outcome.skipped(str(given))
        case Fail():
            return Outcome.failed(str(given), reason="failed_for_good", may_retry=False)
        case BaseException():
            message = f"{type(given).__name__}: {given}"
            return Outcome.failed(message, reason="exception")
    if task.spec.type is TaskType.BRANCH:
        return Outcome.success(given, chosen=tuple(_names(given)))
    if task.spec.type in DECIDING and not is_true(given):
        return Outcome.success(given, chosen=())
    return Outcome.success(keepable(given))


def _names(given: Any) -> list[str]:
    return [given] if isinstance(given, str) else list(given or [])


def _answering(answers: Mapping[str, str]) -> Callable[[ApprovalCommand], str | None]:
    return lambda command: answers.get(command.subject) or nobody(command)
