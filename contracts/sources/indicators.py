"""Indicators: a file any department can fill, or the city's statistics site, for the figures without a feed.

A value may be corrected later: both stay, and the one published last counts. Who entered and who checked a value is
only compared: what is kept is whether they were two people.
"""

from datetime import timedelta
from functools import partial

import polars as pl

from contracts.cities.profile import City
from contracts.reading import boolean, dated, instant, kept_day, kept_number, text, upper
from contracts.vocabulary import (
    UTC_INSTANT,
    Every,
    Field,
    OnArrival,
    Refused,
    RowRule,
    Sensitivity,
    SourceContract,
    TableContract,
)

_BOUNDS = ("uncertainty", "uncertainty_low", "uncertainty_high")
_MINUTES = ("%Y-%m-%d %H:%M", "%d/%m/%Y %H:%M", "%d-%m-%Y %H:%M", "%Y-%m-%d %H:%M:%S")


# a figure that is refused leaves the one before it standing, and its day shows
_STANDS = Refused("one figure, of which the one before it stands")


def _moment(wire: str, city: City) -> pl.Expr:
    """An instant; a time without a zone is the city's, a bare date the midnight on which it begins."""
    written = [dated(wire).str.to_datetime(form, time_unit="us", strict=False) for form in _MINUTES]
    wall_clock = pl.coalesce(*written, kept_day(wire).cast(pl.Datetime("us")))
    local = wall_clock.dt.replace_time_zone(city.time_zone, ambiguous="latest", non_existent="null")
    return pl.coalesce(instant(wire, city.time_zone), local.dt.convert_time_zone("UTC")).cast(UTC_INSTANT)


def _bound(wire: str) -> pl.Expr:
    return kept_number(wire, ("value", *_BOUNDS))


def _end_of(column: str, half: pl.Expr) -> pl.Expr:
    return pl.coalesce(column, pl.col("value") + half)


_HALF = pl.col("uncertainty")
_ENTERED, _CHECKED = pl.col("entered_by_role"), pl.col("checked_by_role")
_ARE_TWO = _ENTERED.is_not_null() & _CHECKED.is_not_null() & _ENTERED.ne_missing(_CHECKED)

_OBSERVATIONS_FIELDS = (
    Field("kpi_id", pl.String, "identifier of the indicator in the registry", pattern=r"^[a-z][a-z0-9_]{2,79}$",
          required=True, nl="code van de indicator in het register, bijvoorbeeld trees_extra"),
    Field("area_id", pl.String, "municipality or statistical sector (NIS code)", pattern=r"^\d{4,7}[A-Z0-9_-]*$",
          reads="area", required=True,
          nl="NIS-code van de gemeente of de statistische sector, bijvoorbeeld 34022 of 34022A00-", read=upper),
    Field("ref_date", pl.Date, "city date the value speaks of", required=True,
          nl="datum waarover de waarde spreekt; voor een jaarcijfer 31 december", read=kept_day),
    Field("value", pl.Float64, "the value, in `unit`", required=True,
          nl="de waarde, in de eenheid; met een komma of een punt, zonder duizendtallen",
          read=partial(kept_number, beside=_BOUNDS)),
    Field("unit", pl.String, "unit, as the registry writes it", required=True,
          nl="eenheid, zoals het register ze schrijft"),
    Field("source_name", pl.String, "who measured it", nullable=True, reads="source",
          nl="wie het mat of berekende; geen namen van personen"),
    Field("published_date", pl.Date, "city date it was published", nullable=True, reads="published_at",
          nl="datum waarop het cijfer gepubliceerd werd; een latere datum verbetert een vroeger cijfer", read=kept_day),
    Field("uncertainty", pl.Float64, "half width of the 80 % interval, in `unit`", nullable=True, minimum=0,
          staged=False, nl="halve breedte van het interval van 80 %, in de eenheid", read=_bound),
    Field("uncertainty_low", pl.Float64, "lower end of the 80 % interval, in `unit`", nullable=True,
          nl="ondergrens van het interval van 80 %, in de eenheid; samen met de bovengrens",
          read=_bound, then=_end_of("uncertainty_low", -_HALF)),
    Field("uncertainty_high", pl.Float64, "upper end of the 80 % interval, in `unit`", nullable=True,
          nl="bovengrens van het interval van 80 %, in de eenheid; samen met de ondergrens",
          read=_bound, then=_end_of("uncertainty_high", _HALF)),
    Field("is_checked", pl.Boolean, "whether two people entered and checked it", arrives=False, then=_ARE_TWO),
    Field("entered_by_role", pl.String, "", lands=False, pseudonym="entry",
          nl="functie van wie het invulde; enkel om te zien of een ander het nakeek", read=text),
    Field("checked_by_role", pl.String, "", lands=False, pseudonym="entry",
          nl="functie van wie het nakeek; verplicht waar het register een tweede persoon vraagt", read=text),
    Field("embargo_until_at", UTC_INSTANT, "until when it may not be shown", nullable=True, reads="embargo_until",
          nl="tot wanneer het cijfer niet getoond mag worden (datum, of datum en uur)", read_in=_moment),
    Field("is_registered", pl.Boolean, "", reads="registered", lands=False, added=True,
          nl="of de indicator in het register staat; komt uit het register", read=boolean),
    Field("registry_unit", pl.String, "", lands=False, added=True, nl="eenheid in het register; komt uit het register",
          read=text),
    Field("needs_check", pl.Boolean, "", lands=False, added=True,
          nl="of een tweede persoon moet nakijken; komt uit het register", read=boolean),
)  # fmt: skip

OBSERVATIONS = TableContract(
    name="observations",
    description="One value of one indicator for one area on one reference date; milestones are 0 or 1.",
    description_nl="Eén waarde van één indicator, voor één gebied op één datum. Een mijlpaal is 0 of 1.",
    fields=_OBSERVATIONS_FIELDS,
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
