"""Whoever sets up a machine finds every setting in one file, as the code describes it."""

import re
from pathlib import Path

import pytest

from contracts.registry import all_contracts
from ingestion.source import asked_source
from orchestration.giving_back.generated import stale
from orchestration.settings import kinds, variable
from orchestration.settings_pages import settings_pages

# the one reads it, the other writes it for Dagster, dbt and Great Expectations
_SPEAKING_TO_IT = ["orchestration/environment.py", "orchestration/settings.py"]
ASKED = [name for name, contract in all_contracts().items() if contract.crons]
NAME = re.compile(r"^# (ADEMRUIMTE_[A-Z0-9_]+)=", re.MULTILINE)


def test_every_setting_is_described_where_it_is_declared() -> None:
    silent = [
        variable(section + name)
        for section, kind in kinds().items()
        for name, field in kind.model_fields.items()
        if not field.description and name != "suppliers"
    ]
    assert not silent, f"write below each what it says: {silent}"


def test_the_example_and_the_page_of_settings_are_what_the_code_says(root: Path) -> None:
    assert stale(settings_pages(), root, None) == [], "run `ademruimte contracts write`"


def test_every_setting_stands_in_the_example(root: Path) -> None:
    named = NAME.findall((root / ".env.example").read_text("utf-8"))
    assert {"ADEMRUIMTE_CITY", "ADEMRUIMTE_CHARGE_POINTS_URL", "ADEMRUIMTE_TICKETS_1777_TOKEN"} <= set(named)
    assert len(named) == sum(len(kind.model_fields) for kind in kinds().values()) - 1


def test_a_copy_of_the_example_sets_nothing(root: Path) -> None:
    lines = (root / ".env.example").read_text("utf-8").splitlines()
    assert all(line.startswith("# ") for line in lines if line)


def test_a_copy_of_the_example_holds_no_secret(root: Path) -> None:
    lines = (root / ".env.example").read_text("utf-8").splitlines()
    secret = [line for line in lines if re.match(r"# ADEMRUIMTE_\w*(TOKEN|PASSWORD|SECRET|KEY)=", line)]
    assert len(secret) > 5
    assert all(line.endswith("=") for line in secret)


@pytest.mark.parametrize("name", ASKED)
def test_what_may_be_secret_is_a_secret_by_its_type(name: str) -> None:
    for field, declared in asked_source(name).endpoint.model_fields.items():
        if re.search(r"(token|password|secret|_key)$", field):
            assert "SecretStr" in str(declared.annotation), field


def test_one_module_reads_the_environment_and_one_writes_it(source_files: list[Path], root: Path) -> None:
    found = [
        str(path.relative_to(root))
        for path in source_files
        if re.search(r"\benviron\b|getenv", path.read_text("utf-8"))
    ]
    assert found == _SPEAKING_TO_IT
    assert "environ[" not in (root / "orchestration" / "settings.py").read_text("utf-8"), "it only reads"
