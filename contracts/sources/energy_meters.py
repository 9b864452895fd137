"""Meter readings of the city's own buildings, as Fluvius exports them and as its Energy API v3 answers them.

Both ways fill one table. Times in an export are Brussels wall clock without offset. On the October day the
repeated hour is written pairwise per label (02:00, 02:00, 02:15, 02:15, …): the first of a pair is summer time. A
row whose `Tot` is not after its `Van` is summer time for certain. In March the jump shows in `Tot` only. The API
answers UTC instants. An empty volume is no measurement, never zero.

Only access points in the register of buildings come this far, and of a dwelling only totals of whole months
(`P1M`): what is shorter is never written anywhere.
"""

from datetime import timedelta

import polars as pl

from contracts.cities.profile import City
from contracts.reading import dated, instant, kept_number, local_date, number, text
from contracts.vocabulary import (
    LINE,
    OURS,
    UTC_INSTANT,
    Column,
    Every,
    Noted,
    OnArrival,
    Received,
    Refused,
    RowRule,
    Sensitivity,
    SourceContract,
    TableContract,
    Way,
)

_DIRECTIONS = {
    "afname": "offtake",
    "offtake": "offtake",
    "injectie": "injection",
    "injection": "injection",
    "productie": "production",
    "production": "production",
    "hulpverbruik": "auxiliary",
    "auxiliary": "auxiliary",
}
_REGISTERS = {
    "": "total",
    "total": "total",
    "actief": "total",
    "active": "total",
    "dag": "day",
    "day": "day",
    "actief dag": "day",
    "active day": "day",
    "nacht": "night",
    "night": "night",
    "actief nacht": "night",
    "active night": "night",
    "reactief": "reactive",
    "reactive": "reactive",
    "capacitief": "capacitive",
    "capacitive": "capacitive",
    "inductief": "inductive",
    "inductive": "inductive",
}
_QUALITIES = {
    "uitgelezen": "read",
    "read": "read",
    "gevalideerd": "validated",
    "validated": "validated",
    "geschat": "estimated",
    "estimated": "estimated",
    "niet gevalideerd": "not_validated",
    "ongevalideerd": "not_validated",
    "not validated": "not_validated",
    "val": "validated",
    "est": "estimated",
    "nval": "not_validated",
    "geen verbruik": "missing",
    "no consumption": "missing",
    "geen gegevens": "missing",
    "no data": "missing",
}
_UNITS = {"kwh": "kWh", "m³": "m3", "m3": "m3", "kvarh": "kVArh"}
_GCV_STATES = {
    "definitief": "definitive",
    "definitive": "definitive",
    "voorlopig": "provisional",
    "provisional": "provisional",
    # the API's letters: a factor that is predicted, definitive or constant
    "d": "definitive",
    "p": "provisional",
    "c": "constant",
    "constant": "constant",
}
# within one delivery the better measurement of an interval wins
_RANKS = {"missing": 0, "not_validated": 1, "estimated": 2, "read": 3, "validated": 4}
_STEP_MINUTES = {"PT15M": 15, "PT1H": 60}
_EAN_DIGITS = 18
# a spreadsheet that saved the file again leaves the seconds out
_FORMATS = tuple(f"{day} {time}" for day in ("%d-%m-%Y", "%d/%m/%Y", "%Y-%m-%d") for time in ("%H:%M:%S", "%H:%M"))
_METER = ("part", "ean", "sub_ean", "meter")
_SERIES = (*_METER, "register", "unit")
# 20 MW for a quarter of an hour: no building of a city draws more
_MOST_KWH_IN_A_QUARTER = 5_000
# a `Tot` that differs from `Van` by 23 to 25 hours is a day total
_DAY_STEP_MINUTES = (23 * 60, 25 * 60)
# and one of 28 to 31 days, give or take an hour, is a month total
_MONTH_STEP_MINUTES = (28 * 24 * 60 - 60, 31 * 24 * 60 + 60)


def _coded(column: str, codes: dict[str, str]) -> pl.Expr:
    known = text(column).str.to_lowercase()
    return known.replace_strict(codes, default=None, return_dtype=pl.String)


def _wall_clock(date_column: str, time_column: str) -> pl.Expr:
    written = dated(date_column) + pl.lit(" ") + text(time_column)
    return pl.coalesce(written.str.to_datetime(form, time_unit="us", strict=False) for form in _FORMATS)


def _volume() -> pl.Expr:
    """The volume; only what a person may have saved again can have a point between the thousands."""
    # the API and our own totals of months name the length of the interval, and write a decimal point
    is_ours = text("granularity").is_not_null()
    return pl.when(is_ours).then(number("volume")).otherwise(kept_number("volume"))


