"""The three stores, each with how its readers read; and what a reader that never stops may find."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import duckdb
import psycopg

from warehouse.engine import connect
from warehouse.published.contents import warehouse_contents
from warehouse.published.duckdb_file import DuckdbFile
from warehouse.published.files import FileStore
from warehouse.published.parquet import ParquetFiles
from warehouse.published.postgres import PostgresStore
from warehouse.published.store import Store

SCHEMAS = ("marts", "verdicts")
_BOTH = """
select count(*), min(least(a.build_no, b.build_no)), max(greatest(a.build_no, b.build_no))
from {a} a full join {b} b using (n)
"""
_NUMBERED = ("update marts.fct_a set build_no = {0}", "update marts.fct_b set build_no = {0}")
Rows = list[tuple[Any, ...]]
Ask = Callable[[str], Rows]


@dataclass
class Publishing:
    """A store, the warehouse it is filled from, and a way in for its readers."""

    warehouse: Path
    store: Store
    opened: Callable[[], Any]
    """Opens what a reader keeps open: a context that gives a function which asks."""
    place: Any = None

    def change(self, *statements: str) -> None:
        with connect(self.warehouse) as con:
            for statement in statements:
                con.execute(statement)

    def stage(self, build_id: str) -> Sequence[str]:
        with warehouse_contents(self.warehouse, build_id, SCHEMAS) as contents:
            return self.store.stage(contents)

    def publish(self, build_id: str, *statements: str) -> Sequence[str]:
        self.change(*statements)
        loaded = self.stage(build_id)
        self.store.flip(build_id)
        return loaded

    def read(self, query: str) -> Rows:
        with self.opened() as ask:
            return ask(query)

    def read_committed(self, query: str) -> Rows:
        """Asks PostgreSQL as a client does that sets nothing."""
        with psycopg.connect(self.place, autocommit=True) as db:
            return db.execute(named(query, lambda _, name: f"marts.{name}")).fetchall()

    def both(self, ask: Ask) -> tuple[Any, ...]:
        """How many rows two tables hold, and the lowest and highest number of a build in them."""
        (found,) = ask(_BOTH.format(a="{marts.fct_a}", b="{marts.fct_b}"))
        return found


def numbered(number: int) -> list[str]:
    """What makes the two tables that are read together say another number."""
    return [statement.format(number) for statement in _NUMBERED]


def named(query: str, place: Callable[[str, str], str]) -> str:
    """A query in which `{schema.table}` is what that store calls it."""
    for table in ("marts.fct_a", "marts.fct_b", "marts.fct_c", "marts.fct_d", "verdicts.fct_e"):
        schema, _, name = table.partition(".")
        query = query.replace(f"{{{table}}}", place(schema, name))
    return query


def _duckdb(warehouse: Path, published: Path) -> Publishing:
    @contextmanager
    def opened() -> Iterator[Ask]:
        folder = published / json.loads((published / "current.json").read_bytes())["duckdb"]
        with duckdb.connect(folder.resolve(), read_only=True) as con:
            yield lambda query: con.execute(named(query, "{}.{}".format)).fetchall()

    return Publishing(warehouse, FileStore(published, (DuckdbFile(),)), opened, published)


def _parquet(warehouse: Path, published: Path) -> Publishing:
    @contextmanager
    def opened() -> Iterator[Ask]:
        folder = published / json.loads((published / "current.json").read_bytes())["parquet"]
        with duckdb.connect() as con:
            yield lambda query: con.execute(named(query, lambda s, n: f"'{folder}/{s}/{n}.parquet'")).fetchall()

    return Publishing(warehouse, FileStore(published, (ParquetFiles(),)), opened, published)


def _postgres(warehouse: Path, url: str) -> Publishing:
    @contextmanager
    def opened() -> Iterator[Ask]:
        # as the role that publishes: what a department's login may do is tried beside it
        with psycopg.connect(url, autocommit=True) as db:
            db.execute("begin isolation level repeatable read read only")
            yield lambda query: db.execute(named(query, lambda _, n: f"marts.{n}")).fetchall()

    return Publishing(warehouse, PostgresStore(url, {}), opened, url)


STORES: dict[str, Callable[..., Publishing]] = {"duckdb": _duckdb, "parquet": _parquet, "postgres": _postgres}


@dataclass
class Hammer:
    """Readers that read two tables together, again and again, and note what they should never find."""

    publishing: Publishing
    readers: int = 3
    seen: dict[str, float] = field(
        default_factory=lambda: dict.fromkeys(("reads", "torn", "empty", "errors", "slow", "worst_ms"), 0)
    )
    faults: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._threads = [threading.Thread(target=self._read) for _ in range(self.readers)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def until(self, reads: int) -> None:
        """Waits until that many reads are done, a minute at most."""
        end = time.monotonic() + 60
        while self.seen["reads"] < reads and time.monotonic() < end:
            time.sleep(0.05)

    def _read(self) -> None:
        while not self._stop.is_set():
            began = time.perf_counter()
            try:
                with self.publishing.opened() as ask:
                    rows, lowest, highest = self.publishing.both(ask)
            except (psycopg.Error, duckdb.Error, OSError) as fault:
                self.seen["errors"] += 1
                self.faults.append(str(fault))
                continue
            took = (time.perf_counter() - began) * 1000
            self.seen["reads"] += 1
            self.seen["empty"] += rows == 0
            self.seen["torn"] += rows != 1000 or lowest != highest
            self.seen["slow"] += took > 200
            self.seen["worst_ms"] = max(self.seen["worst_ms"], round(took))
