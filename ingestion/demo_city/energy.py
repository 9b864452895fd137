"""Mijn Fluvius exports of the demo's buildings, in the dialects and with the mess of the real ones.

Wall clock without offset; the repeated hour of October written pairwise per label; `Tot` of a day total is
`Van` plus 24 elapsed hours, so it is off by an hour on the days the clock changes.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from ingestion.demo_city.clock import ZONE, dice, local
from ingestion.demo_city.files import Drop, semicolon_lines
from ingestion.demo_city.sites import (
    CITY_HALL,
    DEMO_SITES,
    DEPOT,
    DWELLING_EAN,
    LIBRARY,
    SCHOOL,
    SPORTS_HALL,
    STRANGER_EAN,
    DemoSite,
)

_SOURCE = "energy_meters"
# the whole saving since the base year 2019
_LEVEL_NOW = 0.89
_KWH_PER_M3 = 11.2
_QUARTER = timedelta(minutes=15)
_HOUR = timedelta(hours=1)
_DAY = timedelta(hours=24)
# meters of a digital connection have a serial number; a large connection has none
_DIGITAL = {CITY_HALL.site_id: "1SAG9900000001", SCHOOL.site_id: "1SAG9900000005"}

_NOW_NL = (
    "Van (datum);Van (tijdstip);Tot (datum);Tot (tijdstip);EAN-code;Meter;Metertype;Register;Volume;Eenheid"
    ";Validatiestatus"
)
_OLD_NL = "Van datum;Van tijdstip;Tot datum;Tot tijdstip;EAN;Meter;Metertype;Register;Volume;Eenheid;Validatiestatus"
_NOW_EN = (
    "From (date);From (time);Until (date);Until (time);EAN code;Meter;Meter type;Register;Volume;Unit;Validation status"
)
_ENGLISH = {
    "Afname Dag": "Offtake Day",
    "Afname Nacht": "Offtake Night",
    "Injectie Dag": "Injection Day",
    "Injectie Nacht": "Injection Night",
    "Digitale meter": "Digital meter",
    "Uitgelezen": "Read",
    "Geen verbruik": "No consumption",
}


@dataclass(frozen=True, slots=True)
class _Row:
    """One line of an export; instants in UTC, volume in `unit`, None where nothing was measured."""

    start_at: datetime
    end_at: datetime
    ean: str
    meter: str
    meter_type: str
    register: str
    volume: float | None
    unit: str = "kWh"
    status: str = "Uitgelezen"
    gcv: str = ""


@dataclass(frozen=True, slots=True)
class _Dialect:
    header: str
    date_format: str = "%d-%m-%Y"
    words: tuple[tuple[str, str], ...] = ()
    has_gcv: bool = False
    has_description: bool = True

    def word(self, dutch: str) -> str:
        return dict(self.words).get(dutch, dutch)


_NL = _Dialect(f"{_NOW_NL};Omschrijving")
_NL_GAS = _Dialect(f"{_NOW_NL};Calorische bovenwaarde;Omschrijving", has_gcv=True)
_NL_OLD = _Dialect(_OLD_NL, has_description=False)
_NL_OLD_GAS = _Dialect(
    f"{_OLD_NL.replace('EAN', 'EAN-code')};Calorische Bovenwaarde", has_gcv=True, has_description=False
)
_EN = _Dialect(f"{_NOW_EN};Description", "%d/%m/%Y", tuple(_ENGLISH.items()))


def _export(rows: Iterable[_Row], dialect: _Dialect) -> bytes:
    text = semicolon_lines([[dialect.header], *(_cells(row, dialect) for row in rows)])
    return b"\xef\xbb\xbf" + text.encode()


def _cells(row: _Row, dialect: _Dialect) -> list[str]:
    start, end = row.start_at.astimezone(ZONE), row.end_at.astimezone(ZONE)
    ean = row.ean if "E+" in row.ean else f'="{row.ean}"'
    return [
        *(start.strftime(dialect.date_format), start.strftime("%H:%M:%S")),
        *(end.strftime(dialect.date_format), end.strftime("%H:%M:%S")),
        *(ean, row.meter, dialect.word(row.meter_type), dialect.word(row.register)),
        "" if row.volume is None else f"{row.volume:.3f}".replace(".", ","),
        *(row.unit, dialect.word(row.status)),
        *([row.gcv] if dialect.has_gcv else []),
        *([""] if dialect.has_description else []),
    ]


def _days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=number) for number in range((last - first).days + 1))


def _season(day: date, swing: float) -> float:
    return 1 + swing * math.cos(2 * math.pi * (day.timetuple().tm_yday - 15) / 365)


def _day_kwh(site: DemoSite, carrier: str, day: date) -> float:
    """What a building uses in a day, kWh."""
    per_m2, swing = (48, 0.12) if carrier == "electricity" else (112, 0.9)
    weekend = 0.55 if day.weekday() >= 5 else 1.18
    level = 1.0 if day.year == 2019 else _LEVEL_NOW
    chance = dice(f"{site.site_id} {carrier} {day}").uniform(0.94, 1.06)
    return site.floor_area_m2 * per_m2 / 365 * _season(day, swing) * weekend * level * chance


def _injected_kwh(site: DemoSite, day: date) -> float:
    """What the panels on a roof give back in a day, kWh."""
    return site.floor_area_m2 * 0.02 * _season(day, -0.85) * dice(f"sun {day}").uniform(0.4, 1.6)


def _has_panels(site: DemoSite, day: date) -> bool:
    return site is SCHOOL and day.year > 2019


def _use_weight(hour: int) -> float:
    if 7 <= hour < 19:
        return 1.0
    return 0.6 if 19 <= hour < 22 else 0.35


def _sun_weight(hour: int) -> float:
    return max(0.0, math.sin(math.pi * (hour - 8) / 9)) if 8 <= hour < 17 else 0.0


def _is_night(moment: datetime) -> bool:
    return moment.weekday() >= 5 or not 7 <= moment.hour < 22


def _register(direction: str, site: DemoSite, *, night: bool) -> str:
    active = "" if site.site_id in _DIGITAL else " Actief"
    return f"{direction}{active} {'Nacht' if night else 'Dag'}"


def _electricity(site: DemoSite, start_at: datetime, end_at: datetime, register: str, volume: float | None) -> _Row:
    meter = _DIGITAL.get(site.site_id, "")
    meter_type = "Digitale meter" if meter else "AMR-meter"
    return _Row(start_at, end_at, site.ean_electricity, meter, meter_type, register, volume)


def _electricity_days(site: DemoSite, first: date, last: date) -> Iterator[_Row]:
    """Day totals of both registers; a weekend is night from end to end."""
    for day in _days(first, last):
        yield from _electricity_day(site, day, "Afname", _day_kwh(site, "electricity", day))
        if _has_panels(site, day):
            yield from _electricity_day(site, day, "Injectie", _injected_kwh(site, day))


def _electricity_day(site: DemoSite, day: date, direction: str, kwh: float) -> Iterator[_Row]:
    by_day = 0.0 if day.weekday() >= 5 else 0.814 if direction == "Afname" else 1.0
    start_at = local(day)
    for night, share in ((False, by_day), (True, 1 - by_day)):
        yield _electricity(site, start_at, start_at + _DAY, _register(direction, site, night=night), kwh * share)


def _steps(day: date, step: timedelta) -> list[datetime]:
    """The starts of a local day's intervals in the order of the export: by label, summer time first."""
    start_at, end_at = local(day), local(day + timedelta(days=1))
    count = int((end_at - start_at) / step)
    return sorted((start_at + step * number for number in range(count)), key=_label)


