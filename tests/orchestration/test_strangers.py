"""What a profile holds is for its group, and what a terminal shows is ours, line by line."""

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from orchestration.settings import Settings
from tests.canary.scanning import found_in
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


DOSSIERS = "dossier;team;adres;intake_op;fase;fase_op;Annelies Vandekanarie\n"
DOSSIER = "K-1;kortrijk;Straat 1;2026-10-19;Vandekanarie;2026-10-20;x\n"
NAMED = "renovatie_2026-W44_kortrijk_Vandekanarie.csv"


def test_the_name_of_a_person_in_a_file_name_a_column_or_a_code_is_kept_nowhere_and_its_sender_finds_the_file(
    tmp_path: Path,
) -> None:
    settings = settings_in(tmp_path / "var", {})
    for name, content in ((NAMED, DOSSIERS + DOSSIER), ("Vandekanarie.csv", "nothing\n")):
        path = settings.layout.drop("renovation_coach") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
        path.with_name(f"{name}.ready").touch()
    own = tmp_path / NAMED
    own.write_text(DOSSIERS + DOSSIER, encoding="utf-8")
    landed = run(settings, "land", "renovation_coach")
    listed = run(settings, "quarantine", "list")
    exported = run(settings, "quarantine", "export", "--source", "renovation_coach", str(tmp_path / "terug.csv"))
    (settings.layout.root / "said").write_text(
        "".join(each.stdout + each.stderr for each in (landed, listed, exported))
    )
    for path in settings.layout.drop("renovation_coach").iterdir():
        path.unlink()
    assert found_in([settings.layout.root, tmp_path / "terug.csv"], ["Vandekanarie", "vandekanarie", "Annelies"]) == []
    assert "fase: is none of" in listed.stdout.replace("\n", " ") or "is none of" in listed.stdout
    checked = run(settings, "check", str(own), "--source", "renovation_coach")
    assert "Vandekanarie" in checked.stdout, "he sees what he wrote"
    told = re.search(r"Bij ons heet dit bestand (\S+):", checked.stdout)
    assert told is not None
    assert told[1] in listed.stdout
    assert told[1] in (tmp_path / "terug.csv").read_text("utf-8-sig")


TOO_MUCH = """
from datetime import UTC, datetime
from orchestration.loop.landing import land
from orchestration.settings import read_settings
from ingestion.sources import indicators

class Greedy(indicators.Indicators):
    def read(self, file, context):
        return super().read(file, context) if bytes(2**60) else None

indicators.SOURCE = Greedy()
settings = read_settings()
for _ in range(2):
    for each in land(settings, settings.contracts()["indicators"], datetime.now(UTC), is_asked=False):
        print(each.outcome, each.message)
"""


def test_a_file_that_takes_more_memory_than_there_is_stands_refused(tmp_path: Path) -> None:
    settings = settings_in(tmp_path / "var", {})
    path = settings.layout.drop("indicators") / "cijfers.csv"
    path.parent.mkdir(parents=True)
    path.write_text(HEADER + ROW, encoding="utf-8")
    path.with_name("cijfers.csv.ready").touch()
    done = subprocess.run(
        [sys.executable, "-c", TOO_MUCH],
        env={**os.environ, **settings.environment, "PYTHONPATH": str(ROOT)},
        check=False,
        capture_output=True,
        text=True,
    )
    first, second = done.stdout.splitlines()
    assert first.startswith("refused indicators: cijfers.csv: takes more memory than there is"), done.stderr
    assert second.startswith("stands refused indicators: cijfers.csv: takes more memory")
