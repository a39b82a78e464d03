"""What no single field can see: how tasks relate to each other, and to the DAG around them.

Works on the document as it was sent, not on a parsed spec: a task whose cron is misspelt must not
hide that two others wait for each other. Whatever is too broken to be looked at is passed over
here; the fields' own checks speak of it. Everything is linear in the size of the document.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import cached_property
from typing import Any

from dags_app.domain import params, templates, topology
from dags_app.domain.fields import read_moment
from dags_app.domain.problems import MAX_PROBLEMS, Suggestions, quoted
from dags_app.domain.spec import MAX_EDGES, MAX_TASKS
from dags_app.domain.tasks import TriggerRule
from dags_app.domain.timing.definition import NO_SCHEDULE
from dags_app.domain.timing.errors import BadSchedule
from dags_app.domain.timing.zones import check_timezone
from skytrail.documents import path
from skytrail.errors import Problem, listed

# Keys of a task that are never rendered, so that `{{` in them means itself.
_NEVER_RENDERED = {"id", "type", "description", "depends_on", "command", "callable", "task", "sql"}

#: What the condition of an HTTP sensor may name besides.
_OF_CONDITIONS = frozenset({"response"})

_FAIL_FAST_RULES = (TriggerRule.ALL_SUCCESS, TriggerRule.ALL_DONE_SETUP_SUCCESS)

# A cycle of more tasks than this is shown by its two ends.
_LONG_CYCLE = 12


@dataclass(frozen=True, slots=True)
class _Node:
    """A task as far as it can be read: its place in the list, its id, and whom it names."""

    index: int
    id: str
    upstream: list[str]
    document: Mapping[str, Any]

    def path(self, *parts: str | int) -> str:
        """The path of something in this task."""
        return path(["tasks", self.index, *parts])


class _Tasks:
    """The tasks of a document, and which of them know each other. Of two alike the first counts."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.nodes = list(_nodes(document))
        self.known: dict[str, _Node] = {}
        for node in self.nodes:
            self.known.setdefault(node.id, node)
        self.suggest = Suggestions()

    @cached_property
    def upstream(self) -> dict[str, list[str]]:
        """For each task those directly before it, without those that do not exist and itself."""
        return {
            name: [up for up in dict.fromkeys(node.upstream) if up in self.known and up != name]
            for name, node in self.known.items()
        }

    @cached_property
    def ancestry(self) -> topology.Ancestry[str]:
        return topology.Ancestry(self.upstream)

    def outputs_of(self, name: str) -> list[str]:
        """The outputs that a task declares; none where any part of its output may be used.

        Of a mapped task there is a list of them, which is another matter.
        """
        document = self.known[name].document if name in self.known else {}
        is_mapped = document.get("expand") or document.get("expand_kwargs")
        outputs = document.get("outputs")
        if is_mapped or document.get("type") != "python" or not isinstance(outputs, list):
            return []
        return [output for output in outputs if isinstance(output, str)]

    @cached_property
    def edges(self) -> set[tuple[str, str]]:
        """Each dependency, upstream first."""
        return {(up, name) for name, names in self.upstream.items() for up in names}


def too_large(document: Mapping[str, Any]) -> Problem | None:
    """The problem with a document that is not even to be looked into."""
    tasks = document.get("tasks")
    if not isinstance(tasks, list):
        return None
    if len(tasks) > MAX_TASKS:
        return Problem(
            "tasks",
            "too_many_tasks",
            f"a DAG has at most {MAX_TASKS:,} tasks, not {len(tasks):,}; make it several DAGs",
        )
    edges = sum(
        len(task["depends_on"])
        for task in tasks
        if isinstance(task, dict) and isinstance(task.get("depends_on"), list)
    )
    if edges > MAX_EDGES:
        return Problem(
            "tasks",
            "too_many_dependencies",
            f"a DAG has at most {MAX_EDGES:,} dependencies, not {edges:,}; put an empty task "
            "between two layers that all depend on each other",
        )
    return None


def relations(document: Mapping[str, Any]) -> Iterator[Problem]:
    """Every problem between fields of `document`, which can be stored (see `unstorable`)."""
    tasks = _Tasks(document)
    yield from _duplicate_ids(tasks)
    yield from _upstreams(tasks)
    yield from _cycles(tasks)
    yield from _branch_cases(tasks)
    yield from _rules_of_fail_fast(document, tasks)
    yield from _templates(tasks, document)
    yield from _dates(document)
    yield from _continuous(document)
    yield from _own_assets(document, tasks)
    if isinstance(document.get("params"), dict):
        yield from params.schema_problems(document["params"])
        yield from _nobody_to_ask(document)


