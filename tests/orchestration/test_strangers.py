"""What a profile holds is for its group, and what a terminal shows is ours, line by line."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from orchestration.settings import Settings
from tests.orchestration.profiles import settings_in

ROOT = Path(__file__).parents[2]
HEADER = "kpi_id;area;ref_date;value;unit;source;published_at;uncertainty\n"
ROW = "trees_extra;34022;2026-10-31;17600;trees (additional);groen;2026-11-05;\n"


def run(settings: Settings, *words: str) -> subprocess.CompletedProcess[str]:
    """A command, by an account whose files everybody may read."""
    return subprocess.run(
        [sys.executable, "-m", "orchestration.cli", *words],
        env={**os.environ, **settings.environment, "PYTHONPATH": str(ROOT)},
        check=False,
        capture_output=True,
        text=True,
        umask=0o022,
    )


@pytest.fixture
def made_by_hand(tmp_path: Path) -> Settings:
    """A profile of which somebody made the drop folder first, with the permissions that folders get."""
    settings = settings_in(tmp_path / "var", {})
    folder = settings.layout.drop("indicators")
    folder.mkdir(parents=True)
    for made in (folder, folder.parent, settings.layout.root):
        made.chmod(0o755)
    (folder / "bomen.csv").write_text(HEADER + ROW, encoding="utf-8")
    (folder / "bomen.csv.ready").write_text("2026-11-23T05:30:00+00:00", encoding="utf-8")
    return settings


def test_no_file_of_a_profile_is_for_strangers_whatever_folder_it_lies_in(made_by_hand: Settings) -> None:
    landed = run(made_by_hand, "land", "indicators")
    assert landed.returncode == 0, landed.stdout
    warned = [line for line in landed.stdout.splitlines() if "is open to everybody on this machine" in line]
    assert len(warned) == 1
    kept = [path for path in made_by_hand.layout.root.rglob("*") if path.is_file()]
    assert {path.name for path in kept} >= {"state.sqlite", "manifest.json", "observations.parquet"}
    assert [path for path in kept if stat.S_IMODE(path.stat().st_mode) & stat.S_IRWXO] == []


def test_a_file_name_with_the_end_of_a_line_in_it_is_one_line_of_the_log(made_by_hand: Settings) -> None:
    folder = made_by_hand.layout.drop("indicators")
    name = "bomen\n  0.0 s  indicators alles.csv: landed.csv"
    (folder / name).write_text("wrong", encoding="utf-8")
    (folder / f"{name}.ready").touch()
    refused = run(made_by_hand, "land", "indicators")
    told = [line for line in refused.stdout.splitlines() if "alles.csv" in line]
    assert refused.returncode == 1
    assert len(told) == 1
    assert "refused" in told[0]


NOISY = """
import logging, sys, warnings
from orchestration import cli
@cli.app.command()
def noisy():
    logging.getLogger("a.library").warning("a library warns")
    warnings.warn("a library is deprecated")
    logging.getLogger("ademruimte.test").warning("we say")
sys.argv = ["ademruimte", "noisy"]
cli.main()
"""


def test_what_a_library_says_stays_off_the_terminal(made_by_hand: Settings) -> None:
    said = subprocess.run(
        [sys.executable, "-c", NOISY],
        env={**os.environ, **made_by_hand.environment, "PYTHONPATH": str(ROOT)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert "we say" in said.stdout
    assert "a library" not in said.stdout + said.stderr
