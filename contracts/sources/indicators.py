"""Indicators: a file any department can fill, or the city's statistics site, for the figures without a feed.

A value may be corrected later: both stay, and the one published last counts. Who entered and who checked a value is
only compared: what is kept is whether they were two people.
"""

from datetime import timedelta

import polars as pl

from contracts.cities.profile import City
from contracts.reading import boolean, dated, instant, kept_day, kept_number, text
from contracts.vocabulary import (
    UTC_INSTANT,
    Column,
    Every,
    OnArrival,
    Received,
    Refused,
    RowRule,
    Sensitivity,
    SourceContract,
    TableContract,
)

_BOUNDS = ("uncertainty", "uncertainty_low", "uncertainty_high")
_MINUTES = ("%Y-%m-%d %H:%M", "%d/%m/%Y %H:%M", "%d-%m-%Y %H:%M", "%Y-%m-%d %H:%M:%S")
_FROM_THE_REGISTRY = ("registered", "registry_unit", "needs_check")


def _moment(column: str, time_zone: str) -> pl.Expr:
    """An instant; a time without a zone is the city's, a bare date the midnight on which it begins."""
    written = [dated(column).str.to_datetime(form, time_unit="us", strict=False) for form in _MINUTES]
    wall_clock = pl.coalesce(*written, kept_day(column).cast(pl.Datetime("us")))
    local = wall_clock.dt.replace_time_zone(time_zone, ambiguous="latest", non_existent="null")
    return pl.coalesce(instant(column, time_zone), local.dt.convert_time_zone("UTC")).cast(UTC_INSTANT)


def _parse(rows: pl.DataFrame, city: City) -> pl.DataFrame:
    read = rows.select(
        text("kpi_id"),
        text("area").str.to_uppercase().alias("area_id"),
        kept_day("ref_date"),
        kept_number("value", _BOUNDS),
        text("unit"),
        text("source").alias("source_name"),
        kept_day("published_at").alias("published_date"),
        *(kept_number(bound, ("value", *_BOUNDS)) for bound in _BOUNDS),
        text("entered_by_role").ne_missing(text("checked_by_role")).alias("are_two"),
        (text("entered_by_role").is_not_null() & text("checked_by_role").is_not_null()).alias("are_named"),
        _moment("embargo_until", city.time_zone).alias("embargo_until_at"),
        boolean("registered").alias("is_registered"),
        text("registry_unit"),
        boolean("needs_check").alias("needs_check"),
    )
    half = pl.col("uncertainty")
    return read.with_columns(
        pl.coalesce("uncertainty_low", pl.col("value") - half).alias("uncertainty_low"),
        pl.coalesce("uncertainty_high", pl.col("value") + half).alias("uncertainty_high"),
        (pl.col("are_named") & pl.col("are_two")).alias("is_checked"),
    )


# a figure that is refused leaves the one before it standing, and its day shows
_STANDS = Refused("one figure, of which the one before it stands")