def _label(moment: datetime) -> datetime:
    return moment.astimezone(ZONE).replace(tzinfo=None)


def _quarters(site: DemoSite, first: date, last: date) -> Iterator[_Row]:
    for day in _days(first, last):
        starts = _steps(day, _QUARTER)
        used = _spread(_day_kwh(site, "electricity", day), [_use_weight(_label(start).hour) for start in starts])
        given = _spread(_injected_kwh(site, day), [_sun_weight(_label(start).hour) for start in starts])
        for start_at, offtake, injection in zip(starts, used, given, strict=True):
            night = _is_night(_label(start_at))
            end_at = start_at + _QUARTER
            yield _electricity(site, start_at, end_at, _register("Afname", site, night=night), offtake)
            if _has_panels(site, day):
                yield _electricity(site, start_at, end_at, _register("Injectie", site, night=night), injection)


def _spread(total: float, weights: list[float]) -> list[float]:
    return [total * weight / sum_of for sum_of in [math.fsum(weights)] for weight in weights]


def _gas_rows(site: DemoSite, start_at: datetime, end_at: datetime, kwh: float, gcv: str) -> Iterator[_Row]:
    """Gas comes twice: measured in m³, and in kWh on the gross calorific value."""
    meter = f"7FLO99{site.ean_gas[-8:]}"
    row = _Row(start_at, end_at, site.ean_gas, meter, "Digitale meter", "Afname", kwh / _KWH_PER_M3, "m³")
    yield row
    yield replace(row, volume=kwh, unit="kWh", gcv=gcv)


