"""The Power BI project, read back by programs that did not write it; Power BI itself cannot be tried here."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from copy import deepcopy
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from orchestration.power_bi import read_marts
from orchestration.settings import Settings
from tests.orchestration.profiles import settings_in
from warehouse.engine import connect
from warehouse.frames import read_frame
from warehouse.published.pointer import POINTER
from warehouse.published.powerbi.model import ModelError, model_of
from warehouse.published.powerbi.pages import HEIGHT, PAGES, WIDTH
from warehouse.published.powerbi.project import MODEL, PROJECT, REPORT, write_project
from warehouse.published.powerbi.source import Folder, Postgres
from warehouse.published.powerbi.theme import BEHIND, GOOD, RISK, SERIES, UNJUDGED

PROGRAMS = Path(sys.executable).parent
SOURCE = Postgres("dwh.example:5432", "ademruimte")
# what TMDL knows of a column; the parser also reads what is misspelt
PROPERTIES = {
    "annotations",
    "dataCategory",
    "dataType",
    "displayFolder",
    "formatString",
    "lineageTag",
    "name",
    "sortByColumn",
    "sourceColumn",
    "summarizeBy",
    "type",
}
TEXT = re.compile(r'"[^"]*"')
COLUMN = re.compile(r"'((?:[^']|'')+)'\[([^\]]+)\]")
TABLE = re.compile(r"'((?:[^']|'')+)'(?!\[)")
MEASURE = re.compile(r"(?<!')\[([^\]]+)\]")


def _program(name: str, *words: object) -> str:
    command = [PROGRAMS / name, *map(str, words)]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def manifest(demo: Settings) -> dict[str, Any]:
    """Of the demo: the same code that built what readers of it see."""
    found: dict[str, Any] = json.loads((demo.layout.dbt / "target" / "manifest.json").read_text("utf-8"))
    return found


@pytest.fixture(scope="module")
def project(manifest: Mapping[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("powerbi")
    write_project(read_marts(manifest), SOURCE, folder)
    return folder


@pytest.fixture(scope="module")
def tables(project: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The tables as another parser reads them, by name."""
    out = tmp_path_factory.mktemp("parsed")
    _program("tmdl-to-json", project / MODEL / "definition" / "tables", "-o", out)
    parsed = [json.loads(path.read_text("utf-8")) for path in out.rglob("*.json")]
    return {_bare(table["name"]): table for table in parsed}


@pytest.fixture(scope="module")
def columns(tables: Mapping[str, Mapping[str, Any]]) -> dict[tuple[str, str], Mapping[str, Any]]:
    return {(name, _bare(column["name"])): column for name, table in tables.items() for column in table["columns"]}


@pytest.fixture(scope="module")
def measures(tables: Mapping[str, Mapping[str, Any]]) -> dict[str, tuple[str, str]]:
    """The table and the expression of every measure."""
    found = [(name, measure) for name, table in tables.items() for measure in table.get("measures", ())]
    assert len({measure["name"] for _, measure in found}) == len(found)
    return {measure["name"]: (table, measure["expression"]) for table, measure in found}


@pytest.fixture(scope="module")
def shown(project: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str]]:
    """Every field of every visual, as pbir-utils finds them."""
    out = tmp_path_factory.mktemp("shown") / "fields.csv"
    _program("pbir-utils", "extract-metadata", project / REPORT, out)
    with out.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def _bare(name: str) -> str:
    return name.strip("'").replace("''", "'")


def test_the_command_writes_a_project_and_whoever_writes_it_again_writes_the_same_bytes(
    demo: Settings, project: Path, tmp_path: Path
) -> None:
    dbt = settings_in(tmp_path / "var", {}).layout.dbt
    dbt.mkdir(parents=True)
    for parsed in demo.layout.dbt.glob("parsed-*.msgpack"):
        shutil.copy(parsed, dbt)
    environment = os.environ | {"ADEMRUIMTE_HOME": str(tmp_path / "var"), "PYTHONPATH": str(Path(__file__).parents[2])}
    out = tmp_path / "out"
    command = [sys.executable, "-m", "orchestration.cli", "powerbi", "--out", out, "--server", SOURCE.server]
    said = subprocess.run(command, env=environment, check=True, capture_output=True, text=True, timeout=120)
    assert said.stdout == f"{out / PROJECT}\n"
    assert _files(out) == _files(project)
    assert json.loads((out / PROJECT).read_text("utf-8"))["artifacts"] == [{"report": {"path": REPORT}}]
    expressions = (out / MODEL / "definition" / "expressions.tmdl").read_text("utf-8")
    assert 'expression Server = "dwh.example:5432"' in expressions


