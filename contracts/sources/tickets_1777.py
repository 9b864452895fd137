"""Citizen questions to 1777, over Open311 GeoReport v2.

The reply to a citizen is not in GeoReport: the moment a request closes stands in for it, and the KPI
says so. No description, name, address, picture or coordinate passes the door.
"""

from datetime import timedelta

import polars as pl

from contracts.cities.profile import City
from contracts.reading import instant, local_date, text
from contracts.vocabulary import (
    UTC_INSTANT,
    Column,
    Every,
    Received,
    RowRule,
    Sensitivity,
    SourceContract,
    TableContract,
)


def _parse(rows: pl.DataFrame, city: City) -> pl.DataFrame:
    return rows.select(
        text("service_request_id"),
        text("status").str.to_lowercase(),
        text("service_code"),
        text("service_name"),
        text("agency_responsible"),
        text("zipcode"),
        instant("requested_datetime", city.time_zone).alias("requested_at"),
        instant("updated_datetime", city.time_zone).alias("updated_at"),
        instant("expected_datetime", city.time_zone).alias("expected_at"),
    ).with_columns(local_date("requested_at", city.time_zone).alias("requested_date"))


REQUESTS = TableContract(
    name="requests",
    description="One question or report of a citizen.",
    received=Received(
        columns=(
            "service_request_id",
            "status",
            "service_code",
            "service_name",
            "agency_responsible",
            "zipcode",
            "requested_datetime",
            "updated_datetime",
            "expected_datetime",
        ),
        required=("service_request_id", "status", "requested_datetime"),
        free_text=("service_code", "service_name", "agency_responsible", "zipcode"),
    ),
    parse=_parse,
    columns=(
        Column("service_request_id", pl.String, "the ticket system's identifier", pattern=r"^\S{1,64}$"),
        Column("status", pl.String, "open or closed (GeoReport v2)", allowed=("open", "closed")),
        Column("service_code", pl.String, "code of the theme", nullable=True),
        Column("service_name", pl.String, "name of the theme", nullable=True),
        Column("agency_responsible", pl.String, "service that must answer, in the system's words", nullable=True),
        Column("zipcode", pl.String, "postal code of the report", nullable=True),
        Column("requested_at", UTC_INSTANT, "when the citizen asked", reads="requested_datetime"),
        Column(
            "updated_at",
            UTC_INSTANT,
            "last change; the closing moment once closed",
            nullable=True,
            reads="updated_datetime",
        ),
        Column("expected_at", UTC_INSTANT, "when the city expects to answer", nullable=True, reads="expected_datetime"),
        Column("requested_date", pl.Date, "city date of the question"),
    ),
    key=("service_request_id",),
    version=("updated_at",),
    event_date="requested_date",
    event_order=("requested_at", "service_request_id"),
    rules=(
        RowRule(
            "updated_after_requested",
            "updated_datetime: lies before requested_datetime",
            pl.col("updated_at") >= pl.col("requested_at"),
        ),
        RowRule(
            "closed_says_when",
            "updated_datetime: a closed request must say when it closed",
            (pl.col("status") != "closed") | pl.col("updated_at").is_not_null(),
        ),
    ),
)

CONTRACT = SourceContract(
    name="tickets_1777",
    title_nl="Meldingen 1777",
    owner="1777@kortrijk.example",
    version=1,
    triggers=(Every("20 * * * *"),),
    fresh_within=timedelta(days=1),
    retention=timedelta(days=365 * 5),
    sensitivity=Sensitivity.PERSONAL,
    tables=(REQUESTS,),
)
