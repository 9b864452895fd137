"""What a department's login may see and do in PostgreSQL, tried as that login."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from orchestration.embedded_postgres import Server
from tests.readers.reading import Publishing
from warehouse.published.postgres_access import EVERY_DEPARTMENT, Access, give_access
from warehouse.published.postgres_connection import PostgresError

FORBIDDEN = (
    "select count(*) from store.fct_a",
    "select count(*) from ledger.publication",
    "select count(*) from ledger.access",
    "update marts.fct_a set n = 0",
    "delete from marts.fct_a",
    "create table marts.mine (a int)",
    "create table public.mine (a int)",
    "create temporary table mine (a int)",
    "create schema mine",
    "set role ademruimte",
)


@contextmanager
def signed_in(access: Access, **how: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with psycopg.connect(
        host=access.host,
        port=access.port,
        dbname=access.database,
        user=access.login,
        password=access.password,
        autocommit=True,
        **how,
    ) as db:
        yield db


@pytest.fixture
def wonen(restricted: Publishing, server: Server) -> Access:
    """The login of one department, where another has a row in a table of its own."""
    with psycopg.connect(server.superuser, autocommit=True) as db:
        for login in ("bi_wonen", "bi_all"):
            db.execute(f"drop role if exists {login}")
    restricted.publish("b1", "insert into verdicts.fct_e values ('mobiliteit', 2.5), (null, 3.5)")
    return give_access(restricted.place, "wonen", is_new_password=False)


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_a_login_reads_views_and_does_nothing_else(wonen: Access, statement: str) -> None:
    with signed_in(wonen) as db:
        # a default, which any session may put off: what holds is what is granted
        db.execute("set default_transaction_read_only = off")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            db.execute(statement)
        assert db.execute("select count(*) from marts.fct_a").fetchone() == (1000,)


def test_a_department_sees_its_own_rows_of_a_restricted_table_and_whoever_sees_all_sees_all(
    wonen: Access, restricted: Publishing
) -> None:
    with signed_in(wonen) as db:
        assert db.execute("select department_id, value from marts.fct_e").fetchall() == [("wonen", 1.5)]
    everybody = give_access(restricted.place, EVERY_DEPARTMENT, is_new_password=False)
    with signed_in(everybody) as db:
        assert db.execute("select sum(value), count(*) from marts.fct_e").fetchone() == (7.5, 3)


def test_a_function_that_is_cheap_sees_no_row_of_another_department(wonen: Access, restricted: Publishing) -> None:
    with psycopg.connect(restricted.place, autocommit=True) as db:
        # as a client would smuggle one in: it is asked before the filter unless the view is a barrier
        db.execute(
            "create function marts.leak(text) returns boolean cost 0.0000001 language plpgsql as "
            "$$ begin raise notice 'saw %', $1; return true; end $$"
        )
    seen: list[str] = []
    with signed_in(wonen) as db:
        db.add_notice_handler(lambda told: seen.append(str(told.message_primary)))
        db.execute("select * from marts.fct_e where marts.leak(department_id)").fetchall()
    assert seen == ["saw wonen"]


def test_a_city_that_restricts_a_table_later_is_obeyed_when_it_is_published_again(
    postgres: Publishing, restricted: Publishing, wonen: Access
) -> None:
    # the store of a city that restricts nothing, and then again that of one that does
    for publishing, rows in ((postgres, 3), (restricted, 1)):
        publishing.store.flip("b1")
        with signed_in(wonen) as db:
            assert db.execute("select count(*) from marts.fct_e").fetchone() == (rows,)


def test_a_restriction_by_a_column_that_is_not_there_shows_nothing_of_the_build(restricted: Publishing) -> None:
    restricted.publish("b1")
    with pytest.raises(PostgresError, match="fct_e by department_id only, and it has no such column"):
        restricted.publish("b2", "alter table verdicts.fct_e drop column department_id")
    assert restricted.store.current() == "b1"


def test_every_query_of_power_bi_is_answered_and_shows_the_views_alone(wonen: Access, real_data: Path) -> None:
    queries = json.loads((real_data / "powerbi" / "client_queries.json").read_text("utf-8"))
    assert len(queries) == 20
    with signed_in(wonen) as db:
        for query in queries:
            sql = query["sql"].replace("{schema}", "marts").replace("{table}", "fct_a").replace("{column}", "n")
            rows = db.execute(sql, prepare=False).fetchall()
            if query["name"] == "AllTables":
                assert {(row[0], row[2]) for row in rows} == {("marts", "VIEW")}
                assert len(rows) == 5
            if query["name"] == "TablePreviewColumns":
                assert [row[0] for row in rows] == ["build_id", "n", "build_no"]
            if query["name"] == "TableFetch":
                assert len(rows) == 1000


def test_a_login_is_set_up_for_reading_and_may_not_keep_the_server_busy(wonen: Access) -> None:
    with signed_in(wonen) as db:
        shown = {
            name: db.execute(f"show {name}").fetchone()
            for name in ("jit", "statement_timeout", "idle_in_transaction_session_timeout")
        }
        assert shown == {
            "jit": ("off",),
            "statement_timeout": ("10min",),
            "idle_in_transaction_session_timeout": ("5min",),
        }
        assert db.execute("select rolconnlimit from pg_roles where rolname = 'bi_wonen'").fetchone() == (20,)


def test_a_login_that_exists_keeps_its_password_until_it_is_asked_for_another(
    wonen: Access, restricted: Publishing
) -> None:
    with pytest.raises(PostgresError, match="login bi_wonen exists already; `--new-password`"):
        give_access(restricted.place, "wonen", is_new_password=False)
    with signed_in(wonen):
        fresh = give_access(restricted.place, "wonen", is_new_password=True)
    with signed_in(fresh):
        pass
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"), signed_in(wonen):
        pass


def test_a_table_that_comes_later_is_seen_too(wonen: Access, restricted: Publishing) -> None:
    restricted.publish(
        "b2", "create table marts.fct_new as select 1 as n", "alter table marts.fct_a drop column build_no"
    )
    with signed_in(wonen) as db:
        assert db.execute("select n from marts.fct_new").fetchall() == [(1,)]
        assert db.execute("select count(*) from marts.fct_a").fetchall() == [(1000,)]


def test_a_login_that_may_do_more_than_it_should_is_not_handed_over(wonen: Access, restricted: Publishing) -> None:
    assert wonen.login == "bi_wonen"
    with psycopg.connect(restricted.place, autocommit=True) as db:
        db.execute("grant usage on schema ledger, store to bi_reader")
        db.execute("grant select on ledger.publication, store.fct_a to bi_reader")
        db.execute("grant create on schema marts to bi_reader")
    with pytest.raises(PostgresError, match="must not be handed over") as told:
        give_access(restricted.place, "wonen", is_new_password=True)
    for fault in ("reads what lies behind the views", "makes tables", "reads 1 tables behind the views"):
        assert fault in str(told.value)


def test_a_password_is_shown_by_no_repr(wonen: Access) -> None:
    assert wonen.password not in repr(wonen)


@pytest.mark.parametrize("department", ["wonen; drop schema marts", "", "Wonen", "x" * 60, "reader", "all"])
def test_a_department_that_is_no_code_is_refused(database: str, department: str) -> None:
    with pytest.raises(PostgresError, match="is no code of a department"):
        give_access(database, department, is_new_password=False)


def test_before_anything_is_published_nobody_gets_a_login(database: str) -> None:
    with pytest.raises(PostgresError, match="nothing is published in this database yet"):
        give_access(database, "wonen", is_new_password=False)
