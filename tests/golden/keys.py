"""The golden asset keys: those of the sources follow from their contracts, all others are written down."""

from pathlib import Path

from contracts.registry import all_contracts

WRITTEN = Path(__file__).with_name("asset_keys.txt")


def golden_keys() -> list[str]:
    """Every asset key that the code location must have, in order."""
    tables = [(contract.name, table.name) for contract in all_contracts().values() for table in contract.tables]
    landed = [f"landing/{source}/{table}" for source, table in tables]
    staged = [f"staging/stg_{source}__{table}" for source, table in tables]
    return sorted([*WRITTEN.read_text("utf-8").split(), *landed, *staged])
