"""`skytrail connections add`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from skytrail.cli.asking import from_stdin, prompted, somebody_is_there
from skytrail.cli.output import Format, OutputOption, console, show_record
from skytrail.cli.project import connect
from skytrail.errors import Conflict, Invalid

if TYPE_CHECKING:
    from skytrail.security.secrets.values import ConnectionValue

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The connection's name.")]


class SecretOnCommandLine(Invalid):
    """{option}: this would be a secret on the command line, where others of this machine can read
    it, and in the shell's history. Send it by standard input: {safe}
    """


class OneWay(Invalid):
    """Say what the connection is in one way: {ways}."""


class StillThere(Conflict):
    """There is a connection {conn_id} already. To replace it, say --overwrite."""


def add(
    name: NameArgument,
    output: OutputOption = Format.TABLE,
    conn_type: Annotated[
        str | None, typer.Option("--conn-type", help="Like postgresql or http.")
    ] = None,
    host: Annotated[str | None, typer.Option(help="The host's name or address.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65_535, help="The port.")] = None,
    schema: Annotated[
        str | None, typer.Option("--schema", help="What a URL has as its path: a database's name.")
    ] = None,
    login: Annotated[str | None, typer.Option(help="The user's name there.")] = None,
    extra: Annotated[
        str | None, typer.Option(help="More, as a JSON object; secrets by --conn-json.")
    ] = None,
    conn_uri: Annotated[
        str | None,
        typer.Option("--conn-uri", help="All of it as a URI; - reads it from standard input."),
    ] = None,
    conn_json: Annotated[
        str | None,
        typer.Option("--conn-json", help="All of it as JSON; - reads it from standard input."),
    ] = None,
    description: Annotated[str, typer.Option(help="What it is for; this is not encrypted.")] = "",
    *,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
    no_password: Annotated[
        bool, typer.Option("--no-password", help="There is none: do not ask.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the one of this name.")
    ] = False,
) -> None:
    """Add a connection to the database, encrypted.

    The password is asked for, or read with --password-stdin; it is never an argument.
    """
    fields = {
        "conn_type": conn_type,
        "host": host,
        "port": port,
        "schema": schema,
        "login": login,
        "extra": extra,
    }
    given = {key: value for key, value in fields.items() if value is not None}
    _check_one_way(given, conn_uri, conn_json, asks=password_stdin or no_password)
    connect()
    from skytrail.security.secrets import keeping
    from skytrail.security.secrets.names import checked_name
    from skytrail.security.secrets.outside import CONNECTION
    from skytrail.security.secrets.shown import shown_connection, with_kept
    from skytrail.security.secrets.values import ConnectionValue

    checked_name(name, what=CONNECTION)
    if conn_uri is not None:
        value = _from_uri(name, conn_uri)
    elif conn_json is not None:
        document, noted = _from_json(name, conn_json)
        value, description = document, description or noted
    else:
        value = _from_options(name, given)
        password = "" if no_password else _password(name, stdin=password_stdin)
        value = ConnectionValue.from_json(
            name, {"conn_type": value.conn_type, **value.fields(), "password": password}
        )
    with_kept(name, {"conn_type": value.conn_type, **value.fields()})
    if overwrite:
        keeping.keep_connection(value, description=description)
    else:
        try:
            keeping.create_connection(value, description=description)
        except keeping.ConnectionExists:
            raise StillThere(conn_id=name) from None
    if output is Format.TABLE:
        password_is = "with its password" if value.password else "without a password"
        console.print(f"[green]✓[/green] {name} ({value.conn_type}) is kept, {password_is}.")
    else:
        show_record({**shown_connection(value), "description": description}, output)


def _check_one_way(
    given: Mapping[str, Any], conn_uri: str | None, conn_json: str | None, *, asks: bool
) -> None:
    ways = [bool(given) or asks, conn_uri is not None, conn_json is not None]
    if ways.count(True) != 1:
        raise OneWay(ways="--conn-type with --host and so on, or --conn-uri -, or --conn-json -")


def _from_uri(name: str, text: str) -> ConnectionValue:
    from skytrail.security.secrets.values import ConnectionValue

    safe = f"skytrail connections add {name} --conn-uri - < FILE"
    if text == "-":
        uri = from_stdin("The URI", example=safe)
        return ConnectionValue.from_uri(name, uri.strip())
    value = ConnectionValue.from_uri(name, text)
    _check_open("--conn-uri", value, safe)
    return value


def _from_json(name: str, text: str) -> tuple[ConnectionValue, str]:
    from skytrail.security.secrets.values import ConnectionValue
    from skytrail.security.secrets.writing import read_object

    safe = f"skytrail connections add {name} --conn-json - < FILE"
    sent = from_stdin("The JSON object", example=safe) if text == "-" else text
    fields = read_object(name, sent)
    value = ConnectionValue.from_json(name, fields)
    if text != "-":
        _check_open("--conn-json", value, safe)
    return value, str(fields.get("description") or "")


def _from_options(name: str, given: Mapping[str, Any]) -> ConnectionValue:
    from skytrail.security.secrets.values import ConnectionValue

    value = ConnectionValue.from_json(name, given)
    safe = {"conn_type": value.conn_type, "extra": dict.fromkeys(value.extra, "…")}
    shape = json.dumps(safe, ensure_ascii=False)
    option = "--extra" if value.secret_values() else "--host"
    _check_open(
        option, value, f"skytrail connections add {name} --conn-json - < FILE, with {shape}"
    )
    return value


def _check_open(option: str, value: ConnectionValue, safe: str) -> None:
    """Raises `SecretOnCommandLine` where an argument had a secret in it."""
    from skytrail.security.secrets.shown import shown_connection

    if shown_connection(value) != shown_connection(value, with_secrets=True):
        raise SecretOnCommandLine(option=option, safe=safe)


def _password(name: str, *, stdin: bool) -> str:
    """What is read or typed; nothing where nobody is there to be asked."""
    if stdin:
        example = f"skytrail connections add {name} … --password-stdin < FILE"
        return from_stdin("The password", example=example)
    return prompted("Password (empty for none)") if somebody_is_there() else ""