def _nodes(document: Mapping[str, Any]) -> Iterator[_Node]:
    tasks = document.get("tasks")
    for index, task in enumerate(tasks if isinstance(tasks, list) else []):
        if isinstance(task, dict) and isinstance(task.get("id"), str):
            upstream = task.get("depends_on")
            names = upstream if isinstance(upstream, list) else []
            yield _Node(index, task["id"], [n for n in names if isinstance(n, str)], task)


def _duplicate_ids(tasks: _Tasks) -> Iterator[Problem]:
    for node in tasks.nodes:
        first = tasks.known[node.id]
        if first is not node:
            message = f"tasks[{first.index}] has this id too; give each task an id of its own"
            yield Problem(node.path("id"), "duplicate_id", message)


def _upstreams(tasks: _Tasks) -> Iterator[Problem]:
    for node in tasks.nodes:
        for place, name in enumerate(node.upstream):
            if name == node.id:
                message = "a task cannot wait for itself; remove this dependency"
                yield Problem(node.path("depends_on", place), "self_dependency", message)
            elif name not in tasks.known:
                hint = tasks.suggest(name, tasks.known) or "; add it, or remove this dependency"
                message = f"there is no task {quoted(name)}{hint}"
                yield Problem(node.path("depends_on", place), "unknown_upstream", message)


def _cycles(tasks: _Tasks) -> Iterator[Problem]:
    for cycle in topology.cycles(tasks.upstream):
        names = [*map(_short, cycle), _short(cycle[0])]
        shown = " → ".join(names if len(names) <= _LONG_CYCLE else [*names[:6], "…", *names[-5:]])
        message = f"these tasks wait for each other: {shown}; remove one of these dependencies"
        yield Problem(tasks.known[cycle[0]].path("depends_on"), "cycle", message)


def _short(name: str) -> str:
    return name if len(name) <= 60 else f"{name[:59]}…"


def _branch_cases(tasks: _Tasks) -> Iterator[Problem]:
    for node in tasks.nodes:
        if node.document.get("type") != "branch":
            continue
        choices: list[tuple[list[str], Any]] = [(["default"], node.document.get("default"))]
        cases = node.document.get("cases")
        choices += [
            (["cases", value], names)
            for value, names in (cases.items() if isinstance(cases, dict) else ())
        ]
        for key, names in choices:
            for place, name in enumerate(names if isinstance(names, list) else []):
                if isinstance(name, str) and (node.id, name) not in tasks.edges:
                    where = node.path(*key, place)
                    yield Problem(where, "not_downstream", _not_downstream(name, node, tasks))


def _rules_of_fail_fast(document: Mapping[str, Any], tasks: _Tasks) -> Iterator[Problem]:
    """Airflow's `FailFastDagInvalidTriggerRule`: after a failure no rule is asked any more."""
    if document.get("fail_fast") is not True:
        return
    for node in tasks.nodes:
        rule = node.document.get("trigger_rule", TriggerRule.ALL_SUCCESS)
        if rule not in _FAIL_FAST_RULES and not node.document.get("teardown"):
            message = (
                "with fail_fast the first failure ends the run, so no other rule than all_success "
                "can be asked; remove this rule, or fail_fast"
            )
            yield Problem(node.path("trigger_rule"), "rule_with_fail_fast", message)


def _not_downstream(name: str, node: _Node, tasks: _Tasks) -> str:
    if name not in tasks.known:
        hint = tasks.suggest(name, tasks.known) or "; name a task that depends on this one"
        return f"there is no task {quoted(name)}{hint}"
    return (
        f"{quoted(name)} does not depend directly on {quoted(node.id)}, so it cannot be chosen; "
        "add the dependency, or name another task"
    )


def _templates(tasks: _Tasks, document: Mapping[str, Any]) -> Iterator[Problem]:
    declared = document.get("params")
    names = declared if isinstance(declared, dict) else {}
    bad = 0
    for node, where, text in _texts(tasks):
        try:
            found = templates.references(text)
            unknown = templates.unknown_names(text)
        except templates.BadTemplate as error:
            message = f"this template cannot be read: {error}; correct what is in braces"
            yield Problem(where, "bad_template", message)
            bad += 1
            if bad > MAX_PROBLEMS:  # to read one takes a while, and nobody will see the rest
                return
            continue
        yield from _unknown_names(unknown, where, tasks)
        yield from _outputs(found.outputs, where, node, tasks)
        yield from _parts(found.outputs, text, where, tasks)
        for name in sorted(found.params - names.keys()) if names else ():
            hint = tasks.suggest(name, names) or "; declare it under params"
            message = f"the DAG declares no parameter {quoted(name)}{hint}"
            yield Problem(where, "unknown_param", message)