OBSERVATIONS = TableContract(
    name="observations",
    description="One value of one indicator for one area on one reference date; milestones are 0 or 1.",
    description_nl="Eén waarde van één indicator, voor één gebied op één datum. Een mijlpaal is 0 of 1.",
    received=Received(
        columns=(
            "kpi_id",
            "area",
            "ref_date",
            "value",
            "unit",
            "source",
            "published_at",
            "uncertainty",
            "uncertainty_low",
            "uncertainty_high",
            "entered_by_role",
            "checked_by_role",
            "embargo_until",
            *_FROM_THE_REGISTRY,
        ),
        required=("kpi_id", "area", "ref_date", "value", "unit"),
        # only whether they differ is used, but a role of one person is that person
        pseudonyms={"entered_by_role": "entry", "checked_by_role": "entry"},
        meaning_nl={
            "kpi_id": "code van de indicator in het register, bijvoorbeeld trees_extra",
            "area": "NIS-code van de gemeente of de statistische sector, bijvoorbeeld 34022 of 34022A00-",
            "ref_date": "datum waarover de waarde spreekt; voor een jaarcijfer 31 december",
            "value": "de waarde, in de eenheid; met een komma of een punt, zonder duizendtallen",
            "unit": "eenheid, zoals het register ze schrijft",
            "source": "wie het mat of berekende; geen namen van personen",
            "published_at": "datum waarop het cijfer gepubliceerd werd; een latere datum verbetert een vroeger cijfer",
            "uncertainty": "halve breedte van het interval van 80 %, in de eenheid",
            "uncertainty_low": "ondergrens van het interval van 80 %, in de eenheid; samen met de bovengrens",
            "uncertainty_high": "bovengrens van het interval van 80 %, in de eenheid; samen met de ondergrens",
            "entered_by_role": "functie van wie het invulde; enkel om te zien of een ander het nakeek",
            "checked_by_role": "functie van wie het nakeek; verplicht waar het register een tweede persoon vraagt",
            "embargo_until": "tot wanneer het cijfer niet getoond mag worden (datum, of datum en uur)",
            "registered": "of de indicator in het register staat; komt uit het register",
            "registry_unit": "eenheid in het register; komt uit het register",
            "needs_check": "of een tweede persoon moet nakijken; komt uit het register",
        },
        added=_FROM_THE_REGISTRY,
    ),
    parse=_parse,
    columns=(
        Column("kpi_id", pl.String, "identifier of the indicator in the registry", pattern=r"^[a-z][a-z0-9_]{2,79}$"),
        Column(
            "area_id",
            pl.String,
            "municipality or statistical sector (NIS code)",
            pattern=r"^\d{4,7}[A-Z0-9_-]*$",
            reads="area",
        ),
        Column("ref_date", pl.Date, "city date the value speaks of"),
        Column("value", pl.Float64, "the value, in `unit`"),
        Column("unit", pl.String, "unit, as the registry writes it"),
        Column("source_name", pl.String, "who measured it", nullable=True, reads="source"),
        Column("published_date", pl.Date, "city date it was published", nullable=True, reads="published_at"),
        Column("uncertainty", pl.Float64, "half width of the 80 % interval, in `unit`", nullable=True, minimum=0),
        Column("uncertainty_low", pl.Float64, "lower end of the 80 % interval, in `unit`", nullable=True),
        Column("uncertainty_high", pl.Float64, "upper end of the 80 % interval, in `unit`", nullable=True),
        Column("is_checked", pl.Boolean, "whether two people entered and checked it"),
        Column(
            "embargo_until_at",
            UTC_INSTANT,
            "until when it may not be shown",
            nullable=True,
            reads="embargo_until",
        ),
    ),
    key=("kpi_id", "area_id", "ref_date"),
    version=("published_date",),
    event_date="ref_date",
    event_order=("ref_date", "kpi_id", "area_id"),
    refused=_STANDS,
    past=("published_date",),
    refuses_contradictions=True,
    rules=(
        RowRule(
            "published_after_ref_date",
            "published_at",
            "lies before ref_date",
            pl.col("published_date") >= pl.col("ref_date"),
            reason_nl="ligt vóór ref_date. Een cijfer komt na de dag waarover het spreekt; kijk beide datums na.",
            refused=_STANDS,
        ),
        RowRule(
            "kpi_is_registered",
            "kpi_id",
            "is not in the registry of indicators",
            pl.col("is_registered"),
            reason_nl="deze indicator staat niet in het register. Kijk de code na, of vraag het datateam om "
            "hem toe te voegen.",
            refused=_STANDS,
        ),
        RowRule(
            "unit_of_the_registry",
            "unit",
            "is not the unit of the registry",
            pl.col("unit") == pl.col("registry_unit"),
            reason_nl="is niet de eenheid van het register. Reken de waarde om en neem de eenheid uit het "
            "register over.",
            refused=_STANDS,
        ),
        RowRule(
            "checked_by_a_second_person",
            "checked_by_role",
            "the registry asks for two people, one to enter and another to check",
            ~pl.col("needs_check") | pl.col("is_checked"),
            reason_nl="het register vraagt twee personen. Vul in wie het cijfer invulde en wie anders het nakeek.",
            refused=_STANDS,
        ),
        RowRule(
            "both_ends_of_the_interval",
            "uncertainty_low",
            "stands without uncertainty_high, or the other way round",
            pl.col("uncertainty_low").is_null() == pl.col("uncertainty_high").is_null(),
            reason_nl="onder- en bovengrens horen samen. Vul beide in, of geen van beide.",
            refused=_STANDS,
        ),
        RowRule(
            "value_within_the_interval",
            "value",
            "lies outside uncertainty_low and uncertainty_high",
            pl.col("value").is_between(pl.col("uncertainty_low"), pl.col("uncertainty_high")),
            reason_nl="ligt niet tussen uncertainty_low en uncertainty_high. Kijk de drie getallen na.",
            refused=_STANDS,
        ),
    ),
)

CONTRACT = SourceContract(
    name="indicators",
    title_nl="Indicatoren van de afdelingen",
    owner="data@kortrijk.example",
    version=3,
    triggers=(OnArrival((".csv", ".xlsx")), Every("30 5 * * 1")),
    fresh_within=timedelta(days=400),
    retention=timedelta(days=365 * 20),
    # filled by hand: a name may stand in a column nobody asked for, or in the properties of the workbook
    sensitivity=Sensitivity.PERSONAL,
    tables=(OBSERVATIONS,),
    delivery_nl=(
        "Elke afdeling mag op elk moment een CSV-bestand of werkboek leveren, onder een naam naar keuze. "
        "Een cijfer verbeteren doet u door dezelfde regel opnieuw te leveren met een latere published_at; "
        "het oude cijfer blijft bewaard. "
        "Cijfers die al op de Swing-site van de stad staan, haalt de keten daar elke week zelf op."
    ),
    has_template=True,
)
