"""Indicators: the file that any department can fill and drop, and the city's own Swing site."""

from collections import Counter
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import polars as pl
from pydantic import SecretStr

from contracts.sources.indicators import OBSERVATIONS
from contracts.vocabulary import LINE
from ingestion.delivery import Context, Delivery
from ingestion.endpoint import Endpoint
from ingestion.http import address
from ingestion.protocols.swing import Form, Value, Values, read_list, read_values
from ingestion.protocols.template import TemplateFile
from ingestion.source import AskedSource, Tables

_ELSEWHERE = "of another municipality"
_TO_COME = "about a day to come"
_UNPLACED = "without a code of its area or a period"


class SwingEndpoint(Endpoint):
    """How the city's Swing site is asked."""

    url: str
    """The city's Swing site (https://<city>.incijfers.be); without this address only dropped files are read."""
    token: SecretStr | None = None
    """The key of its Open Data Service, where it asks one."""
    since: date | None = None
    """The first day asked (YYYY-MM-DD)."""
    mapping: Path
    """A CSV file (swing_code, kpi_id, unit, geolevel, periodlevel) that says which variable is which indicator."""
    form: Form = Form.ODATA
    """How the site is asked: odata, or table for a site without the Open Data Service."""


class Indicators(TemplateFile, AskedSource[SwingEndpoint]):
    """Figures that departments keep."""

    table = OBSERVATIONS
    endpoint = SwingEndpoint

    def filled(self, rows: pl.DataFrame, context: Context) -> pl.DataFrame:
        """The rows beside the registry."""
        return _beside_the_registry(rows, context)

    def revise(self, kept: Tables, context: Context) -> tuple[Tables, Mapping[str, int]]:
        """What was kept of an earlier delivery, beside the registry of today; nothing is withheld."""
        rows = kept[OBSERVATIONS.name].drop(OBSERVATIONS.received.added, strict=False)
        return {**kept, OBSERVATIONS.name: _beside_the_registry(rows, context)}, {}

    def fetch(self, endpoint: SwingEndpoint, context: Context) -> Delivery:
        """The values of the city that its Swing site holds, complete up to the site's own time.

        Raises:
            TransientSupplierError, PermanentSupplierError: see `ingestion.protocols.swing`.
        """
        found = read_values(endpoint.url, read_list(endpoint.mapping), endpoint.form, endpoint.token, endpoint.since)
        inside = [value for value in found.values if value.area.startswith(context.city.area_id)]
        kept = [value for value in inside if value.absence is None and value.ref_date <= found.server_time.date()]
        return Delivery(
            origin=address(endpoint.url),
            tables={OBSERVATIONS.name: _beside_the_registry(_frame(kept, address(endpoint.url)), context)},
            supplied_at=found.server_time,
            complete_until=found.server_time,
            withheld=_withheld(found, inside),
        )


SOURCE = Indicators()


def _frame(values: list[Value], shown: str) -> pl.DataFrame:
    columns = ("kpi_id", "area", "ref_date", "value", "unit", "source")
    cells = [
        (one.wanted.kpi_id, one.area, one.ref_date.isoformat(), one.text, one.wanted.unit, f"Swing {shown}")
        for one in values
    ]
    frame = pl.DataFrame(cells, schema=dict.fromkeys(columns, pl.String), orient="row")
    return frame.with_row_index(LINE, offset=1).cast({LINE: pl.Int64})


def _withheld(found: Values, inside: list[Value]) -> dict[str, int]:
    reasons = Counter(absence for value in inside if (absence := value.absence) is not None)
    to_come = sum(value.absence is None and value.ref_date > found.server_time.date() for value in inside)
    counted = {**reasons, _TO_COME: to_come, _ELSEWHERE: len(found.values) - len(inside), _UNPLACED: found.unplaced}
    return {reason: rows for reason, rows in counted.items() if rows}


def _beside_the_registry(rows: pl.DataFrame, context: Context) -> pl.DataFrame:
    """The rows with what the registry says of their indicator; a city without a registry says nothing."""
    registry = context.registry()
    if registry.is_empty():
        return rows
    named = pl.col("kpi_id").str.strip_chars()
    by_kpi = registry.group_by("kpi_id").agg(pl.col("unit"), pl.col("needs_check").any())
    beside = rows.select(named).join(by_kpi, on="kpi_id", how="left", maintain_order="left")
    own = rows["unit"].str.strip_chars()
    units = beside["unit"]
    # a KPI with two targets may have two units; the one of the row is right when it is among them
    fitting = pl.select(pl.when(units.list.contains(own)).then(own).otherwise(units.list.first())).to_series()
    return rows.with_columns(
        pl.Series("registered", units.is_not_null().replace_strict({True: "ja", False: "nee"}, return_dtype=pl.String)),
        fitting.alias("registry_unit"),
        beside["needs_check"].replace_strict({True: "ja", False: "nee"}, return_dtype=pl.String).alias("needs_check"),
    )
