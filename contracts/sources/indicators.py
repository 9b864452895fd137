"""Indicators: a file any department can fill, for the 76 of the note's 109 figures without a feed."""

from datetime import timedelta

import polars as pl

from contracts.cities.profile import City
from contracts.reading import day, number, text
from contracts.vocabulary import (
    Column,
    OnArrival,
    Received,
    RowRule,
    Sensitivity,
    SourceContract,
    TableContract,
)


def _parse(rows: pl.DataFrame, _: City) -> pl.DataFrame:
    return rows.select(
        text("kpi_id"),
        text("area").alias("area_id"),
        day("ref_date").alias("ref_date"),
        number("value").alias("value"),
        text("unit"),
        text("source").alias("source_name"),
        day("published_at").alias("published_date"),
        number("uncertainty").alias("uncertainty"),
    )


OBSERVATIONS = TableContract(
    name="observations",
    description="One value of one indicator for one area on one reference date; milestones are 0 or 1.",
    received=Received(
        columns=("kpi_id", "area", "ref_date", "value", "unit", "source", "published_at", "uncertainty"),
        required=("kpi_id", "area", "ref_date", "value", "unit"),
        free_text=("source",),
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
    ),
    key=("kpi_id", "area_id", "ref_date"),
    version=("published_date",),
    event_date="ref_date",
    event_order=("ref_date", "kpi_id", "area_id"),
    rules=(
        RowRule(
            "published_after_ref_date",
            "published_at: lies before ref_date",
            pl.col("published_date") >= pl.col("ref_date"),
        ),
    ),
)

CONTRACT = SourceContract(
    name="indicators",
    title_nl="Indicatoren van de afdelingen",
    owner="data@kortrijk.example",
    version=1,
    triggers=(OnArrival((".csv", ".xlsx")),),
    fresh_within=timedelta(days=400),
    retention=timedelta(days=365 * 20),
    # filled by hand: a name may stand in a column nobody asked for, or in the properties of the workbook
    sensitivity=Sensitivity.PERSONAL,
    tables=(OBSERVATIONS,),
)
