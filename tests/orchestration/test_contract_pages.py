"""What is published of the contracts is what the contracts say, for people and for machines."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import fastexcel
import pytest
import yaml

from contracts.registry import all_contracts
from contracts.vocabulary import Received, SourceContract, TableContract
from orchestration.dbt_project import DBT_PROJECT
from orchestration.giving_back.contract_pages import INDEX, page, published, template_names
from orchestration.giving_back.generated import stale, write
from orchestration.giving_back.lines import check
from orchestration.giving_back.open_data_contract import API_VERSION
from orchestration.giving_back.staging_models import OF_THE_LOADER, staging_models
from orchestration.settings import Settings
from tests.orchestration.profiles import NOW
from tests.orchestration.test_cli import Run, own_logger, run  # noqa: F401 - fixtures

PUBLISHED = Path(__file__).parents[2] / "docs" / "contracts"
SOURCES = list(all_contracts())
TEMPLATES = [(name, template) for name in SOURCES for template in template_names(all_contracts()[name])]
# of the standard's JSON schema: what an object must hold, and what it may hold beside that
SHAPES: Mapping[str, tuple[set[str], set[str]]] = {
    "contract": (
        {"version", "apiVersion", "kind", "id", "status"},
        {"name", "tenant", "tags", "servers", "dataProduct", "description", "domain", "schema", "support", "price"}
        | {"team", "roles", "slaProperties", "authoritativeDefinitions", "customProperties", "contractCreatedTs"},
    ),
    "object": (
        {"name"},
        {"logicalType", "physicalType", "physicalName", "description", "businessName", "authoritativeDefinitions"}
        | {"tags", "customProperties", "dataGranularityDescription", "properties", "relationships", "quality"},
    ),
    "property": (
        {"name"},
        {"physicalType", "description", "businessName", "authoritativeDefinitions", "tags", "customProperties"}
        | {"primaryKey", "primaryKeyPosition", "logicalType", "logicalTypeOptions", "physicalName", "required"}
        | {"unique", "partitioned", "partitionKeyPosition", "classification", "encryptedName", "examples", "quality"}
        | {"transformSourceObjects", "transformLogic", "transformDescription", "criticalDataElement", "relationships"},
    ),
    "agreement": (
        {"property", "value"},
        {"valueExt", "unit", "element", "driver", "description", "scheduler", "schedule"},
    ),
    "support": ({"channel"}, {"url", "description", "tool", "scope", "invitationUrl", "customProperties"}),
    "team": (set(), {"name", "description", "members", "tags", "customProperties", "authoritativeDefinitions"}),
    "custom": ({"property", "value"}, {"description"}),
}
QUALITY = {
    "text": ({"type"}, {"name", "description", "dimension", "severity"}),
    "library": ({"type", "metric"}, {"name", "arguments", "mustBe", "unit", "dimension", "severity"}),
}
OPTIONS = {
    "string": {"minLength", "maxLength", "pattern", "format"},
    "number": {"multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "format"},
    "integer": {"multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "format"},
    "date": {"format", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum"},
    "timestamp": {"format", "maximum", "minimum", "timezone", "defaultTimezone"},
    "boolean": set[str](),
}
DIMENSIONS = {"accuracy", "completeness", "conformity", "consistency", "coverage", "timeliness", "uniqueness"}


def test_what_is_published_is_what_the_contracts_say() -> None:
    differing = stale(published(all_contracts()), PUBLISHED)
    assert not differing, "run `ademruimte contracts write` and keep what it made"


def test_the_staging_models_are_what_the_contracts_say() -> None:
    differing = stale(staging_models(all_contracts()), DBT_PROJECT / "models" / "staging", (OF_THE_LOADER,))
    assert not differing, "run `ademruimte contracts write` and keep what it made"


def test_a_staging_model_names_every_column_that_a_model_may_read_and_where_a_row_came_from() -> None:
    models = staging_models({"indicators": all_contracts()["indicators"]})
    text = models["indicators/stg_indicators__observations.sql"].decode()
    staged = [column.name for column in all_contracts()["indicators"].tables[0].columns if column.staged]
    assert re.findall(r"'(\w+)'", text) == ["indicators", "observations", *staged]
    described = yaml.safe_load(models["indicators/_indicators.yml"])
    assert described["sources"][0]["tables"][0]["identifier"] == "indicators__observations"
    assert [model["name"] for model in described["models"]] == ["stg_indicators__observations"]


def test_a_new_column_makes_the_staging_model_of_its_table_stale_and_the_loader_s_own_are_left_alone(
    tmp_path: Path,
) -> None:
    contract = all_contracts()["tickets_1777"]
    write(staging_models({"tickets_1777": contract}), tmp_path)
    (tmp_path / OF_THE_LOADER).mkdir()
    (tmp_path / OF_THE_LOADER / "own.sql").touch()
    requests, events = contract.tables
    wider = replace(requests, columns=(*requests.columns, replace(requests.columns[0], name="mood")))
    changed = staging_models({"tickets_1777": replace(contract, tables=(wider, events))})
    assert stale(changed, tmp_path, (OF_THE_LOADER,)) == ["tickets_1777/stg_tickets_1777__requests.sql"]


# --- writing and checking ---------------------------------------------------------------------------------------


def test_a_changed_missing_or_spare_page_is_named(tmp_path: Path) -> None:
    contracts = {"indicators": all_contracts()["indicators"]}
    names = write(published(contracts), tmp_path)
    assert {INDEX, "indicators.md", "indicators.odcs.yaml"} <= set(names)
    assert stale(published(contracts), tmp_path) == []
    (tmp_path / "indicators.md").write_text("anders")
    (tmp_path / "indicators.odcs.yaml").unlink()
    (tmp_path / "weer.md").touch()
    assert stale(published(contracts), tmp_path) == ["indicators.md", "indicators.odcs.yaml", "weer.md"]
    write(published(contracts), tmp_path)
    assert stale(published(contracts), tmp_path) == []
    assert not (tmp_path / "weer.md").exists()


def test_a_changed_contract_makes_its_page_stale(tmp_path: Path) -> None:
    contract = all_contracts()["indicators"]
    write(published({"indicators": contract}), tmp_path)
    table = replace(contract.tables[0], description_nl="Iets anders.")
    assert stale(published({"indicators": replace(contract, tables=(table,))}), tmp_path) == [
        "indicators.md",
        "indicators.odcs.yaml",
    ]


def test_writing_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        write(published(all_contracts()), tmp_path / folder)
    one, two = ({path.name: path.read_bytes() for path in (tmp_path / folder).iterdir()} for folder in ("one", "two"))
    assert one == two


def test_the_command_writes_and_checks(run: Run, empty_profile: Callable[..., Settings], tmp_path: Path) -> None:  # noqa: F811
    folder, models = tmp_path / "contracten", tmp_path / "staging"
    where = ("--folder", str(folder), "--staging", str(models))
    missing = run(empty_profile(), "contracts", "check", *where)
    assert missing.exit_code == 1
    assert missing.output.endswith("run `ademruimte contracts write`\n")
    assert run(empty_profile(), "contracts", "write", *where).exit_code == 0
    checked = run(empty_profile(), "contracts", "check", *where)
    assert (models / "buildings" / "stg_buildings__connections.sql").is_file()
    assert (checked.exit_code, checked.output) == (0, "")


# --- the page ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SOURCES)
def test_a_page_names_every_column_limit_and_reason(name: str) -> None:
    contract = all_contracts()[name]
    text = page(contract)
    for table in contract.tables:
        for column in (*table.received.columns, *table.schema):
            assert f"`{column}`" in text
        for column in table.columns:
            assert all(f"`{value}`" in text for value in column.allowed)
        for rule in table.rules:
            assert rule.reason.split(": ")[-1].split("*")[0] in text


@pytest.mark.parametrize("name", SOURCES)
def test_no_line_of_a_table_is_broken_by_what_stands_in_it(name: str) -> None:
    blocks = re.findall(r"(?:^\|.*\n)+", page(all_contracts()[name]), re.MULTILINE)
    assert blocks
    for block in blocks:
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1, block


def test_a_supplier_reads_how_to_deliver_what_is_kept_and_what_is_not() -> None:
    text = page(all_contracts()["renovation_coach"])
    assert "ademruimte check BESTAND --source renovation_coach" in text
    assert "wordt meteen een pseudoniem" in text
    assert "Kolommen die hieronder niet staan, lezen en bewaren we niet" in text
    assert "We bewaren de rijen 10 jaar." in text
    assert "renovation_coach-sjabloon.xlsx" in text


def test_a_text_that_can_always_be_read_is_not_a_reason() -> None:
    text = page(all_contracts()["indicators"])
    assert "`kpi_id`: heeft niet de juiste vorm" in text
    assert "`unit`: deze waarde kennen we niet" not in text


def small(table: TableContract) -> SourceContract:
    return replace(all_contracts()["indicators"], tables=(table,), delivery_nl="", triggers=())


def test_a_source_that_says_little_has_a_page_all_the_same() -> None:
    table = all_contracts()["indicators"].tables[0]
    received = replace(table.received, meaning_nl={})
    text = page(small(replace(table, description_nl="", rules=(), received=received)))
    assert "\n\n\n" not in text
    assert "sjabloon" not in page(replace(small(table), has_template=False))


# --- the templates ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "template"), TEMPLATES)
def test_an_empty_template_is_a_file_that_its_source_takes(
    empty_profile: Callable[..., Settings], name: str, template: str
) -> None:
    contract = all_contracts()[name]
    headers = _headers(PUBLISHED / template)
    for table, header in zip(contract.tables, headers, strict=True):
        asked = [column for column in table.received.columns if column not in table.received.added]
        assert header == asked
    checked = check(PUBLISHED / template, contract, empty_profile(), NOW)
    # it is named otherwise than a delivery of a week would be
    assert checked.fault is None or "name it" in str(checked.fault)


def _headers(path: Path) -> list[list[str]]:
    if path.suffix == ".csv":
        return [path.read_text("utf-8-sig").strip().split(";")]
    book = fastexcel.read_excel(path)
    return [[column.name for column in book.load_sheet(sheet).available_columns()] for sheet in book.sheet_names]


def test_only_a_source_with_a_form_of_our_own_has_templates() -> None:
    assert "buildings-sjabloon.xlsx" in {template for _, template in TEMPLATES}
    assert template_names(all_contracts()["charge_points"]) == []


# --- the standard -----------------------------------------------------------------------------------------------


def holds(found: Mapping[str, Any], shape: tuple[set[str], set[str]]) -> None:
    required, optional = shape
    assert required <= found.keys(), f"{found} lacks {required - found.keys()}"
    assert found.keys() <= required | optional, f"unknown to the standard: {found.keys() - required - optional}"


@pytest.mark.parametrize("name", SOURCES)
def test_the_standard_file_has_the_shape_of_the_standard(name: str) -> None:
    found = yaml.safe_load((PUBLISHED / f"{name}.odcs.yaml").read_text("utf-8"))
    holds(found, SHAPES["contract"])
    assert (found["apiVersion"], found["kind"], found["status"]) == (API_VERSION, "DataContract", "active")
    assert isinstance(found["version"], str)
    assert found["description"].keys() <= {"usage", "purpose", "limitations"}
    holds(found["team"], SHAPES["team"])
    for part, shape in (("support", "support"), ("slaProperties", "agreement"), ("customProperties", "custom")):
        for each in found[part]:
            holds(each, SHAPES[shape])
    for each in found["schema"]:
        holds(each, SHAPES["object"])
        assert each["logicalType"] == "object"
        for custom in each["customProperties"]:
            holds(custom, SHAPES["custom"])


@pytest.mark.parametrize("name", SOURCES)
def test_every_property_of_the_standard_file_is_typed_as_the_standard_types(name: str) -> None:
    found = yaml.safe_load((PUBLISHED / f"{name}.odcs.yaml").read_text("utf-8"))
    for each in found["schema"]:
        checks = [*each["quality"], *(check for one in each["properties"] for check in one.get("quality", []))]
        for one in each["properties"]:
            holds(one, SHAPES["property"])
            assert one["description"]
            assert one.get("logicalTypeOptions", {}).keys() <= OPTIONS[one["logicalType"]]
        for rule in checks:
            holds(rule, QUALITY[rule["type"]])
            assert rule["dimension"] in DIMENSIONS


@pytest.mark.parametrize("name", SOURCES)
def test_the_standard_file_says_the_columns_keys_and_rules_of_the_contract(name: str) -> None:
    found = yaml.safe_load((PUBLISHED / f"{name}.odcs.yaml").read_text("utf-8"))
    assert [each["name"] for each in found["schema"]] == [table.name for table in all_contracts()[name].tables]
    for each, table in zip(found["schema"], all_contracts()[name].tables, strict=True):
        keyed = {one["primaryKeyPosition"]: one["name"] for one in each["properties"] if one.get("primaryKey")}
        assert [keyed[place] for place in sorted(keyed)] == list(table.key)
        assert [one["name"] for one in each["properties"]] == list(table.schema)
        assert [rule["name"] for rule in each["quality"]] == [rule.name for rule in table.rules]
        assert [one["required"] for one in each["properties"]] == [not column.nullable for column in table.columns]


def test_a_column_behind_a_pseudonym_is_classified_as_one() -> None:
    found = yaml.safe_load((PUBLISHED / "renovation_coach.odcs.yaml").read_text("utf-8"))
    classes = {one["name"]: one["classification"] for one in found["schema"][0]["properties"]}
    assert classes["dwelling_key"] == "pseudonym"
    assert classes["team"] == "restricted"


def test_a_table_without_pseudonyms_has_none_in_the_standard_file() -> None:
    table = all_contracts()["charge_points"].tables[0]
    assert isinstance(table.received, Received)
    found = yaml.safe_load((PUBLISHED / "charge_points.odcs.yaml").read_text("utf-8"))
    customs = {each["property"]: each["value"] for each in found["schema"][0]["customProperties"]}
    assert customs["pseudonymisedColumns"] == list(table.received.pseudonyms)
    assert customs["refusedWhen"]
