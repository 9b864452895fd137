"""Charge points as rows: which value of an OCPI object stands in which column.

Belongs here: making text of what an operator sent, the broken objects too, in the columns of the contract, and where a
point lies. Does not belong here: which objects may come in and what their absence means (the source module), which text
is bad (the contract), sessions (`charge_sessions`).
"""

import polars as pl

from contracts.cities.profile import City
from contracts.sources.charge_points import CONTRACT
from contracts.vocabulary import LINE
from ingestion.areas import MUNICIPALITY, SECTOR, Areas
from ingestion.protocols.ocpi_hours import least_hours_a_day

Row = dict[str, str | None]
_Cells = tuple[str | None, ...]
_TABLES = ("locations", "evses", "connectors")


def flatten(locations: list[object]) -> dict[str, pl.DataFrame]:
    """Location objects as rows of locations, EVSEs and connectors; `line` is the position in the crawl."""
    rows: dict[str, list[_Cells]] = {name: [] for name in _TABLES}
    for sent in locations:
        location = as_object(sent)
        whose = _cells(location, country_code="country_code", party_id="party_id", location_id="id")
        rows["locations"].append(_in_order("locations", whose | _location(location)))
        for sent_evse in _list(location.get("evses")):
            evse = as_object(sent_evse)
            rows["evses"].append(_in_order("evses", whose | _evse(evse)))
            rows["connectors"] += [_in_order("connectors", each) for each in _connectors(whose, evse)]
    return {name: _framed(name, found) for name, found in rows.items()}


def row_count(location: dict[str, object]) -> int:
    """How many rows `flatten` makes of a location."""
    evses = _list(location.get("evses"))
    return 1 + len(evses) + sum(len(_list(as_object(evse).get("connectors"))) for evse in evses)


def with_areas(locations: pl.DataFrame, areas: Areas | None, city: City) -> pl.DataFrame:
    """In which municipality and sector each point lies; its address often names another."""
    if areas is None or locations.is_empty():
        return locations
    longitude, latitude = (locations[name].cast(pl.Float64, strict=False) for name in ("longitude", "latitude"))
    municipality = areas.of(longitude, latitude, MUNICIPALITY)
    inside = pl.when(longitude.is_not_null() & latitude.is_not_null()).then(municipality.eq_missing(city.area_id))
    return locations.with_columns(
        municipality.alias("municipality_id"),
        areas.of(longitude, latitude, SECTOR).alias("sector_id"),
        inside.cast(pl.String).alias("is_in_municipality"),
    )


def _location(location: dict[str, object]) -> Row:
    coordinates = as_object(location.get("coordinates"))
    return (
        _cells(location, publish="publish", parking_type="parking_type", last_updated="last_updated")
        | _cells(coordinates, latitude="latitude", longitude="longitude")
        | _cells(as_object(location.get("operator")), operator_name="name")
        | _cells(as_object(location.get("opening_times")), twentyfourseven="twentyfourseven")
        | {"hours_min_per_day": as_text(least_hours_a_day(location.get("opening_times")))}
        | dict.fromkeys(("municipality_id", "sector_id", "is_in_municipality"))
    )


def _evse(evse: dict[str, object]) -> Row:
    restrictions = sorted(filter(None, map(as_text, _list(evse.get("parking_restrictions")))), key=str.upper)
    return _cells(evse, evse_uid="uid", evse_id="evse_id", status="status", last_updated="last_updated") | {
        "parking_restrictions": ",".join(restrictions) or None
    }


def _connectors(whose: Row, evse: dict[str, object]) -> list[Row]:
    whose = whose | _cells(evse, evse_uid="uid")
    return [whose | _connector(as_object(sent), evse) for sent in _list(evse.get("connectors"))]


def _connector(connector: dict[str, object], evse: dict[str, object]) -> Row:
    cells = _cells(
        connector,
        connector_id="id",
        standard="standard",
        format="format",
        power_type="power_type",
        max_voltage="max_voltage",
        max_amperage="max_amperage",
        max_electric_power="max_electric_power",
        last_updated="last_updated",
    )
    # operators leave it out, and a connector is part of its EVSE
    changed = cells["last_updated"] or as_text(evse.get("last_updated"))
    # who has no power to declare writes 0; what is below 1000 and more than nothing was meant in kW
    power = None if cells["max_electric_power"] == "0" else cells["max_electric_power"]
    return cells | {"last_updated": changed, "max_electric_power": power}


def _cells(source: dict[str, object], **wire: str) -> Row:
    return {column: as_text(source.get(name)) for column, name in wire.items()}


def as_object(sent: object) -> dict[str, object]:
    """What should be an object; something else is one that says nothing."""
    return sent if isinstance(sent, dict) else {}


def _list(sent: object) -> list[object]:
    """What should be a list; something else is one broken element, so that it is seen."""
    if sent is None:
        return []
    return sent if isinstance(sent, list) else [sent]


def as_text(sent: object) -> str | None:
    """A JSON value as plain text; a structure where a value belongs is no value."""
    if sent is None or isinstance(sent, dict | list):
        return None
    if isinstance(sent, bool):
        return str(sent).lower()
    # 22000.0 is the JSON number 22000
    return str(int(sent)) if isinstance(sent, float) and sent.is_integer() else str(sent)


def table_of(table: str, rows: list[Row]) -> pl.DataFrame:
    """Rows as a table of the contract."""
    return _framed(table, [_in_order(table, row) for row in rows])


def _in_order(table: str, row: Row) -> _Cells:
    return tuple(row[column] for column in CONTRACT.table(table).received.columns)


def _framed(table: str, rows: list[_Cells]) -> pl.DataFrame:
    columns = CONTRACT.table(table).received.columns
    return numbered(pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row"))


def numbered(rows: pl.DataFrame) -> pl.DataFrame:
    """A table with the position of each row as its `line`."""
    return rows.with_row_index(LINE, offset=1).cast({LINE: pl.Int64})
