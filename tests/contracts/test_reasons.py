"""Every reason has its Dutch: which column, what is wrong, what to do."""

from datetime import UTC, datetime

import polars as pl
import pytest

from contracts import gate
from contracts.cities.profile import City
from contracts.reading import boolean, day, instant, number, text, whole_number
from contracts.reasons import possible, wire_name
from contracts.registry import all_contracts, city_named
from contracts.vocabulary import EVENLY, UTC_INSTANT, Column, Received, RowRule, TableContract

_CITY = city_named("kortrijk")
_TABLES = {f"{contract.name}.{table.name}": table for contract in all_contracts().values() for table in contract.tables}
_GOOD = {"id": "a1", "soort": "groot", "maat": "50,5", "aantal": "3", "dag": "2026-11-20", "om": "", "open": "ja"}


def _parse(rows: pl.DataFrame, _: City) -> pl.DataFrame:
    return rows.select(
        text("id"),
        text("soort").alias("kind"),
        number("maat").alias("size_m"),
        whole_number("aantal").alias("count"),
        day("dag").alias("event_date"),
        instant("om").alias("event_at"),
        boolean("open").alias("is_open"),
        text("soort").replace({"groot": "G"}).alias("letter"),
    )


_TABLE = TableContract(
    name="things",
    description="Things to try the words on.",
    received=Received(
        columns=tuple(_GOOD), required=("id",), meaning_nl={"id": "een kleine letter en cijfers, bijvoorbeeld a1."}
    ),
    parse=_parse,
    columns=(
        Column("id", pl.String, "identifier", pattern=r"^[a-z]\d*$"),
        Column("kind", pl.String, "kind", allowed=("groot", "klein"), reads="soort"),
        Column("size_m", pl.Float64, "size", nullable=True, minimum=0.5, maximum=100, reads="maat"),
        Column("count", pl.Int64, "count", nullable=True, reads="aantal"),
        Column("event_date", pl.Date, "day", nullable=True, reads="dag"),
        Column("event_at", UTC_INSTANT, "moment", nullable=True, reads="om"),
        Column("is_open", pl.Boolean, "open", nullable=True, reads="open"),
        Column("letter", pl.String, "derived", pattern="^[A-Z]$"),
    ),
    key=("id",),
    version=("count",),
    event_date="event_date",
    event_order=("id",),
    rules=(
        RowRule(
            "big_is_big",
            "maat",
            "is too small to be big",
            (pl.col("kind") != "groot") | (pl.col("size_m") > 10),
            reason_nl="is te klein voor iets groots. Kijk soort en maat na.",
            refused=EVENLY,
        ),
    ),
)


def _said(**changes: str | None) -> list[str]:
    row = pl.DataFrame([_GOOD | changes], schema=dict.fromkeys(_GOOD, pl.String)).with_columns(line=pl.lit(2, pl.Int64))
    found = gate.split(row, _TABLE, _CITY, datetime(2026, 11, 23, tzinfo=UTC))
    return [] if found.quarantined.is_empty() else found.quarantined["reasons_nl"][0].to_list()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"id": None}, "id: is leeg. Vul een waarde in."),
        ({"id": "A1"}, "id: heeft niet de juiste vorm. Hier hoort: een kleine letter en cijfers, bijvoorbeeld a1."),
        ({"soort": "reus"}, "soort: deze waarde kennen we niet. Kies uit: groot, klein."),
        ({"soort": "reus"}, "letter: heeft niet de juiste vorm. Volg dit patroon: ^[A-Z]$."),
        ({"soort": ""}, "letter: volgt niet uit deze rij. Kijk na of ze volledig en juist is."),
        ({"maat": "0,1"}, "maat: is kleiner dan 0,5. Kijk de waarde en de eenheid na."),
        ({"maat": "101"}, "maat: is groter dan 100. Kijk de waarde en de eenheid na."),
        (
            {"maat": "1.000,5"},
            "maat: hier hoort een getal. Schrijf bijvoorbeeld 1234,5, zonder punt tussen de duizendtallen.",
        ),
        ({"maat": "10"}, "maat: is te klein voor iets groots. Kijk soort en maat na."),
        ({"aantal": "1,5"}, "aantal: hier hoort een geheel getal. Schrijf bijvoorbeeld 12."),
        ({"dag": "gisteren"}, "dag: hier hoort een datum. Schrijf jaar-maand-dag, bijvoorbeeld 2026-11-23."),
        ({"dag": "2026-11-24"}, "dag: ligt na de dag van levering, 2026-11-23. Kijk de datum na."),
        ({"om": "half drie"}, "om: hier hoort een tijdstip. Schrijf bijvoorbeeld 2026-11-23T14:30:00Z."),
        ({"open": "soms"}, "open: hier hoort ja of nee."),
    ],
)
def test_a_refused_row_says_in_dutch_which_column_what_and_what_to_do(
    changes: dict[str, str | None], says: str
) -> None:
    assert says in _said(**changes)


def test_a_good_row_is_told_nothing() -> None:
    assert _said() == []


def test_both_languages_say_the_same_things_in_the_same_order() -> None:
    bad = {"id": "A1", "soort": "reus", "maat": "x", "aantal": "y", "dag": "2099-01-01", "om": "z", "open": "soms"}
    row = pl.DataFrame([bad]).with_columns(line=pl.lit(2, pl.Int64))
    (found,) = gate.split(row, _TABLE, _CITY, datetime(2026, 11, 23, tzinfo=UTC)).quarantined.to_dicts()
    late = "dag: ligt na de dag van levering, 2026-11-23. Kijk de datum na."
    to_come = {"dag: lies after the day of delivery, 2026-11-23": late}
    words = dict(reason.said(_TABLE) for reason in possible(_TABLE)) | to_come
    assert len(found["reasons"]) >= 7
    assert found["reasons_nl"] == [words[reason] for reason in found["reasons"]]
    columns = [column for column in found["reason_columns"] if column]
    assert columns == [reason.partition(": ")[0] for reason in found["reasons"]]
    assert len(found["reason_codes"]) == len(found["reasons"])


def test_a_column_is_named_as_its_supplier_names_it() -> None:
    assert wire_name(_TABLE, "size_m") == "maat"
    assert wire_name(_TABLE, "letter") == "letter"


@pytest.mark.parametrize("name", _TABLES)
def test_every_rule_of_every_contract_says_its_reason_in_dutch(name: str) -> None:
    silent = [rule.name for rule in _TABLES[name].rules if not rule.reason_nl.strip()]
    assert not silent, f"{name}: fill in reason_nl (Dutch, what is wrong and what to do)"


@pytest.mark.parametrize("name", _TABLES)
def test_no_reason_of_any_contract_is_left_in_english(name: str) -> None:
    words = [reason.said(_TABLES[name]) for reason in possible(_TABLES[name])]
    assert words
    assert not [english for english, dutch in words if english == dutch]


@pytest.mark.parametrize("name", [name for name in _TABLES if all_contracts()[name.split(".")[0]].endings])
def test_a_supplier_of_files_reads_in_dutch_what_each_column_holds(name: str) -> None:
    table = _TABLES[name]
    assert table.description_nl
    silent = [column for column in table.received.columns if not table.received.meaning_nl.get(column)]
    assert not silent, f"{name}: say in meaning_nl what these hold"
    assert set(table.received.meaning_nl) <= set(table.received.columns)


@pytest.mark.parametrize("name", [name for name, contract in all_contracts().items() if contract.endings])
def test_a_supplier_of_files_reads_in_dutch_how_to_deliver(name: str) -> None:
    assert all_contracts()[name].delivery_nl
