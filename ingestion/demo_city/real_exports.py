"""Real exports, as they lie in a folder the user names, turned into what a supplier would deliver.

Belongs here: renaming and regrouping of real files, so that the same jobs run on them. Does not belong here:
inventing or repairing values.
"""

import csv
import gzip
import json
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from contracts.sources.buildings import CONNECTIONS
from ingestion.demo_city.files import Drop, semicolon_lines, write

_BOSTON = ZoneInfo("America/New_York")
_EAN = re.compile(r'="(\d{18})"')
_REGISTER_SUPPLIED_AT = datetime(2026, 1, 1, tzinfo=UTC)
_FLUVIUS_FOLDER = "energy_meters/fluvius_export"
_SECTORS_2020 = "indicators/kortrijk_statistische_sector_2020.csv"
_SWING = "indicators/swing_upload_kortrijk_2018_2021.csv"
_TICKETS = "tickets_1777/311_service_requests_2011.csv.gz"
_INDICATOR_HEADER = ("kpi_id", "area", "ref_date", "value", "unit", "source", "published_at", "uncertainty")
_SOURCE_NAME = "Fluvius open data"
# the files say no moment of publication: a year after the last period they hold
_PUBLISHED = {_SECTORS_2020: "2021-12-31", _SWING: "2022-12-31"}
_CUSTOMERS = {"Persoon": "personen", "Bedrijf": "bedrijven"}
_SECTORS = {
    "HUISHOUDENS": "huishoudens",
    "TERTIAIRE SECTOR": "tertiair",
    "INDUSTRIE": "industrie",
    "LANDBOUW, BOSBOUW EN VISSERIJ": "landbouw",
    "TRANSPORT": "transport",
    "ENERGIESECTOR": "energie",
    "REST": "rest",
    "Empty/Onbekend": "onbekend",
}

Observation = tuple[str, str, str, str, str]


def fluvius_drops(data: Path, drop: Path) -> list[Path]:
    """Copies the Mijn Fluvius exports into the drop folder, untouched, with a register that names their meters.

    Args:
        data: the folder with real files.
        drop: the profile's drop folder; the exports go to `energy_meters/`, the register to `buildings/`.

    Returns:
        The exports.

    Raises:
        FileNotFoundError: the folder holds no export.
    """
    folder = data / _FLUVIUS_FOLDER
    found = sorted(folder.glob("*.csv"))
    if not found:
        raise FileNotFoundError(f"no Mijn Fluvius export (*.csv) in {folder}; name the folder with real files in DATA")
    write(_register_of(found), drop)
    return [_copied(file, drop / "energy_meters") for file in found]


def _register_of(exports: list[Path]) -> Drop:
    """A register with one building per access point in the exports; what they serve, nobody said."""
    carriers = {ean: _carrier(file) for file in exports for ean in _eans(file)}
    rows = [
        (f"meter_{number}", f"Gebouw achter meter {number}", ean, carrier, "", "", "", "andere", "", "", "nee", "")
        for number, (ean, carrier) in enumerate(sorted(carriers.items()), 1)
    ]
    text = semicolon_lines([CONNECTIONS.received.columns, *rows])
    return Drop("buildings", "gebouwenregister.csv", text.encode(), _REGISTER_SUPPLIED_AT)


def _eans(export: Path) -> set[str]:
    return set(_EAN.findall(export.read_text(encoding="utf-8-sig")))


def _carrier(export: Path) -> str:
    return "gas" if "gas" in export.name else "elektriciteit"


def indicator_drops(data: Path, drop: Path) -> list[Path]:
    """Turns Fluvius' open data of Kortrijk into two files of the indicators contract.

    Args:
        data: the folder with real files.
        drop: the profile's drop folder; the files go to `indicators/`.

    Raises:
        FileNotFoundError: one of the two files is not there.
    """
    return [
        _indicator_file(data, drop, _SECTORS_2020, ";", _of_sector_2020),
        _indicator_file(data, drop, _SWING, ",", _of_swing),
    ]


