"""`ademruimte powerbi`: the published tables as dbt describes them, written as a Power BI project."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from contracts.marts.descriptions import dutch
from orchestration.loop.publishing import PUBLISHED_SCHEMAS
from orchestration.loop.transform import parse
from orchestration.settings import Settings
from warehouse.published.powerbi.marts import Link, Mart, MartColumn, Marts
from warehouse.published.powerbi.project import write_project
from warehouse.published.powerbi.source import Source


def write_power_bi(settings: Settings, source: Source, folder: Path) -> bool:
    """Writes the project of today's code; nothing need be built.

    Returns:
        Whether the report was written: one that lies there already is somebody's own.

    Raises:
        ModelError: what is declared for Power BI does not fit the marts; nothing was written.
    """
    return write_project(read_marts(json.loads(parse(settings).read_text("utf-8"))), source, folder)


def read_marts(manifest: Mapping[str, Any]) -> Marts:
    """The tables that readers see, and the links that dbt's relationship tests state, from dbt's manifest."""
    models = {
        unique_id: node
        for unique_id, node in manifest["nodes"].items()
        if node["resource_type"] == "model"
        and node["schema"] in PUBLISHED_SCHEMAS
        and node["config"]["materialized"] != "ephemeral"
    }
    names = {node["name"] for node in models.values()}
    return Marts.of(map(_mart, models.values()), (link for link in _links(manifest, models) if link.one in names))


def _mart(node: Mapping[str, Any]) -> Mart:
    columns = tuple(_column(column) for column in node["columns"].values())
    key = node["primary_key"][0] if len(node.get("primary_key") or ()) == 1 else None
    return Mart(node["schema"], node["name"], dutch(node["description"]), columns, key)


def _column(column: Mapping[str, Any]) -> MartColumn:
    return MartColumn(column["name"], column["data_type"], dutch(column["description"]))


def _links(manifest: Mapping[str, Any], models: Mapping[str, Any]) -> Iterator[Link]:
    for node in manifest["nodes"].values():
        asked = node.get("test_metadata") or {}
        attached = models.get(node.get("attached_node") or "")
        if asked.get("name") == "relationships" and attached is not None:
            named = asked["kwargs"]
            # `ref('dim_target')`, or `ref('ademruimte', 'dim_target')`
            one = named["to"].rpartition("(")[2].rpartition(",")[2].strip(" ')\"")
            yield Link(attached["name"], named["column_name"], one, named["field"])
