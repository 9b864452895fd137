"""Whatever a supplier writes, every row has one fate and no row brings the gate down.

`FUZZ_ROWS` says how many rows are tried over all tables together; `make fuzz` tries 100 000.
"""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from random import Random

import polars as pl
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from contracts.gate import REASONS, REASONS_NL, split
from contracts.registry import all_contracts, city_named
from contracts.vocabulary import LINE, Column, SourceContract, TableContract
from ingestion.delivery import Delivery
from ingestion.door import KeyRing, admit

TABLES = [(contract, table) for contract in all_contracts().values() for table in contract.tables]
ROWS = int(os.environ.get("FUZZ_ROWS", "5000"))
EXAMPLES = 2
ROWS_PER_TABLE = -(-ROWS // (len(TABLES) * EXAMPLES))
CITY = city_named("kortrijk")
SUPPLIED_AT = datetime(2026, 11, 22, 18, tzinfo=UTC)
RING = KeyRing((SecretStr("fuzz"),))
HOSTILE = [
    *(
        None,
        "",
        " ",
        "\t",
        "\u00a0",
        "\u200b",
        "\ufeff",
        "\x00",
        "\x07",
        "\r\n",
        "\u202e",
        "é́́́",
        "💡" * 40,
        "\U0010ffff",
    ),
    *("nan", "NaN", "inf", "-Infinity", "null", "None", "N/A", "#REF!", "=1+1", "TRUE", "onwaar", "-", "--", "?"),
    *("0", "-0", "-1", "1e308", "1e-400", "9" * 400, "0x1F", "1.234", "1.234,5", "1,234.5", "١٢٣", "½", "1_000", "+-1"),
    *("2026-11-22", "22/11/2026", "2026-02-30", "0000-00-00", "9999-12-31", "99999-01-01", "45983", "1e5", "24:00"),
    *("2026-10-25T02:30:00", "2026-11-22T10:00:00Z", "2026-11-22T10:00:00+99:00", "2026-11-22 10:00:00.123456789123"),
    *("00.01.25-567.77", "0478/12.34.56", "jan@mail.be", "BE71096123456769", "'; drop table x; --", "{{ var('x') }}"),
    *("x" * 70_000, "1 " * 20_000, '"', ";", ",", "\\N", "[verwijderd]", "541448820000000001", "5,41449E+17"),
]
TYPICAL: dict[type[pl.DataType], tuple[str, ...]] = {
    pl.Float64: ("0", "1,5", "12.25", "17600"),
    pl.Int64: ("0", "1", "42"),
    pl.Date: ("2026-11-01", "01/11/2026", "01-11-2026"),
    pl.Datetime: ("2026-11-01T10:00:00Z", "2026-11-01T10:15:00+01:00", "2026-11-01 10:00:00"),
    pl.Boolean: ("true", "false", "ja", "nee"),
    pl.String: ("a", "b", "34022", "kortrijk", "T-1"),
}


def _right(table: TableContract, received: str, draw: Callable[[st.SearchStrategy[str]], str]) -> list[str]:
    """Values that the column of a received text might well accept."""
    found: list[str] = []
    for column in (each for each in table.columns if each.wire == received):
        found += _values(column, draw)
    return found or list(TYPICAL[pl.String])


def _values(column: Column, draw: Callable[[st.SearchStrategy[str]], str]) -> list[str]:
    if column.allowed:
        return list(column.allowed)
    if column.pattern:
        return [
            draw(st.from_regex(column.pattern, fullmatch=True, alphabet=st.characters(codec="ascii"))) for _ in range(4)
        ]
    return list(TYPICAL.get(column.dtype.base_type(), TYPICAL[pl.String]))


def _mutated(row: list[str | None], random: Random, hostile: list[str | None]) -> list[str | None]:
    """Nothing, one hostile cell, many of them, two cells exchanged, or all of them shifted."""
    kind = random.randrange(6)
    if kind == 1:
        row[random.randrange(len(row))] = random.choice(hostile)
    elif kind == 2:
        row = [random.choice(hostile) if random.random() < 0.5 else cell for cell in row]
    elif kind == 3:
        first, second = random.randrange(len(row)), random.randrange(len(row))
        row[first], row[second] = row[second], row[first]
    elif kind == 4:
        row = [*row[1:], row[0]]
    return row


def _rows(table: TableContract, random: Random, hostile: list[str | None], right: dict[str, list[str]]) -> pl.DataFrame:
    columns = table.received.columns
    rows = [_mutated([random.choice(right[name]) for name in columns], random, hostile) for _ in range(ROWS_PER_TABLE)]
    schema = dict.fromkeys(columns, pl.String)
    return pl.DataFrame(rows, schema=schema, orient="row").with_row_index(LINE, 2).cast({LINE: pl.Int64})


def _require_one_fate(received: pl.DataFrame, table: TableContract) -> None:
    found = split(received, table, CITY, SUPPLIED_AT)
    assert found.received == received.height
    assert found.accepted.height + found.quarantined.height + found.duplicate + found.superseded == received.height
    lines = pl.concat([found.accepted[LINE], found.quarantined[LINE]])
    assert lines.is_unique().all()
    assert lines.is_in(received[LINE].to_list()).all()
    assert found.accepted.schema == {**table.schema, LINE: pl.Int64}
    assert found.quarantined[REASONS].list.len().fill_null(0).ge(1).all()
    assert found.quarantined[REASONS].list.len().equals(found.quarantined[REASONS_NL].list.len())
    assert found.accepted.select(table.key).null_count().sum_horizontal().item() == 0


@pytest.mark.parametrize(("contract", "table"), TABLES, ids=[f"{c.name}.{t.name}" for c, t in TABLES])
def test_every_fuzzed_row_has_one_fate(contract: SourceContract, table: TableContract) -> None:
    @seed(2040)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
    )
    @given(data=st.data(), random_seed=st.integers(0, 2**32), found=st.lists(st.text(max_size=30), max_size=20))
    def holds(data: st.DataObject, random_seed: int, found: list[str]) -> None:
        right = {name: _right(table, name, data.draw) for name in table.received.columns}
        received = _rows(table, Random(random_seed), [*HOSTILE, *found], right)  # noqa: S311 - made the same in every run
        through = admit(Delivery("fuzz", {table.name: received}, SUPPLIED_AT), contract, RING).tables[table.name]
        assert through.height == received.height
        _require_one_fate(through, table)

    holds()


def test_the_rows_asked_for_are_tried() -> None:
    assert len(TABLES) * EXAMPLES * ROWS_PER_TABLE >= ROWS
