"""The renovation coaches' weekly log: a contract of our own, that an energy house can deliver to.

A file holds the dossiers that changed in one ISO week. Names, phones and mail addresses have no column;
the address becomes a keyed pseudonym at the door, so that dossiers of one dwelling still join.
"""

from datetime import timedelta

import polars as pl

from contracts.cities.profile import City
from contracts.reading import day, text
from contracts.vocabulary import (
    Column,
    OnArrival,
    Received,
    RowRule,
    Sensitivity,
    SourceContract,
    TableContract,
)

_PHASES = ("aanmelding", "advies", "studie", "aankoop", "uitvoering", "afgerond", "stopgezet")
_DWELLING_TYPES = ("rijwoning", "halfopen", "open", "appartement", "overige")
_TEAMS = ("kortrijk", "leiedal", "energiehuis")


def _parse(rows: pl.DataFrame, _: City) -> pl.DataFrame:
    return rows.select(
        text("dossier").alias("dossier_id"),
        text("team").str.to_lowercase(),
        text("adres").alias("dwelling_key"),
        text("sector").alias("sector_id"),
        text("woningtype").str.to_lowercase().alias("dwelling_type"),
        day("intake_op").alias("intake_date"),
        text("fase").str.to_lowercase().alias("phase"),
        day("fase_op").alias("phase_date"),
        day("huisbezoek_op").alias("house_visit_date"),
        day("plan_op").alias("plan_delivered_date"),
    )


def _not_before_intake(later: str, wire: str) -> RowRule:
    return RowRule(
        f"{later}_after_intake",
        f"{wire}: lies before intake_op",
        pl.col(later) >= pl.col("intake_date"),
    )


DOSSIERS = TableContract(
    name="dossiers",
    description="One guided dwelling as its dossier stood at the end of the week.",
    received=Received(
        columns=(
            "dossier",
            "team",
            "adres",
            "sector",
            "woningtype",
            "intake_op",
            "fase",
            "fase_op",
            "huisbezoek_op",
            "plan_op",
        ),
        required=("dossier", "team", "adres", "intake_op", "fase", "fase_op"),
        pseudonyms={"adres": "dwelling"},
        free_text=(
            "dossier",
            "team",
            "sector",
            "woningtype",
            "intake_op",
            "fase",
            "fase_op",
            "huisbezoek_op",
            "plan_op",
        ),
    ),
    parse=_parse,
    columns=(
        Column("dossier_id", pl.String, "identifier within the team", pattern=r"^[A-Z0-9-]{1,32}$", reads="dossier"),
        Column("team", pl.String, "who guides", allowed=_TEAMS),
        Column("dwelling_key", pl.String, "keyed pseudonym of the address", reads="adres"),
        Column(
            "sector_id",
            pl.String,
            "statistical sector (NIS9)",
            nullable=True,
            pattern=r"^\d{5}[A-Z0-9-]{3,4}$",
            reads="sector",
        ),
        Column(
            "dwelling_type", pl.String, "type of dwelling", nullable=True, allowed=_DWELLING_TYPES, reads="woningtype"
        ),
        Column("intake_date", pl.Date, "first contact", reads="intake_op"),
        Column("phase", pl.String, "phase of the guidance", allowed=_PHASES, reads="fase"),
        Column("phase_date", pl.Date, "when that phase began", reads="fase_op"),
        Column("house_visit_date", pl.Date, "first visit to the dwelling", nullable=True, reads="huisbezoek_op"),
        Column("plan_delivered_date", pl.Date, "renovation plan handed over", nullable=True, reads="plan_op"),
    ),
    key=("team", "dossier_id"),
    version=("phase_date",),
    event_date="phase_date",
    event_order=("phase_date", "team", "dossier_id"),
    rules=(
        _not_before_intake("house_visit_date", "huisbezoek_op"),
        _not_before_intake("plan_delivered_date", "plan_op"),
        _not_before_intake("phase_date", "fase_op"),
    ),
)

CONTRACT = SourceContract(
    name="renovation_coach",
    title_nl="Renovatiecoaches",
    owner="wonen@kortrijk.example",
    version=1,
    triggers=(OnArrival((".csv", ".xlsx")),),
    fresh_within=timedelta(days=9),
    retention=timedelta(days=365 * 10),
    sensitivity=Sensitivity.PERSONAL,
    tables=(DOSSIERS,),
)
