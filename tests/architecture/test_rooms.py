"""Who may import whom. The rules stand in `pyproject.toml`; here they are run, and shown to bite."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOMS = ("contracts", "ingestion", "warehouse", "orchestration")
BREACHES = {
    "orchestration is the only room that knows Dagster": ("warehouse/breach.py", "import dagster"),
    "orchestration is the only room that knows dbt": ("ingestion/breach.py", "import dbt.cli.main"),
    "ingestion never opens a store": ("ingestion/breach.py", "import warehouse.layout"),
    "the warehouse never asks a supplier": ("warehouse/breach.py", "import requests"),
    "a contract reads no file": ("contracts/breach.py", "import pathlib"),
    "a contract knows nothing of how its rows are fetched": ("contracts/breach.py", "import ingestion.delivery"),
    "a source never imports another source": (
        "ingestion/sources/tickets_1777.py",
        "import ingestion.sources.charge_points",
    ),
}


def _lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--config", "pyproject.toml"]
    return subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)


@pytest.fixture
def scratch(root: Path, tmp_path: Path) -> Path:
    """A copy of the rooms in which a rule may be broken."""
    for room in ROOMS:
        shutil.copytree(root / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(root / "pyproject.toml", tmp_path)
    return tmp_path


def test_every_import_contract_is_kept(root: Path) -> None:
    checked = _lint_imports(root)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "0 broken" in checked.stdout


@pytest.mark.parametrize(("place", "statement"), BREACHES.values(), ids=BREACHES.keys())
def test_a_breach_of_the_rooms_is_seen(scratch: Path, place: str, statement: str) -> None:
    with (scratch / place).open("a", encoding="utf-8") as module:
        module.write(f"\n{statement}\n")
    checked = _lint_imports(scratch)
    assert checked.returncode != 0, f"{statement} in {place} went unseen"
    assert place.removesuffix(".py").replace("/", ".") in checked.stdout