def _serial() -> pl.Expr:
    """The serial number of a meter; a spreadsheet forgets the zeros before it, and people group it with blanks."""
    return text("meter").str.replace_all(r"\s", "").str.to_uppercase().str.replace(r"^0+([0-9A-Z])", "$1")


def _direction() -> pl.Expr:
    word = text("register").str.to_lowercase().str.extract(r"^(\S+)")
    return word.replace_strict(_DIRECTIONS, default=None, return_dtype=pl.String)


def _register() -> pl.Expr:
    rest = text("register").str.to_lowercase().str.replace(r"^\S+\s*", "")
    return rest.replace_strict(_REGISTERS, default=None, return_dtype=pl.String)


def _granularity() -> pl.Expr:
    """What the API says; else the most common step of a series, for one row on a change of clock would mislead."""
    minutes = (pl.col("until_local") - pl.col("from_local")).dt.total_minutes()
    # the smallest of equally common steps: a change of clock only lengthens a positive one
    step = minutes.filter(minutes > 0).mode().min().over(_SERIES)
    return (
        pl.when(text("granularity").is_not_null())
        .then(text("granularity"))
        .when(step.is_between(*_DAY_STEP_MINUTES))
        .then(pl.lit("P1D"))
        .when(step.is_between(*_MONTH_STEP_MINUTES))
        .then(pl.lit("P1M"))
        .otherwise(step.replace_strict({15: "PT15M", 60: "PT1H"}, default=None, return_dtype=pl.String))
    )


def _rank() -> pl.Expr:
    """Which row of its label this is in time: 0 the first, 1 the second; null where nothing in the file tells.

    A row whose register or unit cannot be read is refused, but it shows that the other one of its pair has a partner.
    """
    label, place = (*_METER, "from_local"), pl.int_range(pl.len())
    own, is_odd = (*_SERIES, "from_local"), _direction().is_null() | _register().is_null() | ~_has_unit()
    is_alone = (pl.len().over(own) == 1) & ~is_odd
    is_after_odd = place.over(label) > place.over(label).filter(is_odd).min().over(label)
    has_pairs = (pl.len().over(own) == 2).any().over(*_SERIES, pl.col("from_local").dt.date())
    first_to_last = (
        pl.when(is_alone & is_odd.any().over(label))
        .then(is_after_odd.cast(pl.Int64))
        .when(~is_alone | ~has_pairs)
        .then(place.over(own))
    )
    last = pl.when(is_alone & is_odd.any().over(label)).then(1).otherwise(pl.len().over(own) - 1)
    is_newest_first = pl.col("from_local").first().over(_SERIES) > pl.col("from_local").last().over(_SERIES)
    return pl.when(is_newest_first).then(last - first_to_last).otherwise(first_to_last)


def _has_unit() -> pl.Expr:
    return _coded("unit", _UNITS).is_not_null()


def _start(time_zone: str) -> pl.Expr:
    """The instant of `Van`: of two equal labels the one that ends before it begins, else the first, is summer time."""
    is_proven = (pl.col("until_local") <= pl.col("from_local")).fill_null(value=False)
    is_summer_time = is_proven | ((pl.col("rank") == 0) & ~is_proven.any().over(*_SERIES, "from_local"))
    is_unknown = ~is_proven & (pl.col("rank").is_null() | (pl.col("rank") > 1))
    choice = pl.when(is_unknown).then(pl.lit("null")).when(is_summer_time).then(pl.lit("earliest"))
    wall_clock = pl.col("from_local").dt.replace_time_zone(
        time_zone, ambiguous=choice.otherwise(pl.lit("latest")), non_existent="null"
    )
    return pl.coalesce(instant("start_at").dt.convert_time_zone(time_zone), wall_clock)


def _end() -> pl.Expr:
    """The end of the interval; of a day or month total the next local midnight (or 06:00, the gas day)."""
    step = pl.col("granularity").replace_strict(_STEP_MINUTES, default=None, return_dtype=pl.Int64)
    return (
        pl.when(pl.col("granularity") == "P1D")
        .then(pl.col("start_local").dt.offset_by("1d"))
        .when(pl.col("granularity") == "P1M")
        .then(pl.col("start_local").dt.offset_by("1mo"))
        .otherwise(pl.col("start_local") + pl.duration(minutes=step))
    )


