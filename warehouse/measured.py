"""What the models of a warehouse were last computed on, and what their tests found then.

A build computes again only what lies below an input that changed. An input is forgotten before that begins and noted
once it ended, so a build that dies in between leaves it changed.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import duckdb

from warehouse.engine import transaction
from warehouse.published.relations import quoted

# beside the sources: the SQL, seeds and contracts; and the city date of the build
CODE, DATE = "code", "date"

_TABLES = """
drop table if exists landing.measured;
create table if not exists landing.measured_inputs (input varchar primary key, version varchar);
create table if not exists landing.test_results (
    unique_id varchar primary key, status varchar, failures bigint, message varchar
);
"""
_OF_A_TEST = ("unique_id", "status", "failures", "message")
# of a source: the batches that are loaded, and up to where it is complete
_INPUTS = """
with batches as (
    select source, string_agg(batch_id, ' ' order by batch_id) as batch_ids
    from landing.loaded_batches
    group by source
)
select source, md5(concat_ws(' ', epoch_us(complete_until), batch_ids))
from landing.source_status
left join batches using (source)
union all
select ?, as_of_date::varchar from landing.build
union all
select ?, ?
"""


def inputs(con: duckdb.DuckDBPyConnection, code_version: str) -> dict[str, str]:
    """The version of every input that the models can be computed on now: each source, the date and the code."""
    return dict(con.execute(_INPUTS, [DATE, CODE, code_version]).fetchall())


def changed(con: duckdb.DuckDBPyConnection, now: Mapping[str, str]) -> set[str]:
    """The inputs that are not what the models were last computed on; one that is gone is changed too."""
    con.execute(_TABLES)
    noted = dict(con.execute("select input, version from landing.measured_inputs").fetchall())
    return {name for name in now.keys() | noted.keys() if now.get(name) != noted.get(name)}


def forget(con: duckdb.DuckDBPyConnection, names: Iterable[str]) -> None:
    """Whatever comes of computing on these inputs, they stay changed until `note`."""
    with transaction(con):
        for name in names:
            con.execute("delete from landing.measured_inputs where input = ?", [name])
        if CODE in names:
            # of tests that may no longer exist
            con.execute("delete from landing.test_results")


def note(
    con: duckdb.DuckDBPyConnection, now: Mapping[str, str], tests: Iterable[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Notes what the models were computed on, and what the tests that ran found.

    Args:
        con: the warehouse.
        now: the inputs, as `inputs` returned them before the computation.
        tests: unique_id, status, failures and message of the tests that ran.

    Returns:
        The same of every test: one that did not run found what it found last.
    """
    with transaction(con):
        con.execute("delete from landing.measured_inputs")
        con.executemany("insert into landing.measured_inputs values (?, ?)", list(now.items()))
        for test in tests:
            values = [test[column] for column in _OF_A_TEST]
            con.execute("insert or replace into landing.test_results values (?, ?, ?, ?)", values)
    rows = con.execute("select * from landing.test_results order by all").fetchall()
    return [dict(zip(_OF_A_TEST, row, strict=True)) for row in rows]


def drop_unmade(con: duckdb.DuckDBPyConnection, made: Collection[tuple[str, str]]) -> None:
    """Drops the tables that no model makes any more: readers would get them for ever, as they last were.

    Args:
        con: the warehouse.
        made: schema and name of every model; what stands in other schemas is left alone.
    """
    there = con.execute(
        """select schema_name, table_name from duckdb_tables()
        where database_name = current_database() and list_contains($schemas, schema_name)""",
        {"schemas": sorted({schema for schema, _ in made})},
    ).fetchall()
    for schema, name in there:
        if (schema, name) not in made:
            con.execute(f"drop table {quoted(schema)}.{quoted(name)}")
