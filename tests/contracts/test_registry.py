"""Contracts and cities are found by being there, and are whole."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

import contracts.sources
from contracts.registry import all_cities, all_contracts, city_named
from contracts.vocabulary import Sensitivity, SourceContract, TableContract

_CONTRACTS = all_contracts()
_TABLES = {f"{contract.name}.{table.name}": table for contract in _CONTRACTS.values() for table in contract.tables}


def test_every_module_of_a_source_is_found_in_alphabetical_order() -> None:
    modules = Path(contracts.sources.__path__[0]).glob("[a-z]*.py")
    assert list(_CONTRACTS) == sorted(path.stem for path in modules)
    assert {"buildings", "charge_points", "energy_meters", "indicators", "renovation_coach", "tickets_1777"} <= set(
        _CONTRACTS
    )


def test_the_cities_are_found_and_kortrijk_receives_every_source() -> None:
    assert set(all_cities()) == {"boston", "kortrijk", "roosendaal", "terneuzen"}
    # None is every source there is, so that a sixth one needs no change of the profile
    assert city_named("kortrijk").sources is None


@pytest.mark.parametrize("name", all_cities())
def test_a_city_receives_only_sources_that_exist(name: str) -> None:
    assert set(city_named(name).sources or ()) <= set(_CONTRACTS)


def test_an_unknown_city_is_answered_with_those_that_exist() -> None:
    with pytest.raises(LookupError, match="no city profile 'gent'; there are: boston, kortrijk"):
        city_named("gent")


@pytest.mark.parametrize("name", _CONTRACTS)
def test_a_source_finds_its_tables_by_name(name: str) -> None:
    contract = _CONTRACTS[name]
    assert [contract.table(table.name) for table in contract.tables] == list(contract.tables)
    with pytest.raises(KeyError, match=f"{name} promises no table nothing"):
        contract.table("nothing")


@pytest.mark.parametrize("name", _TABLES)
def test_a_table_names_only_its_own_columns(name: str) -> None:
    table: TableContract = _TABLES[name]
    columns = set(table.schema)
    assert len(columns) == len(table.columns)
    assert {*table.key, *table.version, *table.event_order, table.event_date} <= columns
    assert table.speaks_until is None or table.schema[table.speaks_until] == pl.Datetime("us", "UTC")
    assert table.schema[table.event_date] == pl.Date


@pytest.mark.parametrize("name", _TABLES)
def test_a_column_reads_only_what_passes_the_door(name: str) -> None:
    received = _TABLES[name].received
    assert set(received.required) <= set(received.columns)
    assert {column.reads for column in _TABLES[name].columns if column.reads} <= set(received.columns)


@pytest.mark.parametrize("name", _TABLES)
def test_a_key_is_never_empty(name: str) -> None:
    table = _TABLES[name]
    assert not [column.name for column in table.columns if column.name in table.key and column.nullable]


@pytest.mark.parametrize("name", _TABLES)
def test_every_column_is_described_and_names_its_kind(name: str) -> None:
    for column in _TABLES[name].columns:
        assert column.description
        assert column.name.endswith("_at") == (column.dtype == pl.Datetime("us", "UTC"))
        assert column.name.endswith("_date") == (column.dtype == pl.Date)
        assert column.name.startswith(("is_", "has_")) == (column.dtype == pl.Boolean)


@pytest.mark.parametrize("name", _CONTRACTS)
def test_a_source_says_who_owns_it_and_when_it_comes(name: str) -> None:
    contract: SourceContract = _CONTRACTS[name]
    assert "@" in contract.owner
    assert contract.title_nl
    assert contract.fresh_within < contract.retention
    assert contract.triggers
    assert all(ending.startswith(".") for ending in contract.endings)
    assert all(len(cron.split()) == 5 for cron in contract.crons)


def test_a_source_with_pseudonyms_calls_itself_personal() -> None:
    for contract in _CONTRACTS.values():
        if any(table.received.pseudonyms for table in contract.tables):
            assert contract.sensitivity is Sensitivity.PERSONAL


def test_a_contract_cannot_be_changed_in_place() -> None:
    contract = _CONTRACTS["indicators"]
    with pytest.raises(AttributeError):
        contract.version = 2  # type: ignore[misc]  # that it cannot is the point
    assert replace(contract, version=2).version == 2
