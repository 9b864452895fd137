"""Charge points as operators publish them: OCPI 2.2.1 and 2.3.0, module Locations.

An EVSE serves one vehicle at a time and its connectors are alternatives (OCPI 2.2.1, 8.3.2): stock is
counted in EVSEs and power is the largest of its connectors, so three tables land.
"""

from datetime import timedelta

import polars as pl

from contracts.cities.profile import City
from contracts.reading import boolean, instant, local_date, number, text, whole_number
from contracts.vocabulary import (
    UTC_INSTANT,
    Column,
    Delivers,
    Every,
    Received,
    Sensitivity,
    SourceContract,
    TableContract,
)

_STATUSES = (
    "AVAILABLE",
    "BLOCKED",
    "CHARGING",
    "INOPERATIVE",
    "OUTOFORDER",
    "PLANNED",
    "REMOVED",
    "RESERVED",
    "UNKNOWN",
)
_POWER_TYPES = ("AC_1_PHASE", "AC_2_PHASE", "AC_2_PHASE_SPLIT", "AC_3_PHASE", "DC")
_LOCATION_KEY = ("country_code", "party_id", "location_id")

_WHOSE = (
    Column("country_code", pl.String, "ISO 3166 alpha-2 code of the operator's party", pattern=r"^[A-Z]{2}$"),
    Column("party_id", pl.String, "the operator's party", pattern=r"^[A-Z0-9]{3}$"),
    Column("location_id", pl.String, "the operator's identifier of the location"),
)
_EVSE_UID = Column("evse_uid", pl.String, "the operator's identifier of the EVSE within the location")
_LAST_UPDATED = Column(
    "last_updated_at", UTC_INSTANT, "when the operator last changed the object", reads="last_updated"
)
_LAST_UPDATED_DATE = Column("last_updated_date", pl.Date, "city date of that change")


def _whose() -> list[pl.Expr]:
    return [text("country_code").str.to_uppercase(), text("party_id").str.to_uppercase(), text("location_id")]


def _with_date(frame: pl.DataFrame, city: City) -> pl.DataFrame:
    return frame.with_columns(local_date("last_updated_at", city.time_zone).alias("last_updated_date"))


def _parse_locations(rows: pl.DataFrame, city: City) -> pl.DataFrame:
    frame = rows.select(
        *_whose(),
        # absent is true; what is there and cannot be read is not
        pl.when(text("publish").is_not_null())
        .then(boolean("publish"))
        .otherwise(pl.lit(value=True))
        .alias("is_published"),
        number("latitude").alias("latitude"),
        number("longitude").alias("longitude"),
        text("parking_type"),
        text("operator_name"),
        boolean("twentyfourseven").alias("is_open_24_7"),
        instant("last_updated").alias("last_updated_at"),
    )
    return _with_date(frame, city)


def _parse_evses(rows: pl.DataFrame, city: City) -> pl.DataFrame:
    frame = rows.select(
        *_whose(),
        text("evse_uid"),
        text("evse_id"),
        text("status").str.to_uppercase(),
        instant("last_updated").alias("last_updated_at"),
    )
    return _with_date(frame, city)


def _parse_connectors(rows: pl.DataFrame, city: City) -> pl.DataFrame:
    frame = rows.select(
        *_whose(),
        text("evse_uid"),
        text("connector_id"),
        text("standard"),
        text("power_type").str.to_uppercase(),
        whole_number("max_voltage").alias("max_voltage_v"),
        whole_number("max_amperage").alias("max_amperage_a"),
        whole_number("max_electric_power").alias("max_electric_power_w"),
        instant("last_updated").alias("last_updated_at"),
    )
    return _with_date(frame, city)