def _gas_days(site: DemoSite, first: date, last: date) -> Iterator[_Row]:
    for day in _days(first, last):
        start_at = local(day)
        gcv = "Voorlopig" if day >= date(2026, 10, 1) else "Definitief"
        yield from _gas_rows(site, start_at, start_at + _DAY, _day_kwh(site, "gas", day), gcv)


def _gas_hours(site: DemoSite, first: date, last: date) -> Iterator[_Row]:
    for day in _days(first, last):
        starts = _steps(day, _HOUR)
        volumes = _spread(_day_kwh(site, "gas", day), [_use_weight(_label(start).hour) for start in starts])
        for start_at, kwh in zip(starts, volumes, strict=True):
            yield from _gas_rows(site, start_at, start_at + _HOUR, kwh, "Voorlopig")


_BASE_YEAR = (date(2019, 1, 1), date(2019, 12, 31))
# the figures of a day appear the next day
_LATEST = (date(2025, 11, 1), date(2026, 11, 21))
_AUTUMN = (date(2026, 10, 1), date(2026, 11, 21))
_SPRING = (date(2026, 3, 1), date(2026, 3, 31))
_LATE_MONTH = (date(2026, 2, 1), date(2026, 2, 28))
# two whole months and half of one
_AT_HOME = (date(2026, 9, 1), date(2026, 11, 15))
_CORRECTED_WEEK = (date(2026, 11, 2), date(2026, 11, 8))


def _is_in(row: _Row, period: tuple[date, date]) -> bool:
    return period[0] <= _label(row.start_at).date() <= period[1]


def _without_mess(rows: Iterable[_Row]) -> list[_Row]:
    """The day totals as first delivered: a month still missing, a week estimated too low."""
    return [
        replace(row, volume=(row.volume or 0) * 0.7, status="Geschat") if _is_estimated(row) else row
        for row in rows
        if not (row.ean == SPORTS_HALL.ean_electricity and _is_in(row, _LATE_MONTH))
    ]


def _is_estimated(row: _Row) -> bool:
    return row.ean == DEPOT.ean_electricity and _is_in(row, _CORRECTED_WEEK)


def _with_mess(rows: list[_Row]) -> list[_Row]:
    """Adds what spreadsheets and meters do to a file: every bad row stands beside the good one."""
    bad = [
        *(replace(row, ean="5,41449E+17") for row in rows[40:640:50]),
        *(replace(row, register="Afname Piek") for row in rows[60:460:50]),
        *(replace(row, volume=-3.2) for row in rows[80:480:50]),
    ]
    duplicate = rows[90:690:50]
    return [*rows, *bad, *duplicate]


def _not_measured(rows: Iterable[_Row]) -> list[_Row]:
    """The first interval of an export is often empty."""
    first, *others = rows
    return [replace(first, volume=None, status="Geen verbruik"), *others]


def _day_totals(period: tuple[date, date]) -> list[_Row]:
    return [row for site in DEMO_SITES for row in _electricity_days(site, *period)]