def _own_assets(document: Mapping[str, Any], tasks: _Tasks) -> Iterator[Problem]:
    """A DAG that makes new what it waits for would run for ever."""
    schedule = document.get("schedule")
    if not isinstance(schedule, dict):
        return
    every, some = schedule.get("assets"), schedule.get("any_asset")
    made = {
        name
        for node in tasks.nodes
        if isinstance(outlets := node.document.get("outlets"), list)
        for name in outlets
        if isinstance(name, str)
    }
    own: list[Any] = []
    if isinstance(some, list):
        own = [name for name in some if name in made]
    elif isinstance(every, list) and every and all(name in made for name in every):
        own = every
    if own:
        names = listed([quoted(str(name)) for name in own])
        yield Problem(
            "schedule",
            "own_assets",
            f"its own tasks make {names} new, and so it would start itself for ever; take "
            "them from the schedule or from outlets",
        )


def _unknown_names(names: set[str], where: str, tasks: _Tasks) -> Iterator[Problem]:
    known = templates.NAMES | (_OF_CONDITIONS if where.endswith(".condition") else frozenset())
    for name in sorted(names - known):
        hint = tasks.suggest(name, known) or f"; there are {', '.join(sorted(known))}"
        message = f"{quoted(name)} stands for nothing in a template{hint}"
        yield Problem(where, "unknown_name", message)


def _texts(tasks: _Tasks) -> Iterator[tuple[_Node, str, str]]:
    """Every text that will be rendered, with its task and its path."""
    for node in tasks.nodes:
        for key, value in node.document.items():
            if key not in _NEVER_RENDERED:
                for where, text in templates.texts_in(value, node.path(key)):
                    yield node, where, text


def _outputs(names: frozenset[str], where: str, node: _Node, tasks: _Tasks) -> Iterator[Problem]:
    for name in sorted(names):
        if name not in tasks.known:
            hint = tasks.suggest(name, tasks.known) or "; name a task that runs before this one"
            message = f"there is no task {quoted(name)} whose output could be used{hint}"
            yield Problem(where, "unknown_output", message)
        elif not _is_before(name, node, tasks):
            message = (
                f"the output of {quoted(name)} is used, but it need not have run before; "
                f"let {quoted(node.id)} depend on it"
            )
            yield Problem(where, "output_not_upstream", message)


def _parts(names: frozenset[str], text: str, where: str, tasks: _Tasks) -> Iterator[Problem]:
    """Outputs of tasks that say which ones they have."""
    declared = {name: outputs for name in names if (outputs := tasks.outputs_of(name))}
    for name, part in sorted(templates.parts_of_outputs(text)) if declared else ():
        if name in declared and part not in declared[name]:
            hint = tasks.suggest(part, declared[name]) or "; declare it there, or use another"
            message = f"{quoted(name)} declares no output {quoted(part)}{hint}"
            yield Problem(where, "unknown_output", message)


def _is_before(name: str, node: _Node, tasks: _Tasks) -> bool:
    if (name, node.id) in tasks.edges:
        return True
    # Behind a cycle there is no before; the cycle is reported.
    return not tasks.ancestry.knows(node.id) or tasks.ancestry.is_before(name, node.id)


def _dates(document: Mapping[str, Any]) -> Iterator[Problem]:
    zone = _zone(document.get("timezone", "UTC"))
    start, end = (read_moment(document.get(key)) for key in ("start_date", "end_date"))
    if start and end and _aware(end, zone) < _aware(start, zone):
        message = "end_date lies before start_date; swap them, or correct one"
        yield Problem("end_date", "ends_before_start", message)


def _continuous(document: Mapping[str, Any]) -> Iterator[Problem]:
    """A run that begins when the one before has ended is never beside another."""
    written = document.get("schedule", document.get("cron"))
    if isinstance(written, str):
        is_continuous = written.strip().lower() == "@continuous"
    else:
        is_continuous = isinstance(written, dict) and "continuous" in written
    if is_continuous and document.get("max_active_runs", 1) != 1:
        message = "a @continuous DAG has one run at a time; write 1, or leave it out"
        yield Problem("max_active_runs", "not_one_run", message)


def _zone(name: Any) -> tzinfo:
    try:
        return check_timezone(name) if isinstance(name, str) else UTC
    except BadSchedule:
        return UTC


def _aware(moment: datetime, zone: tzinfo) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _nobody_to_ask(document: Mapping[str, Any]) -> Iterator[Problem]:
    """A run that the clock starts has only defaults: without them it could never start."""
    if not _is_scheduled(document.get("schedule", document.get("cron"))):
        return
    for name in params.without_default(document["params"]):
        message = (
            "nobody is there to give this parameter a value when the schedule starts a run; "
            "give it a default, or remove the schedule"
        )
        yield Problem(path(["params", name]), "needs_default", message)


def _is_scheduled(written: Any) -> bool:
    if isinstance(written, str):
        return written.strip().lower() not in NO_SCHEDULE
    return written is not None
