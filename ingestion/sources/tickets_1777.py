"""1777 tickets: GeoReport requests as one flat table of text."""

import polars as pl

from contracts.sources.tickets_1777 import REQUESTS
from contracts.vocabulary import LINE
from ingestion.delivery import Context, Delivery, Endpoint
from ingestion.http import address
from ingestion.protocols import open311


def fetch(endpoint: Endpoint, context: Context) -> Delivery:
    """Every request since the endpoint's first date, complete up to the server's time.

    Raises:
        TransientSupplierError, PermanentSupplierError: see `ingestion.protocols.open311`.
    """
    requests = open311.read_requests(endpoint, context.city.time_zone)
    return Delivery(
        origin=address(endpoint.url),
        tables={REQUESTS.name: flatten(requests.rows)},
        supplied_at=requests.server_time,
        complete_until=requests.server_time,
    )


def flatten(requests: list[object]) -> pl.DataFrame:
    """Requests as rows of text; `line` is the position in the crawl.

    Of a field that no contract names only the name comes along: it may hold a person's words.
    """
    rows = [request if isinstance(request, dict) else {} for request in requests]
    known = REQUESTS.received.columns
    unknown = sorted({str(name) for row in rows for name in row} - {*known, LINE})
    cells = [tuple(_text(row.get(column)) for column in known) for row in rows]
    frame = pl.DataFrame(cells, schema=dict.fromkeys(known, pl.String), orient="row")
    nothing = [pl.lit(None, pl.String).alias(name) for name in unknown]
    return frame.with_columns(nothing).with_row_index(LINE, offset=1).cast({LINE: pl.Int64})


def _text(sent: object) -> str | None:
    """A JSON value as plain text: identifiers come as numbers or as text."""
    return None if sent is None or isinstance(sent, dict | list) else str(sent)
