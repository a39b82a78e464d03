"""`skytrail state`: what tasks keep for later runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from skytrail.cli.arguments import LimitOption
from skytrail.cli.output import Format, OutputOption, show_record, show_rows
from skytrail.cli.project import actor, connect
from skytrail.errors import Invalid

if TYPE_CHECKING:
    from runs_app.models import StateEntry


class SecretInArguments(Invalid):
    """A secret is not given as an argument, where others can read it: write `-` for VALUE, and send
    the secret to standard input.
    """


app = typer.Typer(
    help="State: what tasks keep for later runs (cursors, tokens).", no_args_is_help=True
)

_COLUMNS = ("scope", "dag_id", "task_id", "asset", "key", "value", "version", "expires_at")

Dag = Annotated[str | None, typer.Option("--dag", "-d", help="Of this DAG.")]
Task = Annotated[str | None, typer.Option("--task", "-t", help="Of this task of the DAG.")]
Asset = Annotated[str | None, typer.Option("--asset", "-a", help="Of this asset.")]
Key = Annotated[str, typer.Argument(metavar="KEY", help="The key.")]


@app.command("list")
def list_(
    output: OutputOption = Format.TABLE,
    dag: Dag = None,
    task: Task = None,
    asset: Asset = None,
    limit: LimitOption = 25,
) -> None:
    """List what is kept; secrets without their values."""
    user = connect()
    from runs_app.selectors.state import entries_matching

    found = entries_matching(user, dag_id=dag, task_id=task, asset=asset)
    rows = [_shown(entry) for entry in found.order_by("key", "id")[:limit]]
    show_rows(rows, _COLUMNS, output, empty="Nothing is kept.")


@app.command()
def get(
    key: Key,
    output: OutputOption = Format.TABLE,
    dag: Dag = None,
    task: Task = None,
    asset: Asset = None,
) -> None:
    """Show what is kept under a key; a secret without its value."""
    user = connect()
    from runs_app.access import access_state_owner
    from runs_app.api.state import NoState
    from runs_app.domain.state import check_key
    from runs_app.selectors.state import entry_of

    owner = access_state_owner(user, dag_id=dag, task_id=task, asset=asset)
    found = entry_of(owner, check_key(key))
    if found is None:
        raise NoState(key=repr(key))
    show_record(_shown(found), output)


@app.command("set")
def set_(
    key: Key,
    value: Annotated[
        str, typer.Argument(metavar="VALUE", help="JSON, or text; - for standard input.")
    ],
    output: OutputOption = Format.TABLE,
    dag: Dag = None,
    task: Task = None,
    asset: Asset = None,
    ttl: Annotated[float | None, typer.Option("--ttl", help="For so many seconds.")] = None,
    version: Annotated[
        int | None,
        typer.Option("--version", min=0, help="Only in place of this version; 0: of none."),
    ] = None,
    *,
    secret: Annotated[bool, typer.Option("--secret", help="Encrypted, and never shown.")] = False,
) -> None:
    """Keep a value under a key; a secret one from standard input."""
    if secret and value != "-":
        # Arguments are for all to read who are on this machine.
        raise SecretInArguments
    user = connect()
    from runs_app.access import access_state_owner
    from runs_app.actions import state
    from runs_app.api.state import StateChanged
    from runs_app.domain.state import Write, check_key, lifetime, storable
    from runs_app.selectors.state import entry_of

    owner = access_state_owner(
        user, dag_id=dag, task_id=task, asset=asset, to="run", must_exist=True
    )
    write = Write(value=storable(_read(value)), ttl=lifetime(ttl), secret=secret, expected=version)
    if state.write(owner, check_key(key), write, actor=actor()) is None:
        raise StateChanged(key=repr(key), version=version)
    found = entry_of(owner, key)
    if found is not None:
        show_record(_shown(found), output)


@app.command()
def delete(key: Key, dag: Dag = None, task: Task = None, asset: Asset = None) -> None:
    """Forget a key."""
    user = connect()
    from runs_app.access import access_state_owner
    from runs_app.actions import state
    from runs_app.api.state import NoState
    from runs_app.domain.state import check_key

    owner = access_state_owner(user, dag_id=dag, task_id=task, asset=asset, to="run")
    if not state.delete(owner, check_key(key)):
        raise NoState(key=repr(key))
    typer.echo(f"{key} is forgotten.")


def _shown(entry: StateEntry) -> dict[str, Any]:
    from runs_app.api.serializers import StateSerializer

    return dict(StateSerializer(entry).data)


def _read(value: str) -> Any:
    text = typer.get_text_stream("stdin").read() if value == "-" else value
    try:
        return json.loads(text)
    except ValueError:
        return text.rstrip("\n") if value == "-" else text
