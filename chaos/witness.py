"""The witness: an effect is a row in a database of its own, committed before the task goes on.

A task says `task_run epoch attempt phase pid` in one line to a port and waits for `ok`, which comes
after the commit. So a shell can do it without a client. It stays connected while it works: where it
breaks off without a word, that it is `gone` is written down too. This module is the program that
listens (`python -m chaos.witness`), and what reads the rows.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import psycopg
from psycopg.rows import class_row

#: Where tasks find it: a port on the loopback interface.
PORT = "CHAOS_WITNESS"
#: The database, for this program only.
_DATABASE = "CHAOS_WITNESS_DATABASE"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS effect (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  task_run uuid NOT NULL,
  epoch int NOT NULL,
  attempt int NOT NULL,
  phase text NOT NULL CHECK (phase IN ('start', 'end', 'fail', 'gone')),
  pid int NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp()
)
"""
_INSERT = "INSERT INTO effect (task_run, epoch, attempt, phase, pid) VALUES (%s, %s, %s, %s, %s)"


@dataclass(frozen=True, slots=True)
class Effect:
    """What a task has done: begun, ended well, failed because it was told to, or broken off."""

    task_run: UUID
    epoch: int
    attempt: int
    phase: str
    pid: int
    at: datetime


class Witness:
    """The rows, for the suite."""

    def __init__(self, url: str, port: int) -> None:
        self._url = url
        self.port = port

    def environment(self) -> dict[str, str]:
        """For the program that listens."""
        return {_DATABASE: self._url, PORT: str(self.port)}

    def prepare(self) -> None:
        """Makes the table."""
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(_SCHEMA)

    def forget(self) -> None:
        """Begins anew."""
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute("TRUNCATE effect")

    def effects(self) -> list[Effect]:
        """All of them, in the order in which they happened."""
        with psycopg.connect(self._url, autocommit=True) as connection:
            return (
                connection.cursor(row_factory=class_row(Effect))
                .execute("SELECT task_run, epoch, attempt, phase, pid, at FROM effect ORDER BY id")
                .fetchall()
            )


async def _serve() -> None:
    database = await psycopg.AsyncConnection.connect(os.environ[_DATABASE], autocommit=True)

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        words: list[str] = []
        try:
            while line := await reader.readline():
                words = line.decode().split()
                await database.execute(_INSERT, words)
                writer.write(b"ok\n")
                await writer.drain()
        except ConnectionError:
            pass  # it was killed
        finally:
            writer.close()
            if "start" in words:
                await database.execute(_INSERT, [*words[:3], "gone", words[4]])

    server = await asyncio.start_server(listen, "127.0.0.1", int(os.environ[PORT]))
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve())