def _has_check_digit(eans: pl.Series) -> pl.Series:
    """Whether the last digit is the GS1 check digit; every distinct EAN is looked at once."""
    known = {ean: _is_checked(ean) for ean in eans.drop_nulls().unique()}
    return eans.replace_strict(known, default=None, return_dtype=pl.Boolean)


def _is_checked(ean: str) -> bool | None:
    if len(ean) != _EAN_DIGITS or not (ean.isascii() and ean.isdigit()):
        return None
    weighted = sum(int(digit) * (1, 3)[place % 2] for place, digit in enumerate(reversed(ean)))
    return weighted % 10 == 0


def _parse(rows: pl.DataFrame, city: City) -> pl.DataFrame:
    in_file_order = rows.sort(LINE).with_columns(
        from_local=_wall_clock("from_date", "from_time"),
        until_local=_wall_clock("to_date", "to_time"),
        value=_volume(),
    )
    ranked = in_file_order.with_columns(granularity=_granularity(), rank=_rank())
    timed = ranked.with_columns(start_local=_start(city.time_zone))
    typed = timed.select(
        text("ean").str.replace_all(r"[=\"]", "").alias("ean"),
        _serial().fill_null("").alias("meter_id"),
        text("sub_ean").fill_null(""),
        text("carrier"),
        _direction().alias("direction"),
        _register().alias("register"),
        _coded("unit", _UNITS).alias("unit"),
        pl.col("granularity"),
        pl.col("start_local").dt.convert_time_zone("UTC").alias("start_at"),
        _end().dt.convert_time_zone("UTC").alias("end_at"),
        pl.col("value"),
        _coded("status", _QUALITIES).alias("quality"),
        _coded("gcv_state", _GCV_STATES).alias("gcv_state"),
        text("source"),
    )
    return typed.with_columns(
        local_date("start_at", city.time_zone).alias("reading_date"),
        pl.col("quality").replace_strict(_RANKS, default=None, return_dtype=pl.Int64).alias("quality_rank"),
        _has_check_digit(typed["ean"]).alias("has_check_digit"),
    )


# of a meter of which a part of the day is refused the day is not whole, and the month not complete
_LOWER = Refused("energy that the totals then lack", Way.DOWN, "int_buildings__expected_days")

