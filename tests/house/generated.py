"""The documents that are made from code, and the code that makes them.

`make docs` writes them; a test compares.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"

S = TypeVar("S", bound=StrEnum)

_MADE = "<!-- Made by `make docs`: change the code, not this page. -->\n\n"


def states() -> str:
    """The life of task runs and runs, as diagrams."""
    from runs_app.domain import states as known

    return (
        f"{_MADE}# States\n\nEvery move is made by one statement, guarded by the state before, and "
        "written down in the history with its reason and its actor. A trigger in the database "
        "refuses any other.\n\n## Task runs\n\n"
        + _diagram(known.ALLOWED, known.FINAL)
        + "\n## Runs\n\n"
        + _diagram(known.RUN_ALLOWED, known.RUN_FINAL)
    )


def _diagram(allowed: Mapping[S, frozenset[S]], final: frozenset[S]) -> str:
    # Clearing leads back from every final state: drawn once, so that the picture stays readable.
    cleared = frozenset.intersection(*(allowed[state] for state in final))
    states = list(type(next(iter(allowed))))  # in the order of the code
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {states[0]}"]
    for state in states:
        lines += [
            f"    {state} --> {target}"
            for target in sorted(allowed[state])
            if not (state in final and target in cleared)
        ]
    lines += [f"    {state} --> [*]" for state in states if state in final]
    ways_back = " or ".join(f"`{target}`" for target in sorted(cleared))
    return "\n".join([*lines, "```", "", f"Clearing moves a final state back to {ways_back}.", ""])


def settings() -> str:
    """What can be set from outside."""
    from skytrail.settings.environment import Environment

    def rows() -> Iterator[str]:
        for name, field in Environment.model_fields.items():
            alias = field.validation_alias
            variable = alias if isinstance(alias, str) else f"SKYTRAIL_{name.upper()}"
            default = field.default
            if isinstance(default, list):
                default = ",".join(default)
            shown = "" if default in (None, "", {}) else f"`{default}`"
            said = " ".join((field.description or "").split())
            yield f"| `{variable}` | {shown} | {said} |"

    return (
        f"{_MADE}# Settings\n\nEnvironment variables, or files of the same names in the folder "
        "that `SKYTRAIL_SECRETS_DIR` names. A value that cannot be used is named at the start."
        "\n\nBeside these, `SKYTRAIL_ADMIN_PASSWORD` gives the first start's user its password.\n\n"
        "| variable | default | what it is |\n|---|---|---|\n" + "\n".join(rows()) + "\n"
    )


def command_line() -> str:
    """All commands and their options."""
    from typer.main import get_command

    from skytrail.cli import app

    introduction = (
        f"{_MADE}# The command line\n\nEvery command takes `--help`; whatever shows something "
        "takes `--output json`. Exit codes: 0 it went well, 1 the run failed, 2 wrong usage, 3 "
        "invalid input, 4 not found, 5 conflict, 6 unavailable.\n"
    )
    parts = [introduction, *_commands(get_command(app), "skytrail")]
    return "\n".join(parts).rstrip() + "\n"


def _commands(command: Any, path: str) -> Iterator[str]:
    if inner := getattr(command, "commands", None):
        for name, one in inner.items():
            yield from _commands(one, f"{path} {name}")
        return
    context = command.make_context(path, [], resilient_parsing=True)
    usage = " ".join([path, *command.collect_usage_pieces(context)])
    yield f"## {path}\n\n    {usage}\n\n{_one_line(command.help or '')}\n"
    options = [_option(parameter) for parameter in command.params if parameter.name != "help"]
    if options:
        yield "\n".join(options) + "\n"


def _option(parameter: Any) -> str:
    names = " ".join([*parameter.opts, *parameter.secondary_opts])
    return f"- `{names}` {_one_line(getattr(parameter, 'help', None) or '')}".rstrip()


def _one_line(text: str) -> str:
    return " ".join(text.split())


def schema() -> str:
    """The JSON Schema of a definition."""
    from dags_app.domain.json_schema import published

    return published()


def definition() -> str:
    """Every key of a definition."""
    from dags_app.domain import spec, tasks
    from dags_app.domain.timing.definition import KINDS, Except

    common = tasks.TaskFields.model_fields
    introduction = (
        f"{_MADE}# The definition, key by key\n\nFor a guided tour see [dags.md](dags.md). The "
        "same for editors and programs: [schema/dag.json](schema/dag.json). A key that is not "
        "listed is refused.\n"
    )
    parts = [
        introduction,
        "## A DAG\n\n" + _fields(spec.DagSpec.model_fields),
        "## Schedules\n\nOne of these, in a few spellings: [schedules.md](schedules.md).\n",
        *(
            f"{_one_line(kind.__doc__ or '')}\n\n{_fields(kind.model_fields)}"
            for kind in KINDS.values()
        ),
        f"Within `except`: {_one_line(Except.__doc__ or '')}\n\n{_fields(Except.model_fields)}",
        "## Every task\n\n" + _fields(common),
    ]
    for name, kind in tasks.TASK_CLASSES.items():
        own = {key: field for key, field in kind.model_fields.items() if key not in common}
        del own["type"]
        about = _one_line((kind.__doc__ or "").split("\n\n")[0])
        parts.append(f"## Tasks of type `{name}`\n\n{about}\n\n{_fields(own)}".rstrip() + "\n")
    return "\n".join(parts)


def _fields(fields: Mapping[str, Any]) -> str:
    if not fields:
        return ""
    rows = [
        f"| `{field.alias or name}` | {_default(field)} | {_about(field)} |"
        for name, field in fields.items()
    ]
    return "| key | default | what it is |\n|---|---|---|\n" + "\n".join(rows) + "\n"


def _about(field: Any) -> str:
    """The description, with the words that may stand there."""
    kind = field.annotation
    words = get_args(kind) if get_origin(kind) is Literal else ()
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        words = tuple(kind)
    listed = " One of " + ", ".join(f"`{word}`" for word in words) + "." if len(words) > 1 else ""
    return _one_line(field.description or "") + listed


def _default(field: Any) -> str:
    if field.is_required():
        return "*needed*"
    value = field.get_default(call_default_factory=True)
    return "" if value in (None, "", [], {}) else f"`{json.dumps(value, default=str)}`"


GENERATED: Mapping[Path, Callable[[], str]] = {
    DOCS / "states.md": states,
    DOCS / "settings.md": settings,
    DOCS / "cli.md": command_line,
    DOCS / "definition.md": definition,
    DOCS / "schema" / "dag.json": schema,
}


def main() -> None:
    """Writes all of them."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "skytrail.settings")
    for path, make in GENERATED.items():
        path.write_text(make())
        print(path.relative_to(ROOT))  # noqa: T201  # says what it did


if __name__ == "__main__":
    main()