def locations(data: Path, town: str, version: str) -> list[dict[str, Any]]:
    """The OCPI locations of a town as they stood on a day.

    Args:
        data: the folder with real files.
        town: `roosendaal` or `terneuzen`.
        version: the day of the dump, `2026-06-02`.

    Raises:
        FileNotFoundError: there is no such dump.
    """
    file = _existing(data / "charge_points" / town / f"{town}.{version}.ocpi_locations.json")
    found: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    return found


def tickets(data: Path) -> list[dict[str, Any]]:
    """Boston's service requests of the second half of 2011, as GeoReport v2 requests.

    Args:
        data: the folder with real files.

    Raises:
        FileNotFoundError: the file is not there.
    """
    with gzip.open(_existing(data / _TICKETS), "rt", encoding="utf-8", newline="") as lines:
        return [_request(row) for row in csv.DictReader(lines)]


def _existing(file: Path) -> Path:
    if not file.is_file():
        raise FileNotFoundError(f"{file} is not there; name the folder with real files in DATA")
    return file


def _copied(file: Path, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / file.name
    shutil.copyfile(file, target)
    ready = target.with_name(f"{target.name}.ready")
    # when the supplier made it is not known; when it was last changed is the nearest
    changed = datetime.fromtimestamp(int(file.stat().st_mtime), UTC)
    ready.write_text(changed.isoformat().replace("+00:00", "Z") + "\n", encoding="utf-8")
    return target


def _indicator_file(
    data: Path,
    drop: Path,
    name: str,
    delimiter: str,
    observations: Callable[[Mapping[str, str]], Iterable[Observation]],
) -> Path:
    file = _existing(data / name)
    published = _PUBLISHED[name]
    with file.open(encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter=delimiter))
    found = (observation for row in rows for observation in observations(row))
    content = _csv_text((*observation, _SOURCE_NAME, published, "") for observation in found)
    supplied_at = datetime.fromisoformat(f"{published}T12:00:00+00:00")
    return write(Drop("indicators", file.name, content.encode(), supplied_at), drop)


def _csv_text(rows: Iterable[Iterable[str]]) -> str:
    return "".join(",".join(row) + "\n" for row in (_INDICATOR_HEADER, *rows))


def _of_swing(row: Mapping[str, str]) -> Iterator[Observation]:
    """One line per measure: consumption and injection in kWh, `_n` a number of connections."""
    for measure, value in row.items():
        if measure.startswith("v2506_") and value:
            unit = "aansluitingen" if measure.endswith("_n") else "kWh"
            kpi_id = f"fluvius_{measure.removeprefix('v2506_')}"
            yield kpi_id, row["geoitem"], f"{row['period']}-12-31", value, unit


def _of_sector_2020(row: Mapping[str, str]) -> Iterator[Observation]:
    """Two lines per row: its consumption and its number of connections."""
    words = (row["Markt"].lower(), row["Richting"].lower(), _SECTORS[row["Sector"]], _CUSTOMERS[row["Rol Contact"]])
    kpi_id, area = f"fluvius_{'_'.join(words)}", row["Statistische Sector"]
    yield f"{kpi_id}_kwh", area, "2020-12-31", row["Benaderend Verbruik (kWh)"], "kWh"
    yield f"{kpi_id}_n", area, "2020-12-31", row["Aantal"], "aansluitingen"


def _request(row: Mapping[str, str]) -> dict[str, Any]:
    is_closed = row["case_status"].lower() == "closed"
    return {
        "service_request_id": row["case_enquiry_id"],
        "status": "closed" if is_closed else "open",
        "service_code": row["type"],
        "service_name": row["reason"],
        "agency_responsible": row["department"],
        "description": row["case_title"],
        "requested_datetime": _with_offset(row["open_dt"]),
        "updated_datetime": _with_offset(row["closed_dt"]) if is_closed else None,
        "expected_datetime": _with_offset(row["target_dt"]),
        "address": row["location"],
        "zipcode": row["location_zipcode"],
        "lat": row["latitude"],
        "long": row["longitude"],
    }


def _with_offset(wall_clock: str) -> str | None:
    """A wall-clock moment of Boston with its offset; the file does not tell the repeated hour apart."""
    return datetime.fromisoformat(wall_clock).replace(tzinfo=_BOSTON).isoformat() if wall_clock else None
