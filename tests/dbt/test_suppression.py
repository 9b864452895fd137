"""No published table shows fewer than five: what counts persons passes through a model that hides small cells."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any

import duckdb
import pytest

from tests.dbt.landed_rows import COMPLETE_UNTIL, ORIGIN
from tests.dbt.warehouses import Built, insert, judge_again, measure_again
from warehouse.load import write_status

# the indicators' own schema is not published, but every row of it is
PUBLISHED = {"kpi", "marts", "verdicts", "quality"}
PERSONAL_SOURCES = ("renovation_coach__", "tickets_1777__", "charge_points__charge_sessions_hourly")
# what stands out about a point, in words that name no session
ABOUT_THINGS = {"fct_charge_point_findings"}
# hours and points; the sessions behind its energy are hidden before it
COUNTS_THINGS = ABOUT_THINGS | {"kpi_charge_point_service"}
HIDING = {"macro.ademruimte.suppressed", "macro.ademruimte.emptied_below_five"}
# numbers that count nobody
NO_COUNTS = {"rank_no", "year_reached", "steps", "kpi_n", "dwelling_units", "enrolments"}
# late or in time is what the city did: how many of a group that is told, tells of nobody
WHAT_THE_CITY_DID = {"n_first_line", "n_on_time", "n_late", "n_overdue_open", "n_overdue"}
COUNTED_UNITS = ("dossiers", "maatregelen")

Nodes = Mapping[str, Mapping[str, Any]]


def _nodes(built: Built) -> Nodes:
    manifest = built.judged.manifest()
    return {**manifest["nodes"], **manifest["sources"]}


def _is_personal(node: Mapping[str, Any]) -> bool:
    if node["resource_type"] == "source":
        return str(node["identifier"]).startswith(PERSONAL_SOURCES)
    return str(node["schema"]) == "personal"


def _says_it_suppresses(node: Mapping[str, Any]) -> bool:
    return bool(node["config"].get("meta", {}).get("suppresses"))


def _suppresses(node: Mapping[str, Any]) -> bool:
    """Saying so is not enough: a mart that carries the word would hide nothing and end the walk."""
    hides = HIDING & set(node.get("depends_on", {}).get("macros", ()))
    return _says_it_suppresses(node) and node["schema"] == "intermediate" and bool(hides)


def _ways(nodes: Nodes, published: str) -> Iterator[tuple[str, ...]]:
    """The ways from a published model up to personal facts, or to the first model that hides small cells.

    A published model on the way ends it: that one is looked at by itself.
    """
    waiting = [(published,)]
    seen = set()
    while waiting:
        path = waiting.pop()
        node = nodes.get(path[-1])
        if node is None or path[-1] in seen:
            continue
        seen.add(path[-1])
        if _is_personal(node) or _suppresses(node):
            yield path
        elif len(path) == 1 or node["schema"] not in PUBLISHED:
            waiting += [(*path, parent) for parent in node.get("depends_on", {}).get("nodes", ())]


def unsuppressed(nodes: Nodes, published: str) -> list[tuple[str, ...]]:
    return [path for path in _ways(nodes, published) if not _suppresses(nodes[path[-1]])]


def _published(nodes: Nodes) -> list[str]:
    return [key for key, node in nodes.items() if node["resource_type"] == "model" and node["schema"] in PUBLISHED]


def _leaks(nodes: Nodes) -> dict[str, list[tuple[str, ...]]]:
    found = {nodes[key]["name"]: unsuppressed(nodes, key) for key in _published(nodes)}
    return {name: paths for name, paths in found.items() if paths}


def test_nothing_reaches_persons_but_through_a_model_that_hides_small_cells(built: Built) -> None:
    assert _leaks(_nodes(built)).keys() == ABOUT_THINGS


def test_only_an_intermediate_model_that_hides_small_cells_says_that_it_does(built: Built) -> None:
    saying = [node for node in _nodes(built).values() if _says_it_suppresses(node)]
    assert len(saying) > 5
    assert [node["name"] for node in saying if not _suppresses(node)] == []


def _node(name: str, *parents: str, schema: str = "intermediate", macro: str = "", **meta: bool) -> dict[str, Any]:
    return {
        "name": name,
        "resource_type": "model",
        "schema": schema,
        "config": {"meta": meta},
        "depends_on": {"nodes": list(parents), "macros": [f"macro.ademruimte.{macro}"]},
    }


def test_a_mart_that_selects_past_suppression_is_found_and_its_own_word_does_not_count() -> None:
    source = {"resource_type": "source", "identifier": "tickets_1777__requests", "schema": "landing", "config": {}}
    nodes: Nodes = {
        "source": source,
        "counts": _node("counts", "source"),
        "shown": _node("shown", "counts", macro="suppressed", suppresses=True),
        "claims": _node("claims", "counts", suppresses=True),
        "good": _node("good", "shown", schema="marts"),
        "bad": _node("bad", "shown", "counts", schema="marts"),
        "worse": _node("worse", "counts", schema="marts", macro="suppressed", suppresses=True),
        "fooled": _node("fooled", "claims", schema="marts"),
        "above": _node("above", "bad", schema="verdicts"),
    }
    assert _leaks(nodes) == {
        "bad": [("bad", "counts", "source")],
        "worse": [("worse", "counts", "source")],
        "fooled": [("fooled", "claims", "counts", "source")],
    }


MONTHS = (date(2026, 9, 1), date(2026, 10, 1))
CODES = ("SLU", "GRO", "SIG", "OVE")
NEVER = None


def _asked(key: str, day: date, code: str, answer_after: int | None, sector: int) -> Mapping[str, object]:
    asked = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
    answered = None if answer_after is None else asked + timedelta(days=answer_after)
    return {
        "service_request_id": key,
        "status": "closed" if answered else "open",
        "requested_at": asked,
        "updated_at": answered,
        "closed_at": answered,
        "requested_date": day,
        "service_code": code,
        "sector_id": f"34022A0{sector}-",
        "is_first_line": False,
        **ORIGIN,
    }


def _questions() -> list[Mapping[str, object]]:
    """Of every month and theme: in time, too late and open, in numbers of which many are small."""
    sizes = {"SLU": (40, 1, 0), "GRO": (30, 9, 1), "SIG": (3, 0, 0), "OVE": (25, 12, 8)}
    found = []
    for (month, day), code in product(enumerate(MONTHS), CODES):
        for kind, answer_after in enumerate((1, 20, NEVER)):
            count = sizes[code][kind] + (month if sizes[code][kind] else 0)
            found += [
                _asked(f"{code}{month}{kind}{number}", day, code, answer_after, number % 7) for number in range(count)
            ]
    return found


def _dossiers() -> list[Mapping[str, object]]:
    return [
        {
            "dossier_id": f"D-{number}",
            "team": "kortrijk",
            "dwelling_key": f"house-{number}",
            "intake_date": date(2025, 1, 5),
            "phase": "aanmelding" if number < 3 else "advies",
            "phase_date": date(2025, 2, 1),
            "house_visit_date": date(2025 if number < 60 else 2026, 2, 1) if number >= 7 else None,
            "plan_delivered_date": date(2026, 3, 1) if number >= 60 else None,
            "is_correction": False,
            "delivery_week": "2026-W46",
            "file_team": "kortrijk",
            "is_snapshot": False,
            **ORIGIN,
        }
        for number in range(63)
    ]


def _measures() -> list[Mapping[str, object]]:
    """Four projects of 3, 6, 20 and 30 dossiers, of which 0, 6, 1 and 10 fossil-free."""
    projects = {"P-1": (3, 0), "P-2": (6, 6), "P-3": (20, 1), "P-4": (30, 10)}
    numbered = [(project, number, done) for project, done in projects.items() for number in range(done[0])]
    done = [
        {
            "dossier_id": f"D-{place}",
            "team": "kortrijk",
            "line_no": 1,
            "measure": "warmtepomp" if number < done[1] else "dak",
            "status": "uitgevoerd",
            "status_date": date(2026, 9, 1),
            "works_completed_date": date(2026, 9, 1),
            "is_fossil_free": number < done[1],
            "collective_project_id": project,
            "project_name": project,
            "project_street": "Demostraat",
            "project_enrolments": 40,
            "project_dwelling_units": 40,
            "is_correction": False,
            "delivery_week": "2026-W46",
            "file_team": "kortrijk",
            "is_snapshot": False,
            **ORIGIN,
        }
        for place, (project, number, done) in enumerate(numbered)
    ]
    return done + _ordered_by_one_household()


def _ordered_by_one_household() -> list[Mapping[str, object]]:
    """Five measures of one dossier that wait: many measures, one door."""
    return [
        {
            "dossier_id": "D-0",
            "team": "kortrijk",
            "line_no": line,
            "measure": measure,
            "status": "besteld",
            "status_date": date(2026, 10, 1),
            "works_completed_date": None,
            "collective_project_id": "P-4",
            "project_name": "P-4",
            "project_street": "Demostraat",
            "project_enrolments": 40,
            "project_dwelling_units": 40,
            "is_correction": False,
            "delivery_week": "2026-W46",
            "file_team": "kortrijk",
            "is_snapshot": False,
            **ORIGIN,
        }
        for line, measure in enumerate(("zolder", "vloer", "buitenmuur", "ramen_deuren", "ventilatie"), start=2)
    ]


@pytest.fixture(scope="module")
def small(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """A Kortrijk of small numbers."""
    warehouse = tmp_path_factory.mktemp("small") / "warehouse.duckdb"
    measure_again(warehouse, built, _land_small_numbers)
    return judge_again(warehouse, built)


def _land_small_numbers(con: duckdb.DuckDBPyConnection) -> None:
    insert(con, "tickets_1777", "requests", _questions())
    insert(con, "renovation_coach", "dossiers", _dossiers())
    insert(con, "renovation_coach", "measures", _measures())
    write_status(con, [(source, COMPLETE_UNTIL, None) for source in ("tickets_1777", "renovation_coach")])


def _counts_of_persons(built: Built) -> Iterator[tuple[str, str, str]]:
    """Every integer column of every published model behind which persons stand, with the rows that are about them."""
    nodes = _nodes(built)
    behind = {nodes[key]["name"]: nodes[key]["schema"] for key in _published(nodes) if list(_ways(nodes, key))}
    columns = built.rows(
        """select table_name, column_name from duckdb_columns()
        where schema_name in ('kpi', 'marts', 'verdicts', 'quality')
            and data_type in ('BIGINT', 'INTEGER', 'HUGEINT')"""
    )
    for table, column in columns:
        if table in behind and table not in COUNTS_THINGS and column not in NO_COUNTS | WHAT_THE_CITY_DID:
            yield f"{behind[table]}.{table}", column, "true"
    yield "verdicts.fct_gap_drivers", "contribution", f"unit in {COUNTED_UNITS}"
    personal = "kpi_model in ('kpi_renovation', 'kpi_renovation_pace', 'kpi_ticket_service', 'kpi_tickets_on_time')"
    yield "marts.fct_kpi_observations", "n", personal


@pytest.mark.parametrize("warehouse", ["built", "small"])
def test_no_count_of_persons_lies_between_one_and_four(warehouse: str, request: pytest.FixtureRequest) -> None:
    built: Built = request.getfixturevalue(warehouse)
    looked_at = list(_counts_of_persons(built))
    assert {table for table, *_ in looked_at} >= {
        "marts.fct_collective_projects",
        "kpi.kpi_renovation",
        "marts.fct_ticket_service_monthly",
        "marts.fct_ticket_service_quarterly",
        "marts.fct_ticket_service_rolling",
    }
    for table, column, about in looked_at:
        rows = built.rows(f"select * from {table} where {about} and {column} between 1 and 4")
        assert rows == [], f"{table}.{column}"


def test_what_is_left_of_a_shown_cell_is_no_small_number_either(small: Built) -> None:
    done = "select * from marts.fct_collective_projects where measures_completed - fossil_free_measures between 1 and 4"
    assert small.rows(done) == []


@pytest.mark.parametrize(
    ("table", "column", "per"),
    [
        ("fct_ticket_service_monthly", "n", "month_start"),
        ("fct_ticket_service_monthly", "closure_proxy_percent", "month_start"),
        ("fct_ticket_service_quarterly", "n", "quarter_start"),
        ("fct_collective_projects", "measures_completed", "true"),
        ("fct_collective_projects", "fossil_free_measures", "true"),
    ],
)
def test_a_cell_is_never_hidden_alone_for_the_total_of_the_city_would_tell_it(
    small: Built, table: str, column: str, per: str
) -> None:
    hidden = [
        count
        for (count,) in small.rows(f"select count(*) - count({column}) from marts.{table} group by {per} order by 1")
    ]
    assert max(hidden) >= 2
    assert 1 not in hidden


def test_a_project_of_which_a_count_is_hidden_has_its_flag_and_its_reason(small: Built) -> None:
    projects = """select measures_completed is null, fossil_free_measures is null, is_suppressed,
        empty_reason_nl is not null from marts.fct_collective_projects"""
    found = small.rows(projects)
    assert (False, True, True, True) in found
    for all_hidden, fossil_free_hidden, flagged, explained in found:
        assert flagged == explained == (all_hidden or fossil_free_hidden)


@pytest.mark.parametrize(
    "table",
    [
        "fct_ticket_service_monthly",
        "fct_ticket_service_quarterly",
        "fct_ticket_service_rolling",
        "fct_ticket_backlog",
        "fct_renovation_epc_steps",
        "fct_renovation_lead_times",
    ],
)
@pytest.mark.parametrize("warehouse", ["built", "small"])
def test_every_empty_figure_of_a_cell_says_why(warehouse: str, table: str, request: pytest.FixtureRequest) -> None:
    built: Built = request.getfixturevalue(warehouse)
    figures = built.rows(
        f"""select column_name from duckdb_columns() where table_name = '{table}' and schema_name = 'marts'
        and data_type in ('BIGINT', 'INTEGER', 'DOUBLE')"""
    )
    empty = " or ".join(f"{column} is null" for (column,) in figures)
    assert built.rows(f"select * from marts.{table} where ({empty}) and empty_reason_nl is null") == []
    assert built.rows(f"select * from marts.{table} where is_suppressed and empty_reason_nl is null") == []


def test_a_figure_of_the_city_is_told_from_five_on_and_says_why_it_is_empty(small: Built) -> None:
    told: Sequence[tuple[Any, ...]] = small.rows(
        """select kpi_id, value, n, empty_reason_nl from marts.fct_kpi_observations
        where kpi_id like 'renovation_c%' and ref_date = '2026-11-22' order by 1"""
    )
    assert told == [
        ("renovation_coached_households", None, None, "minder dan vijf gezinnen"),
        ("renovation_collective", 59, 59, None),
        ("renovation_custom_dwellings", None, None, "minder dan vijf gezinnen"),
        ("renovation_custom_trajectories", None, None, "minder dan vijf gezinnen"),
    ]


def test_no_driver_of_a_gap_rests_on_fewer_than_five(built: Built) -> None:
    assert built.rows("select count(*) from verdicts.fct_gap_drivers where n < 5") == [(0,)]


def test_five_measures_of_one_household_are_no_driver(small: Built) -> None:
    waiting = """select contribution, n from intermediate.int_gap_drivers__renovation
        where target_id = 'renovation_collective' and driver_key = 'order_to_done'"""
    assert small.rows(waiting) == [(5, 1)]
    shown = "select * from verdicts.fct_gap_drivers where driver_type = 'step' and unit = 'maatregelen'"
    assert small.rows(shown) == []


def test_the_four_kinds_of_drivers_occur_and_the_shares_of_a_kind_are_those_of_one_whole(
    built: Built, small: Built
) -> None:
    query = """select driver_type, round(sum(share), 4) from verdicts.fct_gap_drivers
        group by target_id, driver_type, unit"""
    whole = {*built.rows(query), *small.rows(query)}
    assert whole == {(kind, 1) for kind in ("category", "sector", "site", "step")}


def test_a_building_drives_emission_by_the_carrier_that_has_a_factor_and_names_the_one_that_lacks_it(
    built: Built,
) -> None:
    named = built.rows(
        """select label_nl, unit, compared_with from verdicts.fct_gap_drivers
        where target_id = 'own_buildings_co2_2030_vs_2019' order by 1"""
    )
    assert named == [
        ("Stadhuis", "kg CO2", "path"),
        ("Stadhuis (stroom in kWh: emissiefactor ontbreekt)", "kWh", "path"),
    ]
