"""The rows of the small Kortrijk: few enough to check by hand."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

import duckdb

COMPLETE_UNTIL = datetime(2026, 11, 22, 18, tzinfo=UTC)
ORIGIN: Mapping[str, object] = {
    "batch_id": "b1",
    "line": 1,
    "supplied_at": datetime(2026, 11, 22, 19, tzinfo=UTC),
    "content_sha256": "a",
    "known_at": datetime(2026, 11, 22, 20, tzinfo=UTC),
}
ELECTRICITY = "541448890000000117"
GAS = "541448890000000124"
DWELLING = "541448890000000711"


def _ticket(
    number: int, asked: datetime, answered: datetime | None, sector_id: str | None = None
) -> Mapping[str, object]:
    return {
        "service_request_id": str(number),
        "status": "closed" if answered else "open",
        "requested_at": asked,
        "updated_at": answered,
        "closed_at": answered,
        "requested_date": asked.date(),
        "sector_id": sector_id,
        **ORIGIN,
    }


def _tickets() -> Sequence[Mapping[str, object]]:
    """Twenty questions in five days: ten in time, five too late and five open, the last of one neighbourhood each."""
    found = []
    for number in range(20):
        asked = _NOVEMBER + timedelta(days=(0, 1, 2, 3, 6)[number % 5])
        answered = [asked + timedelta(days=1), asked + timedelta(days=1), _TOO_LATE, None][number // 5]
        found.append(_ticket(number + 1, asked, answered, ("34022A00-", "34022A01-")[number // 5 % 2]))
    return [*found, _ticket(21, datetime(2026, 11, 20, 9, tzinfo=UTC), None)]


def _evse(number: int, watt: int) -> tuple[Mapping[str, object], Mapping[str, object], Mapping[str, object]]:
    whose = {"country_code": "BE", "party_id": "ABC", "location_id": f"l{number}"}
    changed = {"last_updated_at": datetime(2026, 11, 1, tzinfo=UTC), "last_updated_date": date(2026, 11, 1)}
    place = {"is_published": True, "latitude": 50.8, "longitude": 3.2, "is_open_24_7": number % 2 == 0}
    evse = {"evse_uid": "1", "evse_id": f"BE*ABC*E{number}", "status": "AVAILABLE"}
    plug = {
        "evse_uid": "1",
        "connector_id": "1",
        "power_type": "AC_3_PHASE",
        "max_voltage_v": 230,
        "max_amperage_a": 16,
        "max_electric_power_w": watt,
    }
    return whose | place | changed | ORIGIN, whose | evse | changed | ORIGIN, whose | plug | changed | ORIGIN


def _charged(number: int, day: date, energy_kwh: float) -> Mapping[str, object]:
    return {
        "country_code": "BE",
        "party_id": "ABC",
        "location_id": f"l{number}",
        "evse_uid": "1",
        "module": "cdrs",
        "hour_at": datetime(day.year, day.month, day.day, 10, tzinfo=UTC),
        "energy_kwh": energy_kwh,
        "session_count": 1,
        "charged_minutes": 60,
        "charge_date": day,
        **ORIGIN,
    }


def _dossier(number: int, dwelling: str, plan: date | None) -> Mapping[str, object]:
    return {
        "dossier_id": f"D-{number}",
        "team": "kortrijk",
        "dwelling_key": dwelling,
        "intake_date": date(2026, 1, 5),
        "phase": "advies",
        "phase_date": date(2026, 2, 1),
        "house_visit_date": date(2026, 2, 1),
        "plan_delivered_date": plan,
        "is_correction": False,
        "delivery_week": "2026-W46",
        "file_team": "kortrijk",
        "is_snapshot": False,
        **ORIGIN,
    }


def _measure(number: int, measure: str, *, fossil_free: bool) -> Mapping[str, object]:
    return {
        "dossier_id": f"D-{number}",
        "team": "kortrijk",
        "line_no": 1,
        "measure": measure,
        "status": "uitgevoerd",
        "status_date": date(2026, 9, 1),
        "works_completed_date": date(2026, 9, 1),
        "is_fossil_free": fossil_free,
        "collective_project_id": "P-1",
        "project_name": "Burenproject Demostraat",
        "project_street": "Demostraat",
        "project_enrolments": 12,
        "project_dwelling_units": 12,
        "project_type": "fossielvrij",
        "is_correction": False,
        "delivery_week": "2026-W46",
        "file_team": "kortrijk",
        "is_snapshot": False,
        **ORIGIN,
    }


def _indicator(kpi_id: str, ref_date: date, value: float) -> Mapping[str, object]:
    return {"kpi_id": kpi_id, "area_id": "34022", "ref_date": ref_date, "value": value, "unit": "x", **ORIGIN}


_CHARGE_POINTS = [_evse(number, watt) for number, watt in enumerate((11_000, 22_000, 50_000, 350_000))]
_ALL_SAINTS = date(2026, 11, 1)
_NOVEMBER = datetime(2026, 11, 3, 9, tzinfo=UTC)
_TOO_LATE = datetime(2026, 11, 20, 9, tzinfo=UTC)
_PLANNED = date(2026, 4, 1)


def _connection(site: str, ean: str, carrier: str, **more: object) -> Mapping[str, object]:
    return {
        "site_id": site,
        "name_nl": site.title(),
        "ean": ean,
        "carrier": carrier,
        "valid_from_date": date(1900, 1, 1),
        "floor_area_m2": 1_000.0,
        "building_use": "administratie",
        "department_id": "gebouwen",
        "is_dwelling": False,
        "area_id": "34022",
        **ORIGIN,
        **more,
    }


ROWS: Mapping[tuple[str, str], Sequence[Mapping[str, object]]] = {
    ("buildings", "connections"): [
        _connection("stadhuis", ELECTRICITY, "electricity"),
        _connection("stadhuis", GAS, "gas"),
        _connection("conciergewoning", DWELLING, "electricity", is_dwelling=True, name_nl=None),
    ],
    ("charge_points", "locations"): [rows[0] for rows in _CHARGE_POINTS],
    ("charge_points", "evses"): [rows[1] for rows in _CHARGE_POINTS],
    ("charge_points", "connectors"): [rows[2] for rows in _CHARGE_POINTS],
    ("charge_points", "crawls"): [
        {
            "started_at": datetime(2026, 11, 22, 18, tzinfo=UTC),
            "ended_at": datetime(2026, 11, 22, 19, tzinfo=UTC),
            "is_full": True,
            "location_count": 4,
            "evse_count": 4,
            "sessions_from_date": date(2026, 10, 1),
            "sessions_to_date": date(2026, 11, 21),
            "crawl_date": date(2026, 11, 22),
            **ORIGIN,
        }
    ],
    ("charge_points", "charge_sessions_hourly"): [
        *(_charged(1, date(2026, 10, day), 1.5) for day in range(5, 10)),
        _charged(2, _ALL_SAINTS, 9),
    ],
    ("tickets_1777", "requests"): _tickets(),
    ("renovation_coach", "dossiers"): [
        _dossier(1, "house-a", date(2026, 3, 1)),
        _dossier(2, "house-a", _PLANNED),
        _dossier(3, "house-b", None),
        *(_dossier(number, f"house-{number}", _PLANNED) for number in range(4, 8)),
        *(_dossier(number, f"house-{number}", None) for number in range(8, 13)),
    ],
    ("renovation_coach", "measures"): [
        _measure(1, "dak", fossil_free=False),
        # the same roof in the other dossier of that dwelling
        _measure(2, "dak", fossil_free=False),
        _measure(3, "warmtepomp", fossil_free=True),
        *(_measure(number, "dak", fossil_free=False) for number in (4, 5)),
        *(_measure(number, "warmtepomp", fossil_free=True) for number in (6, 7)),
    ],
    ("indicators", "observations"): [
        _indicator("trees_extra", date(2026, 10, 31), 20_000),
        _indicator("happy_share", date(2026, 10, 31), 84),
        _indicator("epc_c_2030", date(2026, 10, 31), 40),
        _indicator("charge_points_total", date(2026, 11, 22), 99_999),
        _indicator("own_buildings_co2_2030_vs_2019", date(2026, 11, 22), -20),
        # what the note itself says of 2021
        _indicator("co2_territory_2030", date(2021, 12, 31), -6.17),
        _indicator("co2_territory_2040", date(2021, 12, 31), -6.17),
    ],
}


def land_readings(con: duckdb.DuckDBPyConnection) -> None:
    """Days of two access points: 100 kWh in 2019 and 95 kWh since; gas in kWh and, beside it, in m3."""
    con.execute(
        """
        insert into landing.energy_meters__readings by name
        select
            ean, '' as meter_id, '' as sub_ean, carrier, 'offtake' as direction, 'total' as register, unit,
            'P1D' as granularity, 3 as quality_rank, 'fluvius_csv' as source, true as has_check_digit,
            timezone('Europe/Brussels', day) as start_at, timezone('Europe/Brussels', day + interval 1 day) as end_at,
            case when year(day) = 2019 then 100 else 95 end * factor as value, 'read' as quality,
            day::date as reading_date, 'b1' as batch_id, 1 as line, timestamptz '2026-11-22 19:00:00+00' as supplied_at,
            'a' as content_sha256, timestamptz '2026-11-22 20:00:00+00' as known_at
        from generate_series(timestamp '2019-01-01', timestamp '2026-11-21', interval 1 day) as days (day)
        cross join (values (?, 'electricity', 'kWh', 1), (?, 'gas', 'kWh', 1), (?, 'gas', 'm3', 0.1))
            as meters (ean, carrier, unit, factor)
        where year(day) not in (2020, 2021, 2022, 2023, 2024)
        """,
        [ELECTRICITY, GAS, GAS],
    )
    con.execute(
        """
        insert into landing.energy_meters__readings by name
        select * exclude (hour_no) replace (
            'PT1H' as granularity, value / 24 as value, start_at + hour_no * interval 1 hour as start_at
        )
        from (select * from landing.energy_meters__readings cross join generate_series(0, 23) as hours (hour_no))
        where ean = ? and reading_date in ('2026-10-17', '2026-11-20')
        """,
        [ELECTRICITY],
    )
