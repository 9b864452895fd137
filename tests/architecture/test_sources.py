"""A source is four files; whoever forgets one is told which."""

from pathlib import Path

import pytest
import yaml

from contracts.registry import all_cities, all_contracts
from contracts.vocabulary import Sensitivity, SourceContract
from ingestion.source import AskedSource, Source, source_named
from orchestration.dbt_project import seed_paths

STAGING = Path("dbt_project", "models", "staging")
SEEDS = Path("dbt_project", "seeds")


def missing_files(root: Path, contract: SourceContract) -> list[str]:
    """The files a source still needs, as paths from the root of the project."""
    module = Path("ingestion", "sources", f"{contract.name}.py")
    folder = STAGING / contract.name
    missing = [] if (root / module).is_file() else [str(module)]
    needed = [folder / f"stg_{contract.name}__{table.name}.sql" for table in contract.tables]
    needed.append(folder / f"_{contract.name}.yml")
    return missing + [str(path) for path in needed if not (root / path).is_file()]


@pytest.mark.parametrize("name", all_contracts())
def test_a_source_has_its_module_its_staging_models_and_their_description(root: Path, name: str) -> None:
    missing = missing_files(root, all_contracts()[name])
    assert not missing, f"source {name} lacks: {', '.join(missing)} (see CONTRIBUTING.md)"


@pytest.mark.parametrize("name", all_contracts())
def test_every_landed_table_is_a_described_source_of_dbt(root: Path, name: str) -> None:
    described = yaml.safe_load((root / STAGING / name / f"_{name}.yml").read_text("utf-8"))
    (source,) = described["sources"]
    landed = {table["identifier"] for table in source["tables"] if table["description"]}
    assert landed == {f"{name}__{table.name}" for table in all_contracts()[name].tables}


@pytest.mark.parametrize("name", all_contracts())
def test_a_source_offers_what_its_trigger_needs(name: str) -> None:
    contract, source = all_contracts()[name], source_named(name)
    needed = (["read"] if contract.endings else []) + (["fetch"] if contract.crons else [])
    # of what a person may be in, the text is kept and not the file
    needed += ["reread"] if contract.endings and contract.sensitivity is Sensitivity.NONE else []
    idle = [each for each in needed if getattr(type(source), each, None) in (None, getattr(AskedSource, each))]
    assert not idle, f"{name} needs {idle}"


@pytest.mark.parametrize("name", all_contracts())
def test_a_source_is_one_by_its_type(name: str) -> None:
    assert isinstance(source_named(name), Source)


def test_a_source_module_without_a_contract_does_not_exist(root: Path) -> None:
    modules = {path.stem for path in (root / "ingestion" / "sources").glob("*.py")} - {"__init__"}
    assert modules == set(all_contracts())


def test_a_staging_folder_without_a_contract_does_not_exist(root: Path) -> None:
    folders = {path.name for path in (root / STAGING).iterdir() if path.is_dir()}
    # what the loader itself writes about its batches
    assert folders - {"pipeline"} == set(all_contracts())


def test_a_new_contract_alone_is_told_every_file_it_lacks(tmp_path: Path) -> None:
    contract = all_contracts()["tickets_1777"]
    missing = missing_files(tmp_path, contract)
    assert missing == [
        "ingestion/sources/tickets_1777.py",
        "dbt_project/models/staging/tickets_1777/stg_tickets_1777__requests.sql",
        "dbt_project/models/staging/tickets_1777/stg_tickets_1777__events.sql",
        "dbt_project/models/staging/tickets_1777/_tickets_1777.yml",
    ]


def test_a_source_with_its_files_lacks_nothing(tmp_path: Path) -> None:
    folder = tmp_path / STAGING / "tickets_1777"
    module = tmp_path / "ingestion" / "sources" / "tickets_1777.py"
    folder.mkdir(parents=True)
    module.parent.mkdir(parents=True)
    module.touch()
    (folder / "stg_tickets_1777__requests.sql").touch()
    (folder / "stg_tickets_1777__events.sql").touch()
    (folder / "_tickets_1777.yml").touch()
    assert missing_files(tmp_path, all_contracts()["tickets_1777"]) == []


@pytest.mark.parametrize("name", all_contracts())
def test_the_file_of_a_contract_bears_its_name(root: Path, name: str) -> None:
    assert (root / "contracts" / "sources" / f"{name}.py").is_file()


@pytest.mark.parametrize("name", all_cities())
def test_a_city_receives_only_sources_that_have_a_contract(name: str) -> None:
    assert set(all_cities()[name].sources or all_contracts()) <= set(all_contracts())


@pytest.mark.parametrize("name", all_cities())
def test_dbt_finds_every_seed_of_a_city_once(root: Path, name: str) -> None:
    found = [path.name for folder in seed_paths(name)[1:] for path in (root / "dbt_project" / folder).glob("*.csv")]
    known = {path.name for folder in ("kortrijk", "empty/*") for path in (root / SEEDS).glob(f"{folder}/*.csv")}
    assert sorted(found) == sorted(known)


@pytest.mark.parametrize("name", all_cities())
def test_a_city_leaves_out_the_seeds_that_it_has_not(root: Path, name: str) -> None:
    for path in (root / SEEDS / name).iterdir():
        assert not path.is_symlink()
        assert len(path.read_text("utf-8").splitlines()) > 1, f"{path.name} holds no row: leave it out"


def test_an_empty_seed_has_the_header_of_a_full_one(root: Path) -> None:
    for empty in (root / SEEDS / "empty").glob("*/*.csv"):
        assert empty.stem == empty.parent.name
        (header,) = empty.read_text("utf-8").splitlines()
        own = root / SEEDS / "kortrijk" / empty.name
        # what no city has yet completes a shared one
        whole = own if own.exists() else root / SEEDS / "shared" / empty.name.removeprefix("city_")
        with whole.open(encoding="utf-8") as full:
            assert full.readline().rstrip() == header


@pytest.mark.parametrize("name", all_contracts())
def test_every_column_of_a_contract_is_described(name: str) -> None:
    undescribed = [
        f"{table.name}.{column.name}"
        for table in all_contracts()[name].tables
        for column in table.columns
        if not column.description.strip()
    ]
    assert not undescribed


@pytest.mark.parametrize("name", all_contracts())
def test_a_contract_names_only_columns_that_it_has(name: str) -> None:
    for table in all_contracts()[name].tables:
        landed = set(table.schema)
        named = {*table.key, *table.version, table.event_date, *table.event_order}
        assert named <= landed, f"{name}.{table.name} names {named - landed}"
        received = set(table.received.columns)
        passing = {*table.received.required, *table.received.pseudonyms}
        assert passing <= received, f"{name}.{table.name} names {passing - received}"


@pytest.mark.parametrize("name", all_contracts())
def test_a_landed_instant_ends_in_at_and_a_date_in_date(name: str) -> None:
    for table in all_contracts()[name].tables:
        for column in table.columns:
            assert (str(column.dtype) == "Date") == column.name.endswith("_date"), f"{table.name}.{column.name}"
            assert str(column.dtype).startswith("Datetime") == column.name.endswith("_at"), column.name
