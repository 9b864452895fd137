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
from contracts.reading import Coded, city_date, dated, instant, kept_number, lower, number, text
from contracts.vocabulary import (
    LINE,
    OURS,
    UTC_INSTANT,
    Every,
    Field,
    Noted,
    OnArrival,
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


def _wall_clock(date_column: str, time_column: str) -> pl.Expr:
    written = dated(date_column) + pl.lit(" ") + text(time_column)
    return pl.coalesce(written.str.to_datetime(form, time_unit="us", strict=False) for form in _FORMATS)


def _volume(wire: str) -> pl.Expr:
    """The volume; only what a person may have saved again can have a point between the thousands."""
    # the API and our own totals of months name the length of the interval, and write a decimal point
    is_ours = text("granularity").is_not_null()
    return pl.when(is_ours).then(number(wire)).otherwise(kept_number(wire))


def _serial(_: str) -> pl.Expr:
    """The serial number of a meter; a spreadsheet forgets the zeros before it, and people group it with blanks."""
    bare = text("meter").str.replace_all(r"\s", "").str.to_uppercase().str.replace(r"^0+([0-9A-Z])", "$1")
    return bare.fill_null("")


def _direction(wire: str = "register") -> pl.Expr:
    word = lower(wire).str.extract(r"^(\S+)")
    return word.replace_strict(_DIRECTIONS, default=None, return_dtype=pl.String)


def _register(wire: str = "register") -> pl.Expr:
    rest = lower(wire).str.replace(r"^\S+\s*", "")
    of_what = rest.replace_strict(_REGISTERS, default=None, return_dtype=pl.String)
    # behind a word that says nothing, nothing would be all of it
    return pl.when(_direction(wire).is_not_null()).then(of_what)


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
    return Coded(_UNITS)("unit").is_not_null()


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


def _end(_: str) -> pl.Expr:
    """The end of the interval; of a day or month total the next local midnight (or 06:00, the gas day)."""
    step = pl.col("interval").replace_strict(_STEP_MINUTES, default=None, return_dtype=pl.Int64)
    local = (
        pl.when(pl.col("interval") == "P1D")
        .then(pl.col("start_local").dt.offset_by("1d"))
        .when(pl.col("interval") == "P1M")
        .then(pl.col("start_local").dt.offset_by("1mo"))
        .otherwise(pl.col("start_local") + pl.duration(minutes=step))
    )
    return local.dt.convert_time_zone("UTC")


def _has_check_digit(eans: pl.Series) -> pl.Series:
    """Whether the last digit is the GS1 check digit; every distinct EAN is looked at once."""
    known = {ean: _is_checked(ean) for ean in eans.drop_nulls().unique()}
    return eans.replace_strict(known, default=None, return_dtype=pl.Boolean)


def _is_checked(ean: str) -> bool | None:
    if len(ean) != _EAN_DIGITS or not (ean.isascii() and ean.isdigit()):
        return None
    weighted = sum(int(digit) * (1, 3)[place % 2] for place, digit in enumerate(reversed(ean)))
    return weighted % 10 == 0


# of a meter of which a part of the day is refused the day is not whole, and the month not complete
_LOWER = Refused("energy that the totals then lack", Way.DOWN, "int_buildings__expected_days")


def _with_clocks(rows: pl.DataFrame, city: City) -> pl.DataFrame:
    """The rows in file order, each with its local start: only its neighbours tell whether it is summer time."""
    in_file_order = rows.sort(LINE).with_columns(
        from_local=_wall_clock("from_date", "from_time"), until_local=_wall_clock("to_date", "to_time")
    )
    ranked = in_file_order.with_columns(interval=_granularity(), rank=_rank())
    return ranked.with_columns(start_local=_start(city.time_zone))


def _interval(_: str) -> pl.Expr:
    return pl.col("interval")


def _start_at(_: str) -> pl.Expr:
    return pl.col("start_local").dt.convert_time_zone("UTC")


def _ean(wire: str) -> pl.Expr:
    return text(wire).str.replace_all(r"[=\"]", "")


def _sub_ean(wire: str) -> pl.Expr:
    return text(wire).fill_null("")


_RANK = pl.col("quality").replace_strict(_RANKS, default=None, return_dtype=pl.Int64)
_CHECKED = pl.col("ean").map_batches(_has_check_digit, return_dtype=pl.Boolean)

_READINGS_FIELDS = (
    Field("part", pl.String, "", lands=False, nl="het bestand in een zip, of het blad van een werkboek"),
    Field("from_date", pl.String, "", lands=False, nl="Van (datum): dag waarop het tijdvak begint, plaatselijke tijd",
          spelt="Van (datum)"),
    Field("from_time", pl.String, "", lands=False,
          nl="Van (tijdstip): uur waarop het tijdvak begint, plaatselijke tijd", spelt="Van (tijdstip)"),
    Field("to_date", pl.String, "", lands=False, nl="Tot (datum): dag waarop het tijdvak eindigt", spelt="Tot (datum)"),
    Field("to_time", pl.String, "", lands=False, nl="Tot (tijdstip): uur waarop het tijdvak eindigt",
          spelt="Tot (tijdstip)"),
    Field("start_at", UTC_INSTANT, "start of the interval", nl="begin van het tijdvak in UTC, alleen uit de Energy API",
          spelt="Van (datum)", read=_start_at),
    Field("granularity", pl.String, "ISO 8601 duration of the interval; of a dwelling only P1M",
          allowed=("PT15M", "PT1H", "P1D", "P1M"),
          nl="duur van het tijdvak, alleen uit de Energy API: PT15M, PT1H of P1D", spelt="Tot (datum)", read=_interval),
    Field("ean", pl.String, "EAN of the access point, 18 digits", pattern=r"^\d{18}$", required=True,
          nl="EAN-code van het toegangspunt: 18 cijfers. Open het bestand niet in Excel: dat rondt de code af",
          spelt="EAN-code", read=_ean),
    Field("sub_ean", pl.String, "submeter behind the access point; empty for the access point itself",
          nl="EAN-code of volgnummer van de submeter, leeg als er geen is", spelt="Submeter", read=_sub_ean),
    Field("meter", pl.String, "", lands=False, nl="serienummer van de meter, leeg bij een grote aansluiting",
          spelt="Meter"),
    Field("direction", pl.String, "offtake, injection, production or auxiliary", reads="register", read=_direction,
          words=tuple(_DIRECTIONS)),
    Field("register", pl.String, "total, day, night; reactive, capacitive, inductive", required=True,
          nl="Afname, Injectie of Productie, met Dag, Nacht, Actief, Reactief, Capacitief of Inductief",
          spelt="Register", read=_register, words=tuple(_REGISTERS)),
    Field("value", pl.Float64, "volume in `unit`; null when not measured", nullable=True, minimum=0, reads="volume",
          required=True, nl="gemeten hoeveelheid; leeg als er niets gemeten is", spelt="Volume", read=_volume),
    Field("unit", pl.String, "kWh (gas: on gross calorific value), m3 or kVArh", required=True, nl="kWh, kVArh of m³",
          spelt="Eenheid", read=Coded(_UNITS)),
    Field("quality", pl.String, "read, validated, estimated, not_validated or missing", reads="status", required=True,
          nl="Uitgelezen, Gevalideerd, Geschat, Geen verbruik of Geen gegevens", spelt="Validatiestatus",
          read=Coded(_QUALITIES)),
    Field("gcv_state", pl.String, "provisional, definitive or constant calorific value, gas only", nullable=True,
          nl="Calorische bovenwaarde: Definitief of Voorlopig, alleen bij gas", spelt="Calorische bovenwaarde",
          read=Coded(_GCV_STATES)),
    Field("carrier", pl.String, "electricity or gas", allowed=("electricity", "gas"), required=True,
          nl="electricity of gas"),
    Field("source", pl.String, "the way it came in", allowed=("fluvius_csv", "fluvius_api"), required=True,
          nl="fluvius_csv of fluvius_api"),
    Field("meter_id", pl.String, "serial number; empty for a large connection", arrives=False, read=_serial),
    Field("end_at", UTC_INSTANT, "end of the interval", arrives=False, spelt="Tot (datum)", read=_end),
    Field("quality_rank", pl.Int64, "order of the quality: missing 0 to validated 4", arrives=False,
          spelt="Validatiestatus", then=_RANK),
    Field("reading_date", pl.Date, "city date on which the interval starts", arrives=False, spelt="Van (datum)",
          then=city_date("start_at")),
    Field("has_check_digit", pl.Boolean, "whether the EAN ends in its GS1 check digit", nullable=True, arrives=False,
          then=_CHECKED),
)  # fmt: skip

READINGS = TableContract(
    name="readings",
    description="One measured volume of one register of one meter over one interval.",
    description_nl="Eén gemeten hoeveelheid van één register van één meter in één tijdvak.",
    fields=_READINGS_FIELDS,
    # a landing table keeps its order; a received one is that of the export
    landed=(
        *("ean", "meter_id", "sub_ean", "carrier", "direction", "register", "unit", "granularity", "start_at"),
        *("end_at", "value", "quality", "quality_rank", "gcv_state", "source", "reading_date", "has_check_digit"),
    ),
    prepare=_with_clocks,
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
