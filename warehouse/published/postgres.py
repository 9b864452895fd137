"""PostgreSQL as a store of published builds: what did not change is not loaded again, and a reader never waits.

A table of a build is a partition of `store.<table>`, found by the version of its rows. `ledger.publication` says in one
row which build readers see, and the views in `marts` find by it the partition that they show. Attaching a partition and
pointing at it in one transaction gives a reader of the default isolation level no rows and no error: a statement that
was planned before may run after. Hence: attach, wait until every statement that began before is done, then flip.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Final

import psycopg
from adbc_driver_postgresql import dbapi

from warehouse.published.contents import Contents, Table
from warehouse.published.postgres_connection import Connection, PostgresError, connected, conninfo
from warehouse.published.postgres_tables import (
    Kept,
    Shown,
    comments_sql,
    kept_columns,
    parent_of,
    partition_name,
    read_as,
    shown_columns,
    version_of,
    view_of,
    view_sql,
)
from warehouse.published.relations import quoted
from warehouse.published.store import KEPT, UnknownBuildError

READERS: Final = "bi_reader"
"""The role of everybody who may read the views."""

_LEDGER = """
create schema if not exists store;
create schema if not exists marts;
create schema if not exists ledger;
create table ledger.version (
    table_name text, version bigint, sha256 text not null, rows bigint not null, retired_at timestamptz,
    primary key (table_name, version));
create table ledger.publication (
    build_id text primary key, staged_at timestamptz not null default clock_timestamp(),
    is_current boolean not null default false);
create unique index one_current on ledger.publication (is_current) where is_current;
create table ledger.publication_tables (
    build_id text references ledger.publication on delete cascade, table_name text, version bigint not null,
    comment text, columns jsonb not null, primary key (build_id, table_name),
    foreign key (table_name, version) references ledger.version);
create index version_in_use on ledger.publication_tables (table_name, version);
create table ledger.shown (table_name text primary key, view_sql text not null, comments_sql text not null);
create table ledger.access (login name, department text, primary key (login, department));
"""
_PARENTS = """
select c.relname, a.attname, format_type(a.atttypid, a.atttypmod)
from pg_class c join pg_attribute a on a.attrelid = c.oid
where c.relnamespace = 'store'::regnamespace and c.relkind = 'p' and a.attnum > 0 and not a.attisdropped
order by c.relname, a.attnum
"""
# loaded and never attached, by a publisher that was killed
_ORPHANS = r"""
select c.relname from pg_class c
where c.relnamespace = 'store'::regnamespace and c.relkind = 'r' and not c.relispartition
  and c.relname ~ '__[0-9a-f]{15}$'
"""
# what runs for a minute began to run long ago
_IN_FLIGHT = """
select 1 from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend' and state = 'active'
  and query_start < %s and query_start > clock_timestamp() - interval '60 s'
limit 1
"""
_FORGET = """
delete from ledger.publication where not is_current and build_id not in
    (select build_id from ledger.publication order by staged_at desc, build_id desc limit %s)
returning build_id
"""
_RETIRE = """
update ledger.version v set retired_at = clock_timestamp() where retired_at is null and not exists
    (select 1 from ledger.publication_tables p where (p.table_name, p.version) = (v.table_name, v.version))
"""
# no transaction that could still look at them is open
_UNSEEN = """
select table_name, version from ledger.version where retired_at < (
    select coalesce(min(xact_start), 'infinity') from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid())
