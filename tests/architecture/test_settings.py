"""Whoever sets up a machine finds every setting in one file, and only settings that do something."""

import re
from pathlib import Path

from contracts.registry import all_contracts

NAME = re.compile(r"ADEMRUIMTE_[A-Z0-9_]+")
# the one reads it, the other writes it for Dagster, dbt and Great Expectations
_SPEAKING_TO_IT = ["orchestration/environment.py", "orchestration/settings.py"]
ENDPOINT_SUFFIX = re.compile(r"\{prefix\}(_[A-Z]+)\"")
# what only one source asks for, its own module names
SOURCE_OPTION = re.compile(r"option\(\"([A-Z0-9_]+)\"\)")


def _read_by_settings(root: Path) -> set[str]:
    code = (root / "orchestration" / "settings.py").read_text("utf-8")
    pulled = [name for name, contract in all_contracts().items() if contract.crons]
    suffixes = set(ENDPOINT_SUFFIX.findall(code))
    options = {
        f"ADEMRUIMTE_{path.stem.upper()}_{name}"
        for path in (root / "ingestion" / "sources").glob("*.py")
        for name in SOURCE_OPTION.findall(path.read_text("utf-8"))
    }
    fixed = {name for name in NAME.findall(code) if not name.endswith("_")}
    named = {f"ADEMRUIMTE_{source.upper()}{suffix}" for source in pulled for suffix in suffixes}
    # OCPI is asked for all it has: no window, so no first day; the Energy API fetches its own token
    return fixed | options | named - {"ADEMRUIMTE_CHARGE_POINTS_SINCE", "ADEMRUIMTE_ENERGY_METERS_TOKEN"}


def _explained(root: Path) -> dict[str, str]:
    """Every setting of the example file with the line it stands on."""
    lines = (root / ".env.example").read_text("utf-8").splitlines()
    return {found.group(1): line for line in lines if (found := re.match(r"(?:# )?(ADEMRUIMTE_[A-Z0-9_]+)=", line))}


def test_every_setting_that_is_read_is_explained(root: Path) -> None:
    unexplained = _read_by_settings(root) - set(_explained(root))
    assert not unexplained, f".env.example must name {sorted(unexplained)}"


def test_every_setting_that_is_explained_is_read(root: Path) -> None:
    idle = set(_explained(root)) - _read_by_settings(root)
    assert not idle, f"nothing reads {sorted(idle)}"


def test_the_endpoint_of_a_pulled_source_is_found_by_the_name_of_the_source(root: Path) -> None:
    assert {"ADEMRUIMTE_CHARGE_POINTS_URL", "ADEMRUIMTE_TICKETS_1777_TOKEN"} <= _read_by_settings(root)


def test_a_copy_of_the_example_sets_nothing_to_empty(root: Path) -> None:
    empty = [line for line in _explained(root).values() if re.match(r"^ADEMRUIMTE_[A-Z0-9_]+=\s*$", line)]
    assert not empty, f"comment out what has no value, or a copy overrides a default: {empty}"


def test_a_copy_of_the_example_holds_no_secret(root: Path) -> None:
    secret = [line for name, line in _explained(root).items() if "TOKEN" in name or "PASSWORD" in name]
    assert secret
    assert all(line.endswith("=") for line in secret)


def test_one_module_reads_the_environment_and_one_writes_it(source_files: list[Path], root: Path) -> None:
    found = [
        str(path.relative_to(root))
        for path in source_files
        if re.search(r"\benviron\b|getenv", path.read_text("utf-8"))
    ]
    assert found == _SPEAKING_TO_IT
    assert "environ[" not in (root / "orchestration" / "settings.py").read_text("utf-8"), "it only reads"
