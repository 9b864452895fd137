"""Meter readings of the city's own buildings, as Fluvius exports them.

Times in the export are Brussels wall clock without offset. On the October day the repeated hour is
written pairwise per label (02:00, 02:00, 02:15, 02:15, …): the first of a pair is summer time. A row whose
`Tot` is not after its `Van` is summer time for certain. In March the jump shows in `Tot` only.
An empty volume is no measurement, never zero.
"""

from datetime import timedelta

import polars as pl

from contracts.cities.profile import City
from contracts.reading import local_date, number, text
from contracts.vocabulary import (
    LINE,
    UTC_INSTANT,
    Column,
    OnArrival,
    Received,
    RowRule,
    Sensitivity,
    SourceContract,
    TableContract,
)

_DIRECTIONS = {
    "afname": "offtake",
    "offtake": "offtake",
    "injectie": "injection",
    "injection": "injection",
    "productie": "production",
    "production": "production",
}
_REGISTERS = {
    "": "total",
    "actief": "total",
    "active": "total",
    "dag": "day",
    "day": "day",
    "actief dag": "day",
    "nacht": "night",
    "night": "night",
    "actief nacht": "night",
    "reactief": "reactive",
    "capacitief": "capacitive",
    "inductief": "inductive",
}
_QUALITIES = {
    "uitgelezen": "read",
    "read": "read",
    "gevalideerd": "validated",
    "validated": "validated",
    "geschat": "estimated",
    "estimated": "estimated",
    "geen verbruik": "missing",
    "no consumption": "missing",
    "geen gegevens": "missing",
    "no data": "missing",
}
_UNITS = {"kwh": "kWh", "m³": "m3", "m3": "m3", "kvarh": "kVArh"}
_GCV_STATES = {"definitief": "definitive", "voorlopig": "provisional"}
_STEP_MINUTES = {"PT15M": 15, "PT1H": 60}
_FORMATS = ("%d-%m-%Y %H:%M:%S", "%d/%m/%Y %H:%M:%S")
_SERIES = ("ean", "meter", "register", "unit")
# a `Tot` that differs from `Van` by 23 to 25 hours is a day total
_DAY_STEP_MINUTES = (23 * 60, 25 * 60)


def _coded(column: str, codes: dict[str, str]) -> pl.Expr:
    known = text(column).str.to_lowercase()
    return known.replace_strict(codes, default=None, return_dtype=pl.String)


def _wall_clock(date_column: str, time_column: str) -> pl.Expr:
    written = text(date_column) + pl.lit(" ") + text(time_column)
    return pl.coalesce(written.str.to_datetime(form, time_unit="us", strict=False) for form in _FORMATS)


def _direction() -> pl.Expr:
    word = text("register").str.to_lowercase().str.extract(r"^(\S+)")
    return word.replace_strict(_DIRECTIONS, default=None, return_dtype=pl.String)


def _register() -> pl.Expr:
    rest = text("register").str.to_lowercase().str.replace(r"^\S+\s*", "")
    return rest.replace_strict(_REGISTERS, default=None, return_dtype=pl.String)


def _granularity() -> pl.Expr:
    """From the most common step of a series; a single row on a change-of-clock day would mislead."""
    minutes = (pl.col("until_local") - pl.col("from_local")).dt.total_minutes()
    # the smallest of equally common steps: a change of clock only lengthens a positive one
    step = minutes.filter(minutes > 0).mode().min().over(_SERIES)
    return (
        pl.when(step.is_between(*_DAY_STEP_MINUTES))
        .then(pl.lit("P1D"))
        .otherwise(step.replace_strict({15: "PT15M", 60: "PT1H"}, default=None, return_dtype=pl.String))
    )


def _start(time_zone: str) -> pl.Expr:
    """The instant of `Van`: of two equal labels the one that ends before it begins, else the first, is summer time."""
    label = (*_SERIES, "from_local")
    rank = pl.int_range(pl.len()).over(*label)
    is_proven = (pl.col("until_local") <= pl.col("from_local")).fill_null(value=False)
    is_summer_time = is_proven | ((rank == 0) & ~is_proven.any().over(*label))
    choice = pl.when(rank > 1).then(pl.lit("null")).when(is_summer_time).then(pl.lit("earliest"))
    return pl.col("from_local").dt.replace_time_zone(
        time_zone, ambiguous=choice.otherwise(pl.lit("latest")), non_existent="null"
    )