"""
_LOCK = 2040
_BATCH_ROWS = 50_000
_TRIES, _PAUSE_SECONDS = 40, 0.05


class PostgresStore:
    """The published builds in a database of a PostgreSQL server.

    Every call is alone: one publisher, janitor or rollback at a time. Each raises `PostgresError` where the server is
    away, full, or refuses.

    Args:
        url: of a role that owns the database and has `pg_read_all_stats`: without it no other session is seen, and
            what somebody still reads would be dropped.
        restricted: by table the column whose department decides who sees a row.
    """

    name = "postgres"

    def __init__(self, url: str, restricted: Mapping[str, str]) -> None:
        self._url = url
        self._restricted = restricted

    def stage(self, contents: Contents) -> Sequence[str]:
        """See `Store.stage`."""
        _require_one_name_each(contents.tables)
        with self._alone() as db:
            if _staged(db, contents.build_id):
                return []
            _sweep(db)
            known = {tuple(row) for row in db.execute("select table_name, version from ledger.version")}
            fresh = [table for table in contents.tables if (table.name, version_of(table)) not in known]
            kept = _grown(db, contents.tables)
            self._load(db, contents, {table: kept_columns(table, kept[table.name]) for table in fresh})
            _attach(db, fresh)
            _note(db, contents, kept)
            return [table.full_name for table in fresh]

    def flip(self, build_id: str) -> None:
        """See `Store.flip`."""
        with self._alone() as db:
            if not _staged(db, build_id):
                raise UnknownBuildError(f"build {build_id} is not staged in PostgreSQL")
            self._show(db, build_id)
            if _current(db) == build_id:
                return
            settle(db)
            with db.transaction():
                db.execute("update ledger.publication set is_current = false where is_current")
                db.execute("update ledger.publication set is_current = true where build_id = %s", (build_id,))

    def current(self) -> str | None:
        """See `Store.current`."""
        with self._alone() as db:
            return _current(db)

    def builds(self) -> list[str]:
        """See `Store.builds`."""
        with self._alone() as db:
            rows = db.execute("select build_id from ledger.publication order by build_id")
            return [str(build_id) for (build_id,) in rows]

    def discard(self, build_id: str) -> None:
        """See `Store.discard`; its partitions go at the next pruning."""
        with self._alone() as db:
            db.execute("delete from ledger.publication where not is_current and build_id = %s", (build_id,))

    def prune(self, keep: int = KEPT) -> list[str]:
        """See `Store.prune`. A partition that an open transaction may still look at goes at a later call."""
        with self._alone() as db:
            with db.transaction():
                forgotten = [str(build_id) for (build_id,) in db.execute(_FORGET, (keep,))]
                db.execute(_RETIRE)
            _sweep(db)
            for name, version in db.execute(_UNSEEN).fetchall():
                _drop(db, str(name), int(str(version)))
            return forgotten

    @contextmanager
    def _alone(self) -> Iterator[Connection]:
        with connected(self._url) as db:
            _require_sight(db)
            db.execute("set lock_timeout = '10s'")
            db.execute("select pg_advisory_lock(%s)", (_LOCK,))
            if db.execute("select to_regclass('ledger.access')").fetchone() == (None,):
                with db.transaction():
                    db.execute(_LEDGER)
            yield db

    def _load(self, db: Connection, contents: Contents, fresh: Mapping[Table, Sequence[Kept]]) -> None:
        """Fills partitions that no reader can reach."""
        if not fresh:
            return
        with dbapi.connect(conninfo(self._url)) as loading, loading.cursor() as cursor:
            for table, kept in fresh.items():
                name = _empty_partition(db, table)
                pairs = zip(table.columns, kept, strict=True)
                values = ", ".join(f"{read_as(column)} as {quoted(each.name)}" for column, each in pairs)
                # a connection holds one open result
                with contents.con.cursor() as reading:
                    # names are quoted
                    rows = reading.sql(f"select {values} from ({table.select})")  # noqa: S608
                    cursor.adbc_ingest(name, rows.to_arrow_reader(_BATCH_ROWS), mode="append", db_schema_name="store")
                loading.commit()
                db.execute(f"analyze store.{quoted(name)}")

    def _show(self, db: Connection, build_id: str) -> None:
        """Makes the views those of a build; where one is as it was, nothing is asked of anybody."""
        rows = db.execute("select table_name, view_sql, comments_sql from ledger.shown").fetchall()
        shown = {str(name): (str(view), str(comments)) for name, view, comments in rows}
        wanted = dict(self._views(db, build_id))
        has_readers = db.execute("select 1 from pg_roles where rolname = %s", (READERS,)).fetchone() is not None
        for name, (view, comments) in wanted.items():
            before = shown.get(name, ("", ""))
            if before[0] != view:
                change(db, name, partial(_view, db, name, view, has_readers=has_readers))
            if before != (view, comments):
                _describe(db, name, comments)
        for name in shown.keys() - wanted.keys():
            change(db, name, partial(_hide, db, name))

    def _views(self, db: Connection, build_id: str) -> Iterator[tuple[str, tuple[str, str]]]:
        rows = db.execute(
            "select table_name, comment, columns from ledger.publication_tables where build_id = %s", (build_id,)
        )
        for name, comment, columns in rows.fetchall():
            shown = [Shown(*column) for column in columns]
            yield name, (view_sql(name, shown, self._restricted.get(name)), comments_sql(name, comment, shown))


def settle(db: Connection) -> None:
    """Waits until no statement is left that was planned before what is attached now; a minute at most."""
    [(since,)] = db.execute("select clock_timestamp()").fetchall()
    while db.execute(_IN_FLIGHT, (since,)).fetchone() is not None:
        time.sleep(0.01)


def change(db: Connection, name: str, make: Callable[[], object]) -> None:
    """Does what needs a table or view to itself in many short tries, so that no reader queues behind one.

    Raises:
        PostgresError: a reader kept it all the time.
    """
    for _ in range(_TRIES):
        try:
            with db.transaction():
                db.execute("set local lock_timeout = '50ms'")
                make()
                return
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
            time.sleep(_PAUSE_SECONDS)
    raise PostgresError(f"PostgreSQL: {name} must change, and a reader holds it open; tried again later")


def _require_one_name_each(tables: Sequence[Table]) -> None:
    names = [table.name for table in tables]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise PostgresError(f"PostgreSQL: all views lie in one schema, and two tables are named {', '.join(twice)}")


def _require_sight(db: Connection) -> None:
    [(sees, user)] = db.execute("select pg_has_role('pg_read_all_stats', 'usage'), current_user").fetchall()
    if not sees:
        raise PostgresError(
            f"PostgreSQL: {user} does not see what others read, and would take it away under them; "
            f"`grant pg_read_all_stats to {user}`"
        )


def _staged(db: Connection, build_id: str) -> bool:
    return db.execute("select 1 from ledger.publication where build_id = %s", (build_id,)).fetchone() is not None


def _current(db: Connection) -> str | None:
    row = db.execute("select build_id from ledger.publication where is_current").fetchone()
    return None if row is None else str(row[0])


def _grown(db: Connection, tables: Sequence[Table]) -> dict[str, list[Kept]]:
    """The columns of the tables behind the views, after each got what it lacked."""
    kept: dict[str, list[Kept]] = {}
    for name, column, kind in db.execute(_PARENTS).fetchall():
        kept.setdefault(str(name), []).append(Kept(str(column), str(kind)))
    for table in tables:
        there = kept.get(table.name)
        if there is None:
            there = [Kept("version", "bigint")]
            db.execute(f"create table {parent_of(table.name)} (version bigint not null) partition by list (version)")
        lacking = [each for each in kept_columns(table, there) if each not in there]
        if lacking:
            adding = ", ".join(f"add column {quoted(each.name)} {each.type}" for each in lacking)
            change(db, table.name, partial(db.execute, f"alter table {parent_of(table.name)} {adding}"))
        kept[table.name] = [*there, *lacking]
    return kept


def _empty_partition(db: Connection, table: Table) -> str:
    version = version_of(table)
    name = partition_name(table.name, version)
    db.execute(f"create table store.{quoted(name)} (like {parent_of(table.name)}, check (version = {version}))")
    db.execute(f"alter table store.{quoted(name)} alter version set default {version}")
    return name


def _attach(db: Connection, fresh: Sequence[Table]) -> None:
    with db.transaction():
        for table in fresh:
            version = version_of(table)
            place = f"store.{quoted(partition_name(table.name, version))}"
            db.execute(f"alter table {parent_of(table.name)} attach partition {place} for values in ({version})")
            db.execute(
                "insert into ledger.version values (%s, %s, %s, %s)", (table.name, version, table.sha256, table.rows)
            )
    # joins are planned on the statistics of the whole, which the server never gathers by itself
    for table in fresh:
        db.execute(f"analyze {parent_of(table.name)}")


def _note(db: Connection, contents: Contents, kept: Mapping[str, Sequence[Kept]]) -> None:
    """What the build is made of; readers do not see it yet."""
    with db.transaction():
        db.execute("insert into ledger.publication (build_id) values (%s)", (contents.build_id,))
        for table in contents.tables:
            columns = json.dumps(shown_columns(table, kept[table.name]))
            db.execute(
                "insert into ledger.publication_tables values (%s, %s, %s, %s, %s)",
                (contents.build_id, table.name, version_of(table), table.comment, columns),
            )
        db.execute(
            """update ledger.version v set retired_at = null from ledger.publication_tables p where p.build_id = %s
            and (p.table_name, p.version) = (v.table_name, v.version) and v.retired_at is not null""",
            (contents.build_id,),
        )


def _view(db: Connection, name: str, view: str, *, has_readers: bool) -> None:
    """Replaces a view where its columns only grew, else makes it anew; whoever may read it still may."""
    try:
        with db.transaction():
            db.execute(f"create or replace {view}")
    except psycopg.errors.InvalidTableDefinition:
        db.execute(f"drop view {view_of(name)}")
        db.execute(f"create {view}")
    if has_readers:
        db.execute(f"grant select on {view_of(name)} to {READERS}")
    db.execute(
        """insert into ledger.shown values (%s, %s, '')
        on conflict (table_name) do update set view_sql = excluded.view_sql, comments_sql = ''""",
        (name, view),
    )


def _describe(db: Connection, name: str, comments: str) -> None:
    """A comment keeps no reader waiting, so it needs no tries."""
    with db.transaction():
        db.execute(comments)
        db.execute("update ledger.shown set comments_sql = %s where table_name = %s", (comments, name))


def _hide(db: Connection, name: str) -> None:
    """A view of a table that a build no longer has would show no rows: without it a reader is told."""
    db.execute(f"drop view {view_of(name)}")
    db.execute("delete from ledger.shown where table_name = %s", (name,))


def _sweep(db: Connection) -> None:
    for (name,) in db.execute(_ORPHANS).fetchall():
        db.execute(f"drop table store.{quoted(str(name))}")


def _drop(db: Connection, name: str, version: int) -> None:
    """Drops a partition that nobody can see; one that is in use after all stays for a later call."""
    try:
        with db.transaction():
            db.execute("set local lock_timeout = '100ms'")
            db.execute("delete from ledger.version where (table_name, version) = (%s, %s)", (name, version))
            db.execute(f"drop table store.{quoted(partition_name(name, version))}")
    except (psycopg.errors.LockNotAvailable, psycopg.errors.ForeignKeyViolation):
        return
