"""Of words that a stranger chose those that we know are kept, and of the others a tag."""

import re
from datetime import UTC, datetime
from itertools import product

import polars as pl
import pytest
from pydantic import SecretStr

from contracts.gate import split
from contracts.registry import all_contracts, city_named
from contracts.vocabulary import LINE, TableContract
from ingestion.delivery import Delivery
from ingestion.door import KeyRing, admit, name_to_show, readmit
from ingestion.known_words import without_strange_words

RING = KeyRing((SecretStr("sleutel"),))
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LISTED = [
    (contract.name, table.name, wire)
    for contract in all_contracts().values()
    for table in contract.tables
    for wire in table.listed
]


@pytest.mark.parametrize(
    "name",
    [
        "renovatie_2026-W47_leiedal_Jan_Peeters.csv",
        "Jan Peeters.xlsx",
        "verbruik van Peeters-Janssens (2).csv",
        "indicatoren_JAN.PEETERS_2026-11.csv",
        "D'Hondt Peeters kopie.csv",
        "Peeters2026Jan.csv",
        "Andr\u0065\u0301 Peeters.csv",
        "пётр peeters.csv",
    ],
)
def test_no_name_of_a_person_is_left_in_the_name_of_a_file(name: str) -> None:
    told = name_to_show(name)
    assert not re.search(r"peeters|jan\b|hondt|andr|пётр", told, re.IGNORECASE), told
    assert re.sub(r"\D", "", told) == re.sub(r"\D", "", name), "the figures, which tell the week, are kept"
    assert told.endswith(name[-4:])
    assert name_to_show(told) == told


@pytest.mark.parametrize(
    "name", ["renovatie_2026-W47_leiedal_volledig.csv", "Verbruikshistoriek_elektriciteit_54100.csv", "a (1).csv"]
)
def test_a_name_of_known_words_stays_as_it_is(name: str) -> None:
    assert name_to_show(name) == name


def test_the_same_words_get_the_same_tag_and_others_another() -> None:
    same = {without_strange_words(f"{name}.csv") for name in ("Jan Peeters", "jan_peeters", "JAN-PEETERS")}
    assert len({re.search(r"~\w{4}", told)[0] for told in same}) == 1  # type: ignore[index]
    assert without_strange_words("Jan Peters.csv") not in same


def test_the_files_of_one_sender_differ_in_their_figures_alone() -> None:
    weeks = [re.sub(r"\d+", "*", name_to_show(f"lijst_Peeters_2026-{month}.csv")) for month in ("10", "11")]
    assert weeks[0] == weeks[1]


def _table(source: str, name: str) -> TableContract:
    return all_contracts()[source].table(name)


def _written(table: TableContract, wire: str) -> list[str]:
    """What may stand in a column of a list: its words, and those of strangers alone, beside them and in them."""
    words = [word for each in table.listed[wire] for word in each.listed]
    strange = ["Jan Peeters", "PEETERS", "Peeters2", "=Peeters", "#VERW!", "~Jan", "x@Peeters"]
    beside = [f"{word}{between}Peeters" for word, between in product(words, ("_", ""))]
    return [*words, *map(str.upper, words), *map(str.title, words), *strange, *beside, ""]


def _frame(table: TableContract, wire: str, cells: list[str]) -> pl.DataFrame:
    return (
        table.received.no_rows()
        .clear(len(cells))
        .with_columns(pl.Series(wire, cells), pl.Series(LINE, range(1, len(cells) + 1), dtype=pl.Int64))
    )


def _read(table: TableContract, rows: pl.DataFrame) -> pl.DataFrame:
    """What is read of rows, but for what is no value of its column."""
    limited = [column for column in table.columns if column.allowed]
    return table.parse(rows, city_named("kortrijk")).with_columns(
        pl.when(pl.col(column.name).is_in(column.allowed)).then(column.name).alias(column.name) for column in limited
    )


@pytest.mark.parametrize(("source", "name", "wire"), LISTED)
def test_no_word_but_its_own_is_kept_of_a_listed_column_and_the_gate_says_the_same(
    source: str, name: str, wire: str
) -> None:
    table, city = _table(source, name), city_named("kortrijk")
    sent = _frame(table, wire, _written(table, wire))
    admitted = admit(Delivery("x", {name: sent}, NOON), all_contracts()[source], RING)
    kept = admitted.tables[name]
    assert not kept[wire].str.contains("(?i)peeters|jan").any()
    assert admitted.strange
    assert _read(table, kept).equals(_read(table, sent))
    assert (
        split(kept, table, city)
        .quarantined["reason_codes"]
        .equals(split(sent, table, city).quarantined["reason_codes"])
    )
    own = len(table.listed[wire][0].listed)
    assert kept[wire].head(own).equals(sent[wire].head(own)), "a word of the list stays as it was written"


def test_who_wrote_a_word_sees_it_at_a_check() -> None:
    table = _table("renovation_coach", "dossiers")
    sent = _frame(table, "fase", ["Jan Peeters"]).with_columns(pl.lit("x").alias("Annelies"))
    contract = all_contracts()["renovation_coach"]
    shown = admit(Delivery("x", {"dossiers": sent}, NOON), contract, RING, is_for_its_sender=True)
    assert shown.tables["dossiers"]["fase"].to_list() == ["Jan Peeters"]
    assert shown.dropped_columns == {"dossiers": ("Annelies",)}


def test_a_word_that_the_list_learns_later_is_known_again_at_a_replay() -> None:
    table = _table("renovation_coach", "dossiers")
    contract = all_contracts()["renovation_coach"]
    # as an older contract left it, to which this word was strange
    tag = "~" + RING.word("stopgezet")[:12].translate(str.maketrans("0123456789abcdef", "bcdfghjklmnpqrst"))
    kept = admit(Delivery("x", {"dossiers": _frame(table, "fase", [tag])}, NOON), contract, RING)
    assert readmit(kept, contract, RING).tables["dossiers"]["fase"].to_list() == ["stopgezet"]
