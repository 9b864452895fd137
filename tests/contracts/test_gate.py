"""The gate: every row ends in exactly one place, with its reasons."""

from random import Random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts import gate
from contracts.cities.profile import City
from contracts.faults import SchemaFaultError
from contracts.reading import number, text, whole_number
from contracts.reasons import possible
from contracts.registry import all_contracts, city_named
from contracts.vocabulary import EVENLY, Column, Received, RowRule, TableContract

_CITY = city_named("kortrijk")
_TABLES = {f"{contract.name}.{table.name}": table for contract in all_contracts().values() for table in contract.tables}


def _parse(rows: pl.DataFrame, _: City) -> pl.DataFrame:
    return rows.select(
        text("id"), text("kind"), number("size").alias("size_m"), whole_number("version").alias("version_no")
    )


_BIG_ENOUGH = (pl.col("kind") != "big") | (pl.col("size_m") > 10)
_BIG = RowRule("big_is_big", "size", "is too small to be big", _BIG_ENOUGH, "is te klein. Kijk ze na.", EVENLY)
_TABLE = TableContract(
    name="things",
    description="Things to try the gate on.",
    received=Received(columns=("id", "kind", "size", "version"), required=("id",)),
    parse=_parse,
    columns=(
        Column("id", pl.String, "identifier", pattern=r"^[a-z]\d*$"),
        Column("kind", pl.String, "kind", nullable=True, allowed=("big", "small")),
        Column("size_m", pl.Float64, "size", nullable=True, minimum=0, maximum=100, reads="size"),
        Column("version_no", pl.Int64, "version", nullable=True, reads="version"),
    ),
    key=("id",),
    version=("version_no",),
    event_date="id",
    event_order=("id",),
    rules=(_BIG,),
)


def _rows(*rows: tuple[str | None, ...], columns: tuple[str, ...] = _TABLE.received.columns) -> pl.DataFrame:
    frame = pl.DataFrame(list(rows), schema=dict.fromkeys(columns, pl.String), orient="row")
    return frame.with_row_index("line", offset=2).cast({"line": pl.Int64})


def _split(*rows: tuple[str | None, ...]) -> gate.Split:
    return gate.split(_rows(*rows), _TABLE, _CITY)


def _accounted(found: gate.Split) -> int:
    return found.accepted.height + found.quarantined.height + found.duplicate + found.superseded


def test_a_good_row_is_accepted_typed_and_keeps_its_line() -> None:
    found = _split(("a1", "small", "1,5", "3"))
    assert found.accepted.rows(named=True) == [{"id": "a1", "kind": "small", "size_m": 1.5, "version_no": 3, "line": 2}]
    assert found.accepted.schema == {**_TABLE.schema, "line": pl.Int64}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ((None, "small", "1", "1"), "id: is missing"),
        (("  ", "small", "1", "1"), "id: is missing"),
        (("A1", "small", "1", "1"), r"id: does not look like ^[a-z]\d*$"),
        (("a1", "huge", "1", "1"), "kind: is none of big, small"),
        (("a1", "small", "-1", "1"), "size: is below 0"),
        (("a1", "small", "101", "1"), "size: is above 100"),
        (("a1", "small", "1.000,5", "1"), "size: cannot be read"),
        (("a1", "small", "1", "1.5"), "version: cannot be read"),
        (("a1", "big", "10", "1"), "size: is too small to be big"),
    ],
)
def test_a_bad_row_is_quarantined_as_received_with_its_reason(row: tuple[str | None, ...], reason: str) -> None:
    found = _split(("b1", "small", "1", "1"), row)
    assert found.accepted["id"].to_list() == ["b1"]
    assert found.quarantined.select(*_TABLE.received.columns).rows() == [row]
    assert found.quarantined["line"].to_list() == [3]
    assert reason in found.quarantined["reasons"].to_list()[0]


def test_a_row_with_several_faults_is_one_row_with_all_its_reasons() -> None:
    found = _split(("A", "huge", "x", "1"))
    assert found.quarantined.height == 1
    assert len(found.quarantined["reasons"][0]) == 3


def test_an_unknown_value_never_breaks_a_rule_over_two_columns() -> None:
    assert _split(("a1", "big", None, "1")).quarantined.height == 0


def test_equal_rows_are_duplicates_and_one_stays() -> None:
    found = _split(("a1", "small", "1", "1"), ("a1", "small", "1,0", "1"), ("a1", "small", "1", "1"))
    assert (found.accepted.height, found.duplicate, found.superseded) == (1, 2, 0)


