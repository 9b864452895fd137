"""No published table shows fewer than five: what counts persons passes through a model that hides small cells."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.dbt.warehouses import Built

PUBLISHED = {"marts", "verdicts", "quality"}
PERSONAL_SOURCES = ("renovation_coach__", "tickets_1777__", "charge_points__charge_sessions_hourly")
# of a point of charge and its operator, never of who charged there
ABOUT_THINGS = {"fct_charge_point_findings"}

Nodes = Mapping[str, Mapping[str, Any]]


def _nodes(built: Built) -> Nodes:
    manifest = built.judged.manifest()
    return {**manifest["nodes"], **manifest["sources"]}


def _is_personal(node: Mapping[str, Any]) -> bool:
    if node["resource_type"] == "source":
        return str(node["identifier"]).startswith(PERSONAL_SOURCES)
    return str(node["schema"]) == "personal"


def _suppresses(node: Mapping[str, Any]) -> bool:
    return bool(node["config"].get("meta", {}).get("suppresses"))


def unsuppressed(nodes: Nodes, published: str) -> Iterator[tuple[str, ...]]:
    """The ways from a published model up to personal facts on which nothing hides a small cell.

    A published model on the way ends it: that one is looked at by itself.
    """
    waiting = [(published,)]
    seen = set()
    while waiting:
        path = waiting.pop()
        node = nodes.get(path[-1])
        if node is None or path[-1] in seen or _suppresses(node):
            continue
        seen.add(path[-1])
        if _is_personal(node):
            yield path
        elif len(path) == 1 or node["schema"] not in PUBLISHED:
            waiting += [(*path, parent) for parent in node.get("depends_on", {}).get("nodes", ())]


def _published(nodes: Nodes) -> list[str]:
    return [key for key, node in nodes.items() if node["resource_type"] == "model" and node["schema"] in PUBLISHED]


def _leaks(nodes: Nodes) -> dict[str, list[tuple[str, ...]]]:
    found = {nodes[key]["name"]: list(unsuppressed(nodes, key)) for key in _published(nodes)}
    return {name: paths for name, paths in found.items() if paths and name not in ABOUT_THINGS}


def test_what_reaches_persons_unsuppressed_counts_the_whole_city(built: Built) -> None:
    leaks = _leaks(_nodes(built))
    assert leaks, "the walk must at least find the KPIs"
    [(city,)] = built.rows("select area_id from seeds.city")
    for name, paths in leaks.items():
        assert name.startswith("kpi_"), f"{name} shows cells of persons past suppression: {paths[0]}"
        areas = built.rows(f"select distinct area_id from marts.{name}")
        assert areas in ([], [(city,)]), f"{name} shows {areas}; a smaller area needs suppression"


def test_the_tables_by_department_theme_and_label_are_suppressed(built: Built) -> None:
    nodes = _nodes(built)
    by_name = {nodes[key]["name"]: key for key in _published(nodes)}
    for name in ("fct_ticket_service_monthly", "fct_renovation_lead_times", "fct_renovation_epc_steps"):
        assert list(unsuppressed(nodes, by_name[name])) == []
    assert list(unsuppressed(nodes, by_name["fct_gap_drivers"])) == []


def test_a_mart_that_selects_past_suppression_is_found() -> None:
    def node(name: str, *parents: str, schema: str = "intermediate", **meta: bool) -> dict[str, Any]:
        return {
            "name": name,
            "resource_type": "model",
            "schema": schema,
            "config": {"meta": meta},
            "depends_on": {"nodes": list(parents)},
        }

    source = {"resource_type": "source", "identifier": "tickets_1777__requests", "schema": "landing", "config": {}}
    nodes: Nodes = {
        "source": source,
        "counts": node("counts", "source"),
        "shown": node("shown", "counts", suppresses=True),
        "good": node("good", "shown", schema="marts"),
        "bad": node("bad", "shown", "counts", schema="marts"),
        "above": node("above", "bad", schema="verdicts"),
    }
    assert _leaks(nodes) == {"bad": [("bad", "counts", "source")]}


@pytest.mark.parametrize("table", ["marts.fct_ticket_service_monthly", "marts.fct_renovation_lead_times"])
def test_a_small_cell_of_the_build_shows_no_number(built: Built, table: str) -> None:
    counted = "n_received" if "ticket" in table else "dossiers"
    assert built.rows(f"select count(*) from {table} where {counted} < 5") == [(0,)]


def test_no_driver_of_a_gap_rests_on_fewer_than_five(built: Built) -> None:
    assert built.rows("select count(*) from verdicts.fct_gap_drivers where n < 5") == [(0,)]
    assert built.rows("select target_id, label_nl, share from verdicts.fct_gap_drivers where driver_type = 'site'") == [
        ("own_energy_use_yearly", "Stadhuis", 1)
    ]
