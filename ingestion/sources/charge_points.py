"""Charge points: OCPI locations as three flat tables of text.

Nothing is lost on the way: an object that is not one still becomes a row, and the gate says why it is bad.
"""

import polars as pl

from contracts.sources.charge_points import CONTRACT
from contracts.vocabulary import LINE
from ingestion.delivery import Context, Delivery, Endpoint
from ingestion.http import address
from ingestion.protocols import ocpi

_Row = dict[str, str | None]
_TABLES = ("locations", "evses", "connectors")


def fetch(endpoint: Endpoint, _: Context) -> Delivery:
    """Every location of the operator as it stands now.

    Raises:
        TransientSupplierError, PermanentSupplierError: see `ingestion.protocols.ocpi`.
    """
    with ocpi.client_for(endpoint) as client:
        crawl = ocpi.crawl_locations(client, endpoint.url)
    return Delivery(
        origin=address(endpoint.url),
        tables=flatten(crawl.objects),
        supplied_at=crawl.server_time,
        complete_until=crawl.server_time,
    )


def flatten(locations: list[object]) -> dict[str, pl.DataFrame]:
    """Location objects as rows of locations, EVSEs and connectors; `line` is the position in the crawl."""
    rows: dict[str, list[_Row]] = {name: [] for name in _TABLES}
    for sent in locations:
        location = _object(sent)
        whose = _cells(location, country_code="country_code", party_id="party_id", location_id="id")
        rows["locations"].append(whose | _location(location))
        for sent_evse in _list(location.get("evses")):
            evse = _object(sent_evse)
            rows["evses"].append(
                whose | _cells(evse, evse_uid="uid", evse_id="evse_id", status="status", last_updated="last_updated")
            )
            rows["connectors"] += _connectors(whose, evse)
    return {name: _frame(name, found) for name, found in rows.items()}


def _location(location: dict[str, object]) -> _Row:
    coordinates = _object(location.get("coordinates"))
    return (
        _cells(location, publish="publish", parking_type="parking_type", last_updated="last_updated")
        | _cells(coordinates, latitude="latitude", longitude="longitude")
        | _cells(_object(location.get("operator")), operator_name="name")
        | _cells(_object(location.get("opening_times")), twentyfourseven="twentyfourseven")
    )


def _connectors(whose: _Row, evse: dict[str, object]) -> list[_Row]:
    whose = whose | _cells(evse, evse_uid="uid")
    return [whose | _connector(_object(sent), evse) for sent in _list(evse.get("connectors"))]


def _connector(connector: dict[str, object], evse: dict[str, object]) -> _Row:
    cells = _cells(
        connector,
        connector_id="id",
        standard="standard",
        power_type="power_type",
        max_voltage="max_voltage",
        max_amperage="max_amperage",
        max_electric_power="max_electric_power",
        last_updated="last_updated",
    )
    # operators leave it out, and a connector is part of its EVSE
    return cells | {"last_updated": cells["last_updated"] or _text(evse.get("last_updated"))}


def _cells(source: dict[str, object], **wire: str) -> _Row:
    return {column: _text(source.get(name)) for column, name in wire.items()}


def _object(sent: object) -> dict[str, object]:
    return sent if isinstance(sent, dict) else {}


def _list(sent: object) -> list[object]:
    """What should be a list; something else is one broken element, so that it is seen."""
    if sent is None:
        return []
    return sent if isinstance(sent, list) else [sent]


def _text(sent: object) -> str | None:
    """A JSON value as plain text; a structure where a value belongs is no value."""
    if sent is None or isinstance(sent, dict | list):
        return None
    if isinstance(sent, bool):
        return str(sent).lower()
    # 22000.0 is the JSON number 22000
    return str(int(sent)) if isinstance(sent, float) and sent.is_integer() else str(sent)


def _frame(table: str, rows: list[_Row]) -> pl.DataFrame:
    columns = CONTRACT.table(table).received.columns
    cells = [tuple(row[column] for column in columns) for row in rows]
    frame = pl.DataFrame(cells, schema=dict.fromkeys(columns, pl.String), orient="row")
    return frame.with_row_index(LINE, offset=1).cast({LINE: pl.Int64})