READINGS = TableContract(
    name="readings",
    description="One measured volume of one register of one meter over one interval.",
    description_nl="Eén gemeten hoeveelheid van één register van één meter in één tijdvak.",
    received=Received(
        columns=(
            "part",
            "from_date",
            "from_time",
            "to_date",
            "to_time",
            "start_at",
            "granularity",
            "ean",
            "sub_ean",
            "meter",
            "register",
            "volume",
            "unit",
            "status",
            "gcv_state",
            "carrier",
            "source",
        ),
        required=("ean", "register", "volume", "unit", "status", "carrier", "source"),
        # as the present Dutch export writes them
        spelt={
            "from_date": "Van (datum)",
            "from_time": "Van (tijdstip)",
            "to_date": "Tot (datum)",
            "to_time": "Tot (tijdstip)",
            "ean": "EAN-code",
            "sub_ean": "Submeter",
            "meter": "Meter",
            "register": "Register",
            "volume": "Volume",
            "unit": "Eenheid",
            "status": "Validatiestatus",
            "gcv_state": "Calorische bovenwaarde",
            "granularity": "Tot (datum)",
            "start_at": "Van (datum)",
            "end_at": "Tot (datum)",
            "reading_date": "Van (datum)",
            "quality_rank": "Validatiestatus",
        },
        meaning_nl={
            "part": "het bestand in een zip, of het blad van een werkboek",
            "from_date": "Van (datum): dag waarop het tijdvak begint, plaatselijke tijd",
            "from_time": "Van (tijdstip): uur waarop het tijdvak begint, plaatselijke tijd",
            "to_date": "Tot (datum): dag waarop het tijdvak eindigt",
            "to_time": "Tot (tijdstip): uur waarop het tijdvak eindigt",
            "start_at": "begin van het tijdvak in UTC, alleen uit de Energy API",
            "granularity": "duur van het tijdvak, alleen uit de Energy API: PT15M, PT1H of P1D",
            "ean": "EAN-code van het toegangspunt: 18 cijfers. Open het bestand niet in Excel: dat rondt de code af",
            "sub_ean": "EAN-code of volgnummer van de submeter, leeg als er geen is",
            "meter": "serienummer van de meter, leeg bij een grote aansluiting",
            "register": "Afname, Injectie of Productie, met Dag, Nacht, Actief, Reactief, Capacitief of Inductief",
            "volume": "gemeten hoeveelheid; leeg als er niets gemeten is",
            "unit": "kWh, kVArh of m³",
            "status": "Uitgelezen, Gevalideerd, Geschat, Geen verbruik of Geen gegevens",
            "gcv_state": "Calorische bovenwaarde: Definitief of Voorlopig, alleen bij gas",
            "carrier": "electricity of gas",
            "source": "fluvius_csv of fluvius_api",
        },
    ),
    parse=_parse,
    columns=(
        Column("ean", pl.String, "EAN of the access point, 18 digits", pattern=r"^\d{18}$"),
        Column("meter_id", pl.String, "serial number; empty for a large connection"),
        Column("sub_ean", pl.String, "submeter behind the access point; empty for the access point itself"),
        Column("carrier", pl.String, "electricity or gas", allowed=("electricity", "gas")),
        Column("direction", pl.String, "offtake, injection, production or auxiliary", reads="register"),
        Column("register", pl.String, "total, day, night; reactive, capacitive, inductive"),
        Column("unit", pl.String, "kWh (gas: on gross calorific value), m3 or kVArh"),
        Column(
            "granularity",
            pl.String,
            "ISO 8601 duration of the interval; of a dwelling only P1M",
            allowed=("PT15M", "PT1H", "P1D", "P1M"),
        ),
        Column("start_at", UTC_INSTANT, "start of the interval"),
        Column("end_at", UTC_INSTANT, "end of the interval"),
        Column(
            "value", pl.Float64, "volume in `unit`; null when not measured", nullable=True, minimum=0, reads="volume"
        ),
        Column("quality", pl.String, "read, validated, estimated, not_validated or missing", reads="status"),
        Column("quality_rank", pl.Int64, "order of the quality: missing 0 to validated 4"),
        Column("gcv_state", pl.String, "provisional, definitive or constant calorific value, gas only", nullable=True),
        Column("source", pl.String, "the way it came in", allowed=("fluvius_csv", "fluvius_api")),
        Column("reading_date", pl.Date, "city date on which the interval starts"),
        Column("has_check_digit", pl.Boolean, "whether the EAN ends in its GS1 check digit", nullable=True),
    ),
    key=("ean", "meter_id", "sub_ean", "direction", "register", "unit", "granularity", "start_at"),
    # a measured value is never a version: the higher one of two would win
    version=("quality_rank",),
    refuses_contradictions=True,
    event_date="reading_date",
    event_order=("start_at", "ean", "direction", "register", "unit"),
    rules=(
        RowRule(
            "empty_only_when_not_measured",
            "volume",
            "is empty exactly when the status says that nothing was measured",
            pl.col("value").is_null() == (pl.col("quality") == "missing"),
            reason_nl="is leeg terwijl de status zegt dat er gemeten is, of omgekeerd. "
            "Haal het bestand opnieuw op bij Mijn Fluvius.",
            refused=_LOWER,
        ),
        RowRule(
            "no_more_than_a_cable_carries",
            "volume",
            f"is above {_MOST_KWH_IN_A_QUARTER} kWh in a quarter of an hour",
            (pl.col("granularity") != "PT15M")
            | (pl.col("unit") != "kWh")
            | (pl.col("value") <= _MOST_KWH_IN_A_QUARTER),
            reason_nl=f"meer dan {_MOST_KWH_IN_A_QUARTER} kWh in een kwartier kan niet. "
            "Kijk de waarde en de eenheid na.",
            refused=_LOWER,
        ),
    ),
    refused=_LOWER,
    # told of gas alone, and no figure rests on it
    breaches={"gcv_state": Noted(), "granularity": OURS, "quality_rank": OURS, "has_check_digit": OURS},
    speaks_until="end_at",
)

CONTRACT = SourceContract(
    name="energy_meters",
    title_nl="Energiemeters van de eigen gebouwen",
    owner="gebouwen@kortrijk.example",
    version=4,
    triggers=(OnArrival((".csv", ".gz", ".zip", ".xlsx")), Every("30 6 * * *")),
    fresh_within=timedelta(days=2),
    retention=timedelta(days=365 * 20),
    sensitivity=Sensitivity.PERSONAL,
    registers=("buildings",),
    tables=(READINGS,),
    delivery_nl="Haal in Mijn Fluvius de verbruikshistoriek op als CSV (kwartier-, uur- of dagtotalen) en lever ze "
    "zoals ze is: .csv, .csv.gz, .xlsx of een zip met .csv. Of sluit een toegangscontract voor de Energy API. Een EAN "
    "die niet in het gebouwenregister staat, komt niet binnen; van een woning blijven alleen maandtotalen over.",
)