@pytest.mark.parametrize("of_column", [False, True])
def test_a_changed_description_changes_one_file(
    project: Path, manifest: Mapping[str, Any], tmp_path: Path, *, of_column: bool
) -> None:
    changed = deepcopy(dict(manifest))
    node = changed["nodes"]["model.ademruimte.dim_site"]
    described = node["columns"]["name_nl"] if of_column else node
    described["description"] = "NL Iets anders | EN Something else"
    write_project(read_marts(changed), SOURCE, tmp_path)
    before, after = _files(project), _files(tmp_path)
    assert before.keys() == after.keys()
    assert [path for path in before if before[path] != after[path]] == [f"{MODEL}/definition/tables/Gebouw.tmdl"]


def test_a_table_that_appears_later_is_in_the_model_by_itself_with_what_it_refers_to(
    manifest: Mapping[str, Any], tmp_path: Path
) -> None:
    changed = deepcopy(dict(manifest))
    node = deepcopy(changed["nodes"]["model.ademruimte.dim_department"])
    node |= {"name": "dim_new_thing", "unique_id": "model.ademruimte.dim_new_thing", "description": "NL Iets | EN Any"}
    changed["nodes"][node["unique_id"]] = node
    changed["nodes"]["test.new"] = {
        "resource_type": "test",
        "attached_node": "model.ademruimte.dim_new_thing",
        "test_metadata": {
            "name": "relationships",
            "kwargs": {"column_name": "department_id", "to": "ref('dim_department')", "field": "department_id"},
        },
    }
    write_project(read_marts(changed), SOURCE, tmp_path)
    definition = tmp_path / MODEL / "definition"
    assert "ref table 'New thing'" in (definition / "model.tmdl").read_text("utf-8")
    assert 'Item = "dim_new_thing"' in (definition / "tables" / "New thing.tmdl").read_text("utf-8")
    relations = (definition / "relationships.tmdl").read_text("utf-8")
    assert "'New thing'.'Code van de afdeling'\n\ttoColumn: Afdeling.'Code van de afdeling'" in relations