def _gas_totals(period: tuple[date, date]) -> list[_Row]:
    return [row for site in DEMO_SITES for row in _gas_days(site, *period)]


def _drop(name: str, rows: Iterable[_Row], dialect: _Dialect, supplied_at: datetime) -> Drop:
    return Drop(_SOURCE, name, _export(rows, dialect), supplied_at)


def energy_drops() -> list[Drop]:
    """Every export of the demo's meters, in the order the city got them."""
    october, sunday = datetime(2026, 10, 5, 6, tzinfo=UTC), datetime(2026, 11, 22, 6, tzinfo=UTC)
    elec, gas = "Verbruikshistoriek_elektriciteit", "Verbruikshistoriek_gas"
    latest = _with_mess(_without_mess(_day_totals(_LATEST)))
    autumn = _not_measured(_quarters(CITY_HALL, *_AUTUMN))
    hall, school = CITY_HALL.ean_electricity, SCHOOL.ean_electricity
    school_quarters = list(_quarters(SCHOOL, *_AUTUMN))
    in_english = f"Consumption_history_electricity_{school}_20261001_20261122_15 minute totals.csv"
    first = [
        _drop(f"{elec}_20190101_20191231_dagtotalen.csv", _day_totals(_BASE_YEAR), _NL_OLD, october),
        _drop(f"{gas}_20190101_20191231_dagtotalen.csv", _gas_totals(_BASE_YEAR), _NL_OLD_GAS, october),
        _drop(f"{elec}_{hall}_20260301_20260331_kwartiertotalen.csv", _quarters(CITY_HALL, *_SPRING), _NL, october),
        _drop(f"{elec}_{school}_20260301_20260331_kwartiertotalen.csv", _quarters(SCHOOL, *_SPRING), _NL, october),
    ]
    now = [
        _drop(f"{elec}_20251101_20261122_dagtotalen.csv", latest, _NL, sunday),
        _drop(f"{gas}_20251101_20261122_dagtotalen.csv", _with_mess(_gas_totals(_LATEST)), _NL_GAS, sunday),
        _drop(f"{elec}_{hall}_20261001_20261122_kwartiertotalen.csv", autumn, _NL, sunday),
        # the same download once more, as a browser names it
        _drop(f"{elec}_{hall}_20261001_20261122_kwartiertotalen-1.csv", autumn, _NL, sunday),
        _drop(in_english, school_quarters, _EN, sunday),
        _drop(f"{gas}_{LIBRARY.ean_gas}_20261020_20261122_uurtotalen.csv", _hours_of_gas(), _NL_GAS, sunday),
        _drop(f"{elec}_20260901_20261115_dagtotalen.csv", _at_home(), _NL, sunday),
    ]
    return [*first, *now, *_afterwards()]


def _at_home() -> list[_Row]:
    """A dwelling, and a meter that is not the city's at all."""
    days = list(_electricity_days(CITY_HALL, *_AT_HOME))
    return [
        replace(row, ean=ean, meter=f"1SAG99{ean[-8:]}", volume=(row.volume or 0) / 100)
        for ean in (DWELLING_EAN, STRANGER_EAN)
        for row in days
    ]


def _hours_of_gas() -> Iterator[_Row]:
    return _gas_hours(LIBRARY, date(2026, 10, 20), _AUTUMN[1])


def _afterwards() -> list[Drop]:
    """A correction of the estimated week, and the month that came last."""
    corrected = [replace(row, status="Gevalideerd") for row in _electricity_days(DEPOT, *_CORRECTED_WEEK)]
    late = _electricity_days(SPORTS_HALL, *_LATE_MONTH)
    name = "Historiek_afname_elektriciteit"
    correction = f"{name}_{DEPOT.ean_electricity}_20261102_20261108_dagtotalen.csv"
    month = f"{name}_{SPORTS_HALL.ean_electricity}_20260201_20260228_dagtotalen.csv"
    return [
        _drop(correction, corrected, _NL, datetime(2026, 11, 22, 16, tzinfo=UTC)),
        _drop(month, late, _NL, datetime(2026, 11, 22, 18, tzinfo=UTC)),
    ]
