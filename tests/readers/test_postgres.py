"""PostgreSQL as a store: the race that a plain swap loses, what a janitor may take, and what a crash leaves."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest

from orchestration.embedded_postgres import Server
from tests.readers.reading import Publishing, numbered
from warehouse.published import postgres as module
from warehouse.published.postgres_connection import PostgresError, conninfo

# a stable function is called while a statement is planned: it holds a reader between its plan and its snapshot
GATE = 77
SLOW = f"""
create function marts.slow() returns int stable language plpgsql as $$ begin
    if current_setting('my.once', true) is null then
        perform set_config('my.once', '1', false);
        perform pg_advisory_lock({GATE}); perform pg_advisory_unlock({GATE});
    end if;
    return 0;
end $$
"""


@contextmanager
def session(url: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with psycopg.connect(url, autocommit=True) as db:
        yield db


def asked(url: str, query: str) -> list[tuple[object, ...]]:
    with session(url) as db:
        return db.execute(query).fetchall()


def do(url: str, *statements: str) -> None:
    with session(url) as db:
        for statement in statements:
            db.execute(statement)


def partitions(url: str) -> int:
    [(count,)] = asked(
        url, "select count(*) from pg_class where relnamespace = 'store'::regnamespace and relkind = 'r'"
    )
    return int(str(count))


def until(url: str, query: str) -> None:
    """Waits until a query finds something, half a minute at most."""
    end = time.monotonic() + 30
    while not asked(url, query):
        assert time.monotonic() < end, query
        time.sleep(0.02)


def planned_before(publishing: Publishing, build_id: str, *, waits: bool) -> int:
    """How many rows a statement finds that was planned before a build was attached, and runs after it is flipped.

    Args:
        publishing: to PostgreSQL.
        build_id: of the build.
        waits: whether publishing waits for it; else it is let go when all is published.
    """
    url, number = publishing.place, int(build_id[1:])
    read = "select count(*) from {marts.fct_a} where n >= marts.slow()"
    shown = "select 1 from ledger.publication where is_current and build_id = "
    attached = "select 1 from ledger.version group by table_name having count(*) = "
    with ThreadPoolExecutor(2) as threads, session(url) as gate:
        gate.execute("select pg_advisory_lock(%s)", (GATE,))
        reader = threads.submit(publishing.read_committed, read)
        until(url, "select 1 from pg_locks where locktype = 'advisory' and not granted")
        publisher = threads.submit(publishing.publish, build_id, *numbered(number))
        until(url, f"{attached}{number}" if waits else f"{shown}'{build_id}'")
        gate.execute("select pg_advisory_unlock(%s)", (GATE,))
        publisher.result(30)
        ((count,),) = reader.result(30)
    return int(count)


def test_a_statement_planned_before_a_publish_finds_its_rows_after_it(
    postgres: Publishing, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    postgres.publish("b1")
    do(database, SLOW)
    assert planned_before(postgres, "b2", waits=True) == 1000
    # what it is that holds: without the wait the same reader finds nothing, and no error
    monkeypatch.setattr(module, "settle", lambda _: None)
    assert planned_before(postgres, "b3", waits=False) == 0


def test_a_publisher_that_cannot_see_other_sessions_touches_nothing(
    postgres: Publishing, server: Server, database: str
) -> None:
    postgres.publish("b1")
    with session(server.superuser) as db:
        db.execute("revoke pg_read_all_stats from ademruimte")
        try:
            with pytest.raises(PostgresError, match="`grant pg_read_all_stats to ademruimte`"):
                postgres.store.prune(keep=0)
        finally:
            db.execute("grant pg_read_all_stats to ademruimte")
    assert asked(database, "select count(*) from marts.fct_a") == [(1000,)]


def test_what_an_open_transaction_may_still_look_at_is_not_dropped(postgres: Publishing, database: str) -> None:
    postgres.publish("b1", *numbered(1))
    with session(database) as reader:
        reader.execute("begin isolation level repeatable read")
        before = reader.execute("select count(*), min(build_no) from marts.fct_a").fetchall()
        postgres.publish("b2", *numbered(2))
        assert postgres.store.prune(keep=1) == ["b1"]
        assert partitions(database) == 7
        assert reader.execute("select count(*), min(build_no) from marts.fct_a").fetchall() == before == [(1000, 1)]
        # of another table, which it never asked for until now
        assert reader.execute("select count(*), min(build_no) from marts.fct_b").fetchall() == [(1000, 1)]
    postgres.store.prune(keep=1)
    assert partitions(database) == 5


def test_a_version_that_a_build_names_cannot_be_taken_away(postgres: Publishing, database: str) -> None:
    postgres.publish("b1")
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        do(database, "delete from ledger.version where table_name = 'fct_a'")


def test_what_a_killed_publisher_loaded_and_never_attached_is_swept(postgres: Publishing, database: str) -> None:
    postgres.publish("b1")
    do(database, 'create table store."fct_a__0123456789abcde" (like store.fct_a)')
    assert partitions(database) == 6
    postgres.store.prune()
    assert partitions(database) == 5


def test_a_reader_who_holds_a_table_keeps_it_from_changing_and_the_next_try_makes_it_up(
    postgres: Publishing, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_TRIES", 2)
    postgres.publish("b1")
    wider = "alter table marts.fct_a add column extra integer default 7"
    with session(database) as reader:
        reader.execute("begin")
        reader.execute("select 1 from marts.fct_a")
        with pytest.raises(PostgresError, match="fct_a must change, and a reader holds it open"):
            postgres.publish("b2", wider)
        assert reader.execute("select count(*) from marts.fct_a").fetchall() == [(1000,)]
    assert postgres.store.current() == "b1"
    assert postgres.publish("b2") == ["marts.fct_a"]
    assert asked(database, "select distinct extra from marts.fct_a") == [(7,)]


def test_whoever_still_sees_the_former_version_finds_the_values_of_a_column_that_grew_wider(
    postgres: Publishing, database: str
) -> None:
    postgres.publish("b1")
    with session(database) as reader:
        reader.execute("begin isolation level repeatable read")
        # of another table: one that it read cannot change under it
        reader.execute("select 1 from marts.fct_b")
        postgres.publish("b2", "alter table marts.fct_a alter build_no type varchar")
        assert reader.execute("select distinct build_no from marts.fct_a").fetchall() == [("1",)]


def test_each_column_has_a_type_that_power_bi_reads_well(postgres: Publishing, database: str) -> None:
    postgres.publish(
        "b1",
        "create or replace table marts.fct_a as select 1::utinyint as a, 2::hugeint as b, 3.14::decimal(9, 2) as c, "
        "timestamptz '2026-11-30 08:00:00+01' as seen_at, ['te laat', null, 'te weinig'] as reasons, "
        "'a' || chr(0) as d, interval 1 day as e, {'x': 1} as f, true as g, 2.5::float as h, "
        "uuid '00000000-0000-0000-0000-000000000001' as i",
    )
    types = asked(
        database,
        "select column_name, data_type, numeric_precision from information_schema.columns "
        "where table_name = 'fct_a' and table_schema = 'marts' order by ordinal_position",
    )
    assert {name: kind for name, kind, _ in types} == {
        "build_id": "text",
        "a": "integer",
        "b": "numeric",
        "c": "numeric",
        "seen_at": "timestamp without time zone",
        "reasons": "text",
        "d": "text",
        "e": "text",
        "f": "text",
        "g": "boolean",
        "h": "double precision",
        "i": "text",
    }
    assert {name: size for name, kind, size in types if kind == "numeric"} == {"b": 38, "c": 9}
    [(moment, reasons, text)] = asked(database, "select seen_at, reasons, d from marts.fct_a")
    assert (str(moment), reasons, text) == ("2026-11-30 07:00:00", "te laat; te weinig", "a")


def test_what_is_said_of_a_table_and_a_column_is_said_in_postgresql_too(postgres: Publishing, database: str) -> None:
    said = "select obj_description('marts.fct_a'::regclass), col_description('marts.fct_a'::regclass, 2)"
    postgres.publish("b1")
    assert asked(database, said) == [("één rij per 'meting'", "100 %")]
    # another description is no other version: nothing is loaded again
    assert postgres.publish("b2", "comment on column marts.fct_a.n is 'volgnummer'") == []
    assert asked(database, said) == [("één rij per 'meting'", "volgnummer")]


def test_a_description_in_two_languages_is_told_to_readers_in_dutch_alone(postgres: Publishing, database: str) -> None:
    both = "'NL Dag van de meting | EN Day of the reading'"
    postgres.publish("b1", f"comment on table marts.fct_a is {both}; comment on column marts.fct_a.n is {both}")
    said = """select obj_description('marts.fct_a'::regclass) as said union all
        select col_description('marts.fct_a'::regclass, attnum) from pg_attribute
        where attrelid = 'marts.fct_a'::regclass and attnum > 0"""
    told = {comment for (comment,) in asked(database, said) if comment}
    assert told == {
        "Dag van de meting",
        "Uit welke publicatie dit komt; verschilt het tussen tabellen, vernieuw dan opnieuw",
    }


def test_a_view_reads_the_partition_of_its_own_build_and_no_other(postgres: Publishing, database: str) -> None:
    for number in range(1, 5):
        postgres.publish(f"b{number}", *numbered(number))
    plan = "\n".join(
        str(row[0]) for row in asked(database, "explain (analyze, timing off) select sum(n) from marts.fct_a")
    )
    assert plan.count("never executed") >= 3
    statistics = "select reltuples from pg_class where oid = 'store.fct_a'::regclass"
    assert asked(database, statistics)[0][0] == 4000


def test_every_row_says_of_which_build_it_is(postgres: Publishing, database: str) -> None:
    postgres.publish("b1")
    postgres.publish("b2", "create or replace table marts.fct_d as select 1 as n, 'b2' as build_id")
    assert asked(database, "select distinct build_id from marts.fct_a") == [("b2",)]
    assert asked(database, "select * from marts.fct_d") == [(1, "b2")]


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("postgresql://someone:sesame@127.0.0.1:1/city", "see whether the server runs"),
        ("sesame without any form", "the URL of PostgreSQL cannot be read"),
    ],
)
def test_a_server_that_is_away_is_told_without_its_password(url: str, says: str) -> None:
    with pytest.raises(PostgresError, match=says) as told:
        module.PostgresStore(url, {}).current()
    assert "sesame" not in str(told.value)


def test_another_machine_is_reached_with_encryption_only() -> None:
    assert "sslmode=require" in conninfo("postgresql://someone@db.kortrijk.example/city")
    assert "sslmode=verify-full" in conninfo("postgresql://someone@db.kortrijk.example/city?sslmode=verify-full")
    assert "sslmode" not in conninfo("postgresql://someone@127.0.0.1/city")


def test_two_tables_of_one_name_are_refused(postgres: Publishing) -> None:
    with pytest.raises(PostgresError, match="two tables are named fct_a"):
        postgres.publish("b1", "create table verdicts.fct_a as select 1 as n")


def test_a_long_name_and_a_name_with_quotes_are_kept_whole(postgres: Publishing, database: str) -> None:
    long = "fct_" + "é" * 25
    hostile = 'doel"; drop schema marts cascade; --'.replace('"', '""')
    postgres.publish(
        "b1", f'create table marts."{long}" as select 1 as n', f'create table marts."{hostile}" as select 2 as n'
    )
    assert asked(database, f'select n from marts."{long}"') == [(1,)]
    assert asked(database, f'select n from marts."{hostile}"') == [(2,)]