def test_a_column_that_a_measure_names_and_the_marts_lost_is_an_error_that_says_where(
    manifest: Mapping[str, Any], tmp_path: Path
) -> None:
    changed = deepcopy(dict(manifest))
    del changed["nodes"]["model.ademruimte.fct_target_verdicts"]["columns"]["progress"]
    with pytest.raises(ModelError, match=r"measure 'Behaald %' in measures\.py: .* has no column 'progress'"):
        write_project(read_marts(changed), SOURCE, tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_report_is_the_experts_own_from_then_on_and_a_table_that_is_gone_leaves_the_model(
    manifest: Mapping[str, Any], tmp_path: Path
) -> None:
    assert write_project(read_marts(manifest), SOURCE, tmp_path)
    own = tmp_path / REPORT / "definition" / "pages" / "own.json"
    own.write_text("{}")
    gone = tmp_path / MODEL / "definition" / "tables" / "Verdwenen.tmdl"
    gone.write_text("table Verdwenen\n")
    assert not write_project(read_marts(manifest), SOURCE, tmp_path)
    assert own.exists()
    assert not gone.exists()


def test_the_model_holds_every_published_table_of_readers_and_nothing_of_one_person_or_one_kpi(
    demo: Settings, manifest: Mapping[str, Any]
) -> None:
    marts = read_marts(manifest)
    published = demo.layout.published / "current" / "parquet"
    there = {path.stem for schema in ("marts", "verdicts") for path in (published / schema).glob("*.parquet")}
    ours = {table.name for table in marts.tables}
    assert ours == there
    assert not [name for name in there if name.startswith("kpi_")]
    personal = {node["name"] for node in manifest["nodes"].values() if node.get("schema") == "personal"}
    assert personal
    assert not personal & ours


def test_every_table_and_column_of_the_readers_file_says_in_dutch_alone_what_it_is(demo: Settings) -> None:
    with connect(demo.layout.published / "current" / "ademruimte.duckdb", read_only=True) as con:
        tables = con.execute("select table_name, comment from duckdb_tables()").fetchall()
        columns = con.execute(
            "select table_name || '.' || column_name, comment from duckdb_columns() where not internal"
        ).fetchall()
    assert len(tables) > 45
    assert [name for name, comment in (*tables, *columns) if not comment or "EN " in comment or "NL " in comment] == []


def test_a_second_parser_reads_every_table_column_and_measure(
    demo: Settings, manifest: Mapping[str, Any], tables: Mapping[str, Any], columns: Mapping[tuple[str, str], Any]
) -> None:
    model = model_of(read_marts(manifest))
    assert set(tables) == {table.name for table in model.tables} | {"Lezer"}
    assert {property_ for column in columns.values() for property_ in column} <= PROPERTIES
    for table in model.tables:
        file = demo.layout.published / "current" / "parquet" / table.mart.schema / f"{table.mart.name}.parquet"
        read = [column["sourceColumn"] for (name, _), column in columns.items() if name == table.name]
        # the build is a column of its own where PostgreSQL or Power Query adds it
        assert dict.fromkeys([*read_frame(file).columns, "build_id"]) == dict.fromkeys(read)
        assert [measure["name"] for measure in tables[table.name].get("measures", ())] == [
            measure.name for measure in table.measures
        ]


def test_no_two_fields_of_a_table_bear_one_name(
    columns: Mapping[tuple[str, str], Any], measures: Mapping[str, Any]
) -> None:
    names = [(table, name.casefold()) for table, name in columns]
    names += [(table, name.casefold()) for name, (table, _) in measures.items()]
    assert len(set(names)) == len(names) > 300


def test_every_table_column_and_measure_says_in_dutch_what_it_is(project: Path) -> None:
    for path in (project / MODEL / "definition" / "tables").iterdir():
        lines = path.read_text("utf-8").splitlines()
        for above, line in zip(["", *lines], lines, strict=False):
            if line.startswith(("table ", "\tcolumn ", "\tmeasure ")):
                assert re.match(r"\t?/// \S", above), f"{path.name}: {line}"
                assert " EN " not in above


def test_every_reference_of_a_measure_exists_and_its_brackets_balance(
    tables: Mapping[str, Any], columns: Mapping[tuple[str, str], Any], measures: Mapping[str, tuple[str, str]]
) -> None:
    assert len(measures) > 40
    for name, (_, expression) in measures.items():
        bare = TEXT.sub('""', expression)
        assert set(COLUMN.findall(bare)) <= columns.keys(), name
        assert set(TABLE.findall(COLUMN.sub("", bare))) <= tables.keys(), name
        assert set(MEASURE.findall(COLUMN.sub("", bare))) <= measures.keys() | {"Value"}, name
        assert all(bare.count(opening) == bare.count(closing) for opening, closing in ("()", "[]", "{}")), name


def test_the_version_is_asked_of_every_table(
    tables: Mapping[str, Any], measures: Mapping[str, tuple[str, str]]
) -> None:
    _, expression = measures["Gegevensversie"]
    asked = {table for table, _ in COLUMN.findall(expression)}
    assert asked == set(tables) - {"Lezer"}
    assert '"GEMENGD: vernieuw opnieuw"' in expression


def test_a_filter_reaches_a_table_by_one_way_only(manifest: Mapping[str, Any]) -> None:
    relations = model_of(read_marts(manifest)).relations
    below: dict[str, list[str]] = {}
    for relation in relations:
        if relation.is_active:
            below.setdefault(relation.link.one, []).append(relation.link.many)

    def reached(table: str) -> list[str]:
        return [each for name in below.get(table, ()) for each in (name, *reached(name))]

    for table in below:
        assert len(set(reached(table))) == len(reached(table)), table
    active = {relation.link[:3] for relation in relations if relation.is_active}
    assert ("fct_target_verdicts", "target_id", "dim_target") in active
    assert ("dim_target", "department_id", "dim_department") in active
    assert ("fct_charge_point_stock_monthly", "sector_area_id", "dim_area") in active


def test_keys_are_hidden_time_is_marked_and_nothing_adds_up_by_itself(
    project: Path, tables: Mapping[str, Any], columns: Mapping[tuple[str, str], Mapping[str, Any]]
) -> None:
    assert tables["Datum"]["dataCategory"] == "Time"
    assert "isKey" in (project / MODEL / "definition" / "tables" / "Datum.tmdl").read_text("utf-8")
    assert "discourageImplicitMeasures" in (project / MODEL / "definition" / "model.tmdl").read_text("utf-8")
    text = {path.stem: path.read_text("utf-8") for path in (project / MODEL / "definition" / "tables").iterdir()}
    for (table, name), column in columns.items():
        assert column["summarizeBy"] == "none"
        if column["sourceColumn"] in {"build_id", "target_id", "site_id", "title_en"}:
            [declared] = re.findall(rf"\tcolumn '?{re.escape(name)}'?\n((?:\t\t.*\n)+)", text[table])
            assert "\t\tisHidden\n" in declared, (table, name)


def test_who_reads_with_the_role_sees_the_own_department(project: Path, columns: Mapping[tuple[str, str], Any]) -> None:
    role = (project / MODEL / "definition" / "roles" / "Eigen afdeling.tmdl").read_text("utf-8")
    assert "USERPRINCIPALNAME()" in role
    assert {("Afdeling", "Code van de afdeling"), ("Lezer", "Gebruiker")} <= set(COLUMN.findall(role)) <= columns.keys()


def test_pbir_utils_finds_no_fault_in_the_report(project: Path) -> None:
    said = _program("pbir-utils", "validate", project / REPORT, "--format", "json", "--strict")
    # its own name stands above what it found
    found = json.loads(said[said.index("{") :])
    assert (found["summary"]["errors"], found["summary"]["warnings"]) == (0, 0)
    assert found["summary"]["passed"] >= 15


def test_every_field_of_every_visual_exists_in_the_model_and_in_the_mart(
    shown: list[dict[str, str]], columns: Mapping[tuple[str, str], Any], measures: Mapping[str, tuple[str, str]]
) -> None:
    assert {row["Page Name"] for row in shown} == {page.name for page in PAGES}
    for row in shown:
        table, name = row["Table"], row["Column or Measure"]
        if row["Attribute Type"] == "Measure":
            assert measures[name][0] == table
        else:
            assert columns[table, name]["sourceColumn"]
    assert len(shown) > 80


def test_every_visual_stands_on_its_page_beside_the_others_and_says_what_it_shows(project: Path) -> None:
    for page in (project / REPORT / "definition" / "pages").iterdir():
        visuals = [json.loads(path.read_text("utf-8")) for path in page.rglob("visual.json")]
        boxes = [visual["position"] for visual in visuals]
        for box in boxes:
            assert box["x"] >= 0 <= box["y"]
            assert box["x"] + box["width"] <= WIDTH
            assert box["y"] + box["height"] <= HEIGHT
        assert not [(one, other) for one, other in combinations(boxes, 2) if _overlap(one, other)]
        for visual in visuals:
            [general] = visual["visual"]["visualContainerObjects"]["general"]
            assert len(general["properties"]["altText"]["expr"]["Literal"]["Value"]) > 10


def _overlap(one: Mapping[str, float], other: Mapping[str, float]) -> bool:
    return all(
        one[start] < other[start] + other[size] and other[start] < one[start] + one[size]
        for start, size in (("x", "width"), ("y", "height"))
    )


def test_whoever_has_no_postgresql_reads_the_folder_by_its_pointer(
    demo: Settings, manifest: Mapping[str, Any], tmp_path: Path
) -> None:
    marts = read_marts(manifest)
    write_project(marts, Folder(r"\\server\ademruimte\published"), tmp_path)
    definition = tmp_path / MODEL / "definition"
    expressions = (definition / "expressions.tmdl").read_text("utf-8")
    assert r'expression Folder = "\\server\ademruimte\published"' in expressions
    assert "PostgreSQL" not in "".join(path.read_text("utf-8") for path in definition.rglob("*.tmdl"))
    # what Power Query takes out of the pointer, taken here by the same names
    pointer = json.loads((demo.layout.published / POINTER).read_text("utf-8"))
    taken = re.findall(r"Wijzer\[(\w+)\]", expressions)
    assert set(taken) == {"parquet", "build_id"} <= pointer.keys()
    for table in marts.tables:
        parts = [*pointer["parquet"].split("/"), table.schema, f"{table.name}.parquet"]
        assert demo.layout.published.joinpath(*parts).is_file()
        query = (definition / "tables" / f"{model_of(marts).table(table.name).name}.tmdl").read_text("utf-8")
        assert f'Tabel("{table.schema}", "{table.name}")' in query
        moments = {column.name for column in table.columns if column.type.startswith("timestamp")}
        assert set(re.findall(r'\{"(\w+)", AlsUtc', query)) == moments


def test_questions_in_time_by_department_and_month_are_one_join_of_the_model_away(
    demo: Settings, manifest: Mapping[str, Any]
) -> None:
    ways = {(link.many, link.one): link for link, is_active in model_of(read_marts(manifest)).relations if is_active}
    link = ways["fct_ticket_service_monthly", "dim_department"]
    with connect(demo.layout.warehouse, read_only=True) as con:
        told = con.execute(
            f"""select dim.name_nl, month_start, sum(n_on_time), sum(n)
            from marts.fct_ticket_service_monthly as fact
            inner join marts.dim_department as dim on fact.{link.many_column} = dim.{link.one_column}
            where n_on_time is not null group by all having sum(n) > 0"""
        ).fetchall()
        # the questions themselves, which no reader sees
        counted = con.execute(
            """select name_nl, date_trunc('month', requested_date)::date,
                count(*) filter (where outcome = 'on_time'), count(*)
            from personal.fct_tickets inner join marts.dim_department using (department_id)
            where is_counted and is_term_over group by all"""
        ).fetchall()
    assert len(told) > 3
    assert set(told) <= set(counted)


# how somebody without the red, the green or the blue cones sees a colour (Viénot, Brettel and Mollon, linear RGB)
BLIND = {
    "nobody": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protan": ((0.11238, 0.88762, 0), (0.11238, 0.88762, 0), (0.00401, -0.00401, 1)),
    "deutan": ((0.29275, 0.70725, 0), (0.29275, 0.70725, 0), (-0.02234, 0.02234, 1)),
    "tritan": ((1, 0.14461, -0.14461), (0, 0.85924, 0.14076), (0, 0.85924, 0.14076)),
}


def _linear(colour: str) -> list[float]:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    return [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]


def _luminance(colour: str) -> float:
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), _linear(colour), strict=True))


