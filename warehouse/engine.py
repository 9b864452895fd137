"""The one way to open DuckDB.

Belongs here: how a file is opened and what a reader is told when it cannot be. DuckDB lets one process
write or several read, and within one process refuses a second configuration: hence one place.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import duckdb
import polars as pl

from warehouse.durable import sync
from warehouse.room import ROOM, Room

# dbt's profile holds the same two options; DuckDB compares them by value and type
CONFIG: Final[dict[str, str | bool | int | float | list[str]]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}
# for every connection of the process to this file, also those that can no longer set it
_UTC = "set global TimeZone = 'UTC'"
_HOLDER = re.compile(r"\(PID (\d+)\)")


class WarehouseBusyError(RuntimeError):
    """The file is held by somebody else; the message says by whom."""


def connect(path: Path, *, read_only: bool = False, room: Room = ROOM) -> duckdb.DuckDBPyConnection:
    """Opens the pipeline's own file; times are UTC, no extension is ever fetched.

    The file of a published build is never opened here: a reader may hold it. Its Parquet says the same
    (`published.parquet.read_table`).

    Raises:
        WarehouseBusyError: another process holds it, or this one in another mode.
    """
    if not read_only and not path.exists():
        _make(path)
    # once something was written there DuckDB refuses to be told again, even the same folder: not a `set`
    config = CONFIG | {"temp_directory": str(room.spill_of(path))}
    try:
        con = duckdb.connect(path, read_only=read_only, config=config)
    except (duckdb.IOException, duckdb.ConnectionException) as refused:
        raise _explained(path, str(refused)) from refused
    con.execute(_UTC)
    con.execute(room.limit)
    return con


def _make(path: Path) -> None:
    """An empty database that is there whole or not at all.

    Killed while it makes a file (measured), DuckDB leaves one that it never opens again.
    """
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    duckdb.connect(fresh, config=CONFIG).close()
    sync(fresh)
    # a link, unlike a rename, never takes the place of what another process made meanwhile
    with suppress(FileExistsError):
        path.hardlink_to(fresh)
    fresh.unlink()
    sync(path.parent)


def _explained(path: Path, reason: str) -> Exception:
    if "different configuration" in reason:
        return WarehouseBusyError(f"{path.name} is open in this process in another mode; close that connection first")
    if "lock" not in reason:
        return duckdb.IOException(f"{path.name} cannot be opened: {reason}")
    holder = _HOLDER.search(reason)
    who = f"process {holder[1]}" if holder else "another process"
    return WarehouseBusyError(
        f"{path.name} is held by {who}; wait until it ends. Readers open what published/current.json names"
    )


def frame(con: duckdb.DuckDBPyConnection, query: str) -> pl.DataFrame:
    """The rows of a query as a polars frame."""
    return pl.DataFrame(con.sql(query).to_arrow_table())


@contextmanager
def transaction(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """All of it or nothing."""
    con.begin()
    try:
        yield
        con.commit()
    except BaseException:
        # after a failed commit or a fatal error there is no transaction left to roll back
        with suppress(duckdb.Error):
            con.rollback()
        raise
