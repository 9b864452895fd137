"""A column is one value: what comes in, how it is read and what lands follow from it."""

from datetime import date

import polars as pl
import pytest

from contracts.gate import split
from contracts.reading import city_date, text, upper
from contracts.registry import all_contracts, city_named
from contracts.vocabulary import LINE, UTC_INSTANT, Field, TableContract, columns_of, received_of

_CITY = city_named("kortrijk")
_EVERY = {f"{contract.name}.{table.name}": table for contract in all_contracts().values() for table in contract.tables}


def _reverse(wire: str) -> pl.Expr:
    return text(wire).str.reverse()


_TABLE = TableContract(
    name="sightings",
    description="One bird seen at one moment.",
    fields=(
        Field("bird", pl.String, "which bird", reads="vogel", required=True, nl="welke vogel", read=upper),
        Field("mirrored", pl.String, "the same, from behind", reads="vogel", read=_reverse),
        Field("seen_at", UTC_INSTANT, "when", reads="om", required=True, spelt="Om"),
        Field("watcher", pl.String, "", lands=False, pseudonym="watcher"),
        Field("place", pl.String, "", lands=False, read=text),
        Field("birds", pl.Int64, "how many", reads="aantal", nullable=True, then=pl.col("birds") * 2),
        Field("seen_date", pl.Date, "city date", arrives=False, then=city_date("seen_at")),
        Field("is_near", pl.Boolean, "whether it was here", arrives=False, then=pl.col("place") == "hier"),
        Field("file_name", pl.String, "whose file", added=True, staged=False),
    ),
    landed=("seen_at", "bird", "mirrored", "birds", "seen_date", "is_near", "file_name"),
    key=("bird", "seen_at"),
    version=(),
    event_date="seen_date",
    event_order=("seen_at",),
)
_ROW = {"vogel": "Mus", "om": "2026-11-22T23:30:00Z", "watcher": "x", "place": "hier", "aantal": "2", "file_name": "a"}


def _accepted(**changes: str | None) -> list[dict[str, object]]:
    row = pl.DataFrame([_ROW | changes], schema=dict.fromkeys(_ROW, pl.String)).with_columns(
        pl.lit(2, pl.Int64).alias(LINE)
    )
    return split(row, _TABLE, _CITY).accepted.to_dicts()


def test_the_door_lets_in_what_the_fields_name_each_once() -> None:
    received = _TABLE.received
    assert received.columns == ("vogel", "om", "watcher", "place", "aantal", "file_name")
    assert received.required == ("vogel", "om")
    assert received.pseudonyms == {"watcher": "watcher"}
    assert received.added == ("file_name",)
    assert (received.meaning_nl, received.spelling("om")) == ({"vogel": "welke vogel"}, "Om")


def test_a_row_is_read_as_its_fields_say_and_lands_in_the_order_asked_for() -> None:
    [row] = _accepted()
    assert list(row) == [*_TABLE.landed, LINE]
    assert (row["bird"], row["mirrored"], row["birds"], row["is_near"]) == ("MUS", "suM", 4, True)
    # an hour past midnight in Kortrijk
    assert row["seen_date"] == date(2026, 11, 23)


def test_what_cannot_be_read_is_refused_in_the_name_that_came_in() -> None:
    row = pl.DataFrame([_ROW | {"aantal": "veel"}]).with_columns(pl.lit(2, pl.Int64).alias(LINE))
    assert split(row, _TABLE, _CITY).quarantined["reasons"].to_list() == [["aantal: cannot be read"]]


def test_a_column_that_only_passes_the_door_is_not_landed() -> None:
    assert {"watcher", "place"} & set(_TABLE.schema) == set()
    assert [column.name for column in _TABLE.columns if not column.staged] == ["file_name"]


@pytest.mark.parametrize("name", _EVERY)
def test_what_a_table_receives_and_lands_follows_from_its_fields(name: str) -> None:
    table = _EVERY[name]
    assert table.received == received_of(table.fields)
    assert table.columns == columns_of(table.fields, table.landed)
    assert all(isinstance(column, Field) for column in table.columns)


@pytest.mark.parametrize("name", _EVERY)
def test_a_supplier_s_column_is_explained_by_one_field(name: str) -> None:
    explained = [each.wire for each in _EVERY[name].fields if each.nl]
    assert len(explained) == len(set(explained))
    assert set(explained) <= set(_EVERY[name].received.columns)