def _end() -> pl.Expr:
    """The end of the interval; of a day total the next local midnight (or 06:00, the gas day)."""
    step = pl.col("granularity").replace_strict(_STEP_MINUTES, default=None, return_dtype=pl.Int64)
    return (
        pl.when(pl.col("granularity") == "P1D")
        .then(pl.col("start_local").dt.offset_by("1d"))
        .otherwise(pl.col("start_local") + pl.duration(minutes=step))
    )


def _parse(rows: pl.DataFrame, city: City) -> pl.DataFrame:
    in_file_order = rows.sort(LINE).with_columns(
        from_local=_wall_clock("from_date", "from_time"), until_local=_wall_clock("to_date", "to_time")
    )
    timed = in_file_order.with_columns(granularity=_granularity(), start_local=_start(city.time_zone))
    typed = timed.select(
        text("ean").str.replace_all(r"[=\"]", "").alias("ean"),
        text("meter").fill_null("").alias("meter_id"),
        text("carrier"),
        _direction().alias("direction"),
        _register().alias("register"),
        _coded("unit", _UNITS).alias("unit"),
        pl.col("granularity"),
        pl.col("start_local").dt.convert_time_zone("UTC").alias("start_at"),
        _end().dt.convert_time_zone("UTC").alias("end_at"),
        number("volume").alias("value"),
        _coded("status", _QUALITIES).alias("quality"),
        _coded("gcv_state", _GCV_STATES).alias("gcv_state"),
    )
    return typed.with_columns(local_date("start_at", city.time_zone).alias("reading_date"))


READINGS = TableContract(
    name="readings",
    description="One measured volume of one register of one meter over one interval.",
    received=Received(
        columns=(
            "from_date",
            "from_time",
            "to_date",
            "to_time",
            "ean",
            "meter",
            "register",
            "volume",
            "unit",
            "status",
            "gcv_state",
            "carrier",
        ),
        required=(
            "from_date",
            "from_time",
            "to_date",
            "to_time",
            "ean",
            "register",
            "volume",
            "unit",
            "status",
            "carrier",
        ),
    ),
    parse=_parse,
    columns=(
        Column("ean", pl.String, "EAN of the access point, 18 digits", pattern=r"^\d{18}$"),
        Column("meter_id", pl.String, "serial number; empty for a large connection"),
        Column("carrier", pl.String, "electricity or gas", allowed=("electricity", "gas")),
        Column("direction", pl.String, "offtake, injection or production", reads="register"),
        Column("register", pl.String, "total, day, night; reactive, capacitive, inductive"),
        Column("unit", pl.String, "kWh (gas: on gross calorific value), m3 or kVArh"),
        Column("granularity", pl.String, "ISO 8601 duration of the interval", allowed=("PT15M", "PT1H", "P1D")),
        Column("start_at", UTC_INSTANT, "start of the interval"),
        Column("end_at", UTC_INSTANT, "end of the interval"),
        Column(
            "value", pl.Float64, "volume in `unit`; null when not measured", nullable=True, minimum=0, reads="volume"
        ),
        Column("quality", pl.String, "read, validated, estimated or missing", reads="status"),
        Column("gcv_state", pl.String, "provisional or definitive calorific value, gas only", nullable=True),
        Column("reading_date", pl.Date, "city date on which the interval starts"),
    ),
    key=("ean", "meter_id", "direction", "register", "unit", "granularity", "start_at"),
    version=("value",),
    event_date="reading_date",
    event_order=("start_at", "ean", "direction", "register", "unit"),
    rules=(
        RowRule(
            "empty_only_when_not_measured",
            "volume: is empty exactly when the status says that nothing was measured",
            pl.col("value").is_null() == (pl.col("quality") == "missing"),
        ),
    ),
    speaks_until="end_at",
)

CONTRACT = SourceContract(
    name="energy_meters",
    title_nl="Energiemeters van de eigen gebouwen",
    owner="gebouwen@kortrijk.example",
    version=1,
    triggers=(OnArrival((".csv",)),),
    fresh_within=timedelta(days=2),
    retention=timedelta(days=365 * 20),
    sensitivity=Sensitivity.NONE,
    tables=(READINGS,),
)