LOCATIONS = TableContract(
    name="locations",
    description="One place with charge points, as its operator publishes it.",
    received=Received(
        columns=(
            *_LOCATION_KEY,
            "publish",
            "latitude",
            "longitude",
            "parking_type",
            "operator_name",
            "twentyfourseven",
            "last_updated",
        ),
        free_text=("operator_name", "parking_type"),
        required=(*_LOCATION_KEY, "last_updated"),
    ),
    parse=_parse_locations,
    columns=(
        *_WHOSE,
        Column("is_published", pl.Boolean, "may be shown to the public; true when absent", reads="publish"),
        Column("latitude", pl.Float64, "degrees north, WGS 84", minimum=-90, maximum=90),
        Column("longitude", pl.Float64, "degrees east, WGS 84", minimum=-180, maximum=180),
        Column("parking_type", pl.String, "open OCPI enumeration: kept as it comes", nullable=True),
        Column("operator_name", pl.String, "name of the operator", nullable=True),
        Column(
            "is_open_24_7",
            pl.Boolean,
            "open all hours; null when the operator does not say",
            nullable=True,
            reads="twentyfourseven",
        ),
        _LAST_UPDATED,
        _LAST_UPDATED_DATE,
    ),
    key=_LOCATION_KEY,
    version=("last_updated_at",),
    event_date="last_updated_date",
    event_order=("last_updated_at", *_LOCATION_KEY),
    delivers=Delivers.SNAPSHOT,
)

EVSES = TableContract(
    name="evses",
    description="One EVSE: a point that charges one vehicle at a time.",
    received=Received(
        columns=(*_LOCATION_KEY, "evse_uid", "evse_id", "status", "last_updated"),
        required=(*_LOCATION_KEY, "evse_uid", "status", "last_updated"),
    ),
    parse=_parse_evses,
    columns=(
        *_WHOSE,
        _EVSE_UID,
        Column("evse_id", pl.String, "eMI3 identifier, as sent", nullable=True),
        Column("status", pl.String, "closed OCPI enumeration", allowed=_STATUSES),
        _LAST_UPDATED,
        _LAST_UPDATED_DATE,
    ),
    key=(*_LOCATION_KEY, "evse_uid"),
    version=("last_updated_at",),
    event_date="last_updated_date",
    event_order=("last_updated_at", *_LOCATION_KEY, "evse_uid"),
    delivers=Delivers.SNAPSHOT,
)

CONNECTORS = TableContract(
    name="connectors",
    description="One socket or cable of an EVSE; the connectors of one EVSE are alternatives.",
    received=Received(
        columns=(
            *_LOCATION_KEY,
            "evse_uid",
            "connector_id",
            "standard",
            "power_type",
            "max_voltage",
            "max_amperage",
            "max_electric_power",
            "last_updated",
        ),
        required=(*_LOCATION_KEY, "evse_uid", "connector_id", "power_type"),
    ),
    parse=_parse_connectors,
    columns=(
        *_WHOSE,
        _EVSE_UID,
        Column("connector_id", pl.String, "identifier within the EVSE"),
        Column("standard", pl.String, "open OCPI enumeration: kept as it comes", nullable=True),
        Column("power_type", pl.String, "closed OCPI enumeration", allowed=_POWER_TYPES),
        Column(
            "max_voltage_v",
            pl.Int64,
            "volt; line to neutral per the specification",
            minimum=1,
            maximum=2000,
            reads="max_voltage",
        ),
        Column("max_amperage_a", pl.Int64, "ampere", minimum=1, maximum=4000, reads="max_amperage"),
        Column(
            "max_electric_power_w",
            pl.Int64,
            "watt, where declared",
            nullable=True,
            minimum=1000,
            maximum=1_500_000,
            reads="max_electric_power",
        ),
        _LAST_UPDATED,
        _LAST_UPDATED_DATE,
    ),
    key=(*_LOCATION_KEY, "evse_uid", "connector_id"),
    version=("last_updated_at",),
    event_date="last_updated_date",
    event_order=("last_updated_at", *_LOCATION_KEY, "evse_uid", "connector_id"),
    delivers=Delivers.SNAPSHOT,
)

CONTRACT = SourceContract(
    name="charge_points",
    title_nl="Laadpunten",
    owner="mobiliteit@kortrijk.example",
    version=1,
    triggers=(Every("15 */4 * * *"),),
    fresh_within=timedelta(days=1),
    retention=timedelta(days=365 * 10),
    sensitivity=Sensitivity.PERSONAL,
    tables=(LOCATIONS, EVSES, CONNECTORS),
)