def test_of_two_versions_the_later_one_stays_whatever_their_order() -> None:
    versions = [("a1", "small", "1", "1"), ("a1", "small", "2", "10"), ("a1", "small", "3", None)]
    for order in (versions, versions[::-1]):
        found = _split(*order)
        assert found.accepted["size_m"].to_list() == [2.0]
        assert (found.duplicate, found.superseded) == (0, 2)


def test_a_bad_later_version_does_not_supersede_a_good_one() -> None:
    found = _split(("a1", "small", "1", "1"), ("a1", "small", "-5", "2"))
    assert found.accepted["size_m"].to_list() == [1.0]
    assert found.superseded == 0


def test_an_optional_column_may_be_absent() -> None:
    found = gate.split(_rows(("a1",), columns=("id",)), _TABLE, _CITY)
    assert found.accepted["size_m"].to_list() == [None]


def test_a_missing_required_column_refuses_the_delivery() -> None:
    with pytest.raises(SchemaFaultError, match="table things: column id is missing; found: line, kind"):
        gate.split(_rows(("small",), columns=("kind",)), _TABLE, _CITY)


def test_an_unknown_column_does_not_pass() -> None:
    found = gate.split(_rows(("a1", "Jan"), columns=("id", "name")), _TABLE, _CITY)
    assert "name" not in found.accepted.columns
    assert "name" not in found.quarantined.columns


@pytest.mark.parametrize("name", _TABLES)
def test_a_delivery_of_nothing_is_typed_and_empty(name: str) -> None:
    table = _TABLES[name]
    found = gate.split(_rows(columns=table.received.columns), table, _CITY)
    assert (found.received, _accounted(found)) == (0, 0)
    assert found.accepted.schema == {**table.schema, "line": pl.Int64}
    assert found.quarantined.schema["reasons"] == found.quarantined.schema["reasons_nl"] == pl.List(pl.String)


def test_rows_stay_beside_their_lines_however_they_arrive() -> None:
    rows = _rows(("a1", "small", "1", "1"), ("B", "small", "1", "1"), ("c1", "small", "1", "1"))
    found = gate.split(rows.reverse(), _TABLE, _CITY)
    assert dict(found.accepted.select("id", "line").iter_rows()) == {"a1": 2, "c1": 4}
    assert found.quarantined["line"].to_list() == [3]


def test_more_rows_than_a_block_are_all_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "_BLOCK_ROWS", 7)
    rows = [(f"{'A' if number % 10 == 0 else 'a'}{number}", "small", "1", "1") for number in range(100)]
    found = _split(*rows)
    assert (found.accepted.height, found.quarantined.height) == (90, 10)
    assert found.quarantined["line"].to_list() == [number + 2 for number in range(0, 100, 10)]


_CELLS = st.one_of(st.none(), st.sampled_from(["", "a1", "b", "small", "big", "1", "2,5", "-3", "200", "x", " a1 "]))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(_CELLS, _CELLS, _CELLS, _CELLS), max_size=30), st.randoms(use_true_random=False))
def test_every_row_is_accounted_for_and_their_order_does_not_matter(
    rows: list[tuple[str | None, ...]], random: Random
) -> None:
    found = _split(*rows)
    assert found.received == len(rows) == _accounted(found)
    assert found.accepted["id"].n_unique() == found.accepted.height
    random.shuffle(rows)
    again = _split(*rows)
    assert (again.quarantined.height, again.accepted["id"].to_list()) == (
        found.quarantined.height,
        found.accepted["id"].to_list(),
    )


_WORDS = st.one_of(
    st.none(),
    st.text(max_size=12),
    st.sampled_from(
        ["2026-11-22", "22/11/2026", "00:15:00", "2026-10-25T02:30:00Z", "1,5", "1e400", "NaN", "-0", "9" * 25, "open"]
    ),
)


@pytest.mark.parametrize("name", _TABLES)
def test_no_text_breaks_a_contract(name: str) -> None:
    table = _TABLES[name]
    width = len(table.received.columns)

    @settings(max_examples=20, deadline=None)
    @given(st.lists(st.tuples(*[_WORDS] * width), max_size=8))
    def holds(rows: list[tuple[str | None, ...]]) -> None:
        found = gate.split(_rows(*rows, columns=table.received.columns), table, _CITY)
        assert found.received == len(rows) == _accounted(found)
        assert found.quarantined["reasons"].list.len().min() != 0
        said = found.quarantined.select(pl.col("reasons").list.explode(), pl.col("reasons_nl").list.explode())
        words = dict(reason.said(table) for reason in possible(table))
        # what names a value of its own stands in no table of sentences
        assert all(dutch and words.get(english, dutch) == dutch != english for english, dutch in said.iter_rows())

    holds()