def _lab(linear: list[float]) -> list[float]:
    to_xyz = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
    white = (0.9505, 1.0, 1.089)
    xyz = [sum(w * part for w, part in zip(row, linear, strict=True)) for row in to_xyz]
    bent = [
        (part / full) ** (1 / 3) if part / full > 0.008856 else 7.787 * part / full + 16 / 116
        for part, full in zip(xyz, white, strict=True)
    ]
    return [116 * bent[1] - 16, 500 * (bent[0] - bent[1]), 200 * (bent[1] - bent[2])]


@pytest.mark.parametrize("seen_by", BLIND)
@pytest.mark.parametrize("colours", [SERIES, (BEHIND, RISK, GOOD, UNJUDGED)], ids=["series", "judgements"])
def test_colours_are_told_apart_by_whoever_is_colour_blind_and_read_on_white(
    colours: tuple[str, ...], seen_by: str
) -> None:
    def seen(colour: str) -> list[float]:
        linear = _linear(colour)
        rows = ([sum(w * part for w, part in zip(row, linear, strict=True)) for row in BLIND[seen_by]],)
        return _lab([min(max(part, 0.0), 1.0) for part in rows[0]])

    for one, other in combinations(colours, 2):
        apart = sum((a - b) ** 2 for a, b in zip(seen(one), seen(other), strict=True)) ** 0.5
        # two and a half is just noticeable; a line and a dot need more
        assert apart > 15, (one, other, apart)
    for colour in colours:
        assert 1.05 / (_luminance(colour) + 0.05) >= 3.0, colour
