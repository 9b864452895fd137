"""The two commands a stranger types: the demo city, and real files; each as a process of its own."""

import json
import os
import subprocess
import sys
from email import policy
from email.parser import BytesParser
from pathlib import Path

import polars as pl
import pytest

from orchestration.report import published_frame
from orchestration.settings import Settings, read_settings
from warehouse.lake import Lake, Manifest

ROOT = Path(__file__).parents[2]
TWICE = """
import sys
from orchestration.cli import app, show_progress

def demo():
    try:
        app(["demo"])
    except SystemExit as ended:
        return ended.code

show_progress()
first = demo()
print("=== again ===", flush=True)
sys.exit(first or demo())
"""


def run(code: list[str], cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80"}
    return subprocess.run(
        [sys.executable, *code], cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=500
    )


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """The demo run twice in an empty folder: the folder, what the first run printed, and the second."""
    folder = tmp_path_factory.mktemp("stranger")
    done = run(["-c", TWICE], folder)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    first, second = done.stdout.split("=== again ===")
    return folder, first, second


@pytest.fixture(scope="module")
def demo_profile(shown: tuple[Path, str, str]) -> Settings:
    return read_settings({"ADEMRUIMTE_HOME": str(shown[0] / "var" / "demo")})


def test_the_demo_prints_targets_deliveries_and_places(shown: tuple[Path, str, str]) -> None:
    _, first, _ = shown
    for words in (
        "Doelen van Kortrijk",
        "SYNTHETISCHE GEGEVENS",
        "109 doelen in het register",
        "Deliveries of Kortrijk",
        "  requests  ",
        "published build",
        "Data Docs",
        "refused rows",
        "mails",
    ):
        assert words in first


def test_the_demo_fits_a_terminal_of_80_columns(shown: tuple[Path, str, str]) -> None:
    table = shown[1].partition("Doelen van Kortrijk")[2].partition("doelen in het register")[0]
    assert max(map(len, table.splitlines())) <= 80


def test_the_second_run_lands_nothing_new_and_says_so(shown: tuple[Path, str, str], demo_profile: Settings) -> None:
    _, _, second = shown
    assert "already landed as" in second
    assert "nothing new since" in second
    assert "nothing to build" in second
    assert "rows received" not in second
    assert len(Lake(demo_profile.layout.lake).decisions()) == 1


def test_every_place_the_demo_names_is_there(demo_profile: Settings) -> None:
    layout = demo_profile.layout
    assert (layout.published / "current" / "ademruimte.duckdb").is_file()
    assert list(layout.quality.rglob("index.html"))
    assert len(list(layout.mail.glob("*.eml"))) >= 2


def test_the_demo_mail_is_labelled_synthetic_and_shows_its_chart(demo_profile: Settings) -> None:
    (path,) = demo_profile.layout.mail.glob("*-klimaat.eml")
    mail = BytesParser(policy=policy.default).parsebytes(path.read_bytes())
    assert "SYNTHETISCHE" in mail["Subject"]
    kinds = [part.get_content_type() for part in mail.walk()]
    assert {"text/plain", "text/html", "image/png"} <= set(kinds)
    text = mail.get_body(("plain",)).get_content()
    assert "CO2-uitstoot" in text
    assert "SYNTHETISCHE GEGEVENS" in text


def test_dagster_remembers_the_runs_of_the_demo(demo_profile: Settings) -> None:
    assert (demo_profile.layout.dagster / "dagster.yaml").is_file()
    assert list(demo_profile.layout.dagster.rglob("runs.db"))


# --- real files -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real_home(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("real")
    done = run(["-m", "orchestration.cli", "real", "--data", str(real_data.resolve())], folder)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    for city in ("kortrijk", "roosendaal", "terneuzen", "boston"):
        assert f"Deliveries of {city.title()}" in done.stdout
    return folder / "var" / "real"


def profile(home: Path, city: str) -> Settings:
    return read_settings({"ADEMRUIMTE_HOME": str(home), "ADEMRUIMTE_CITY": city})


def manifests(home: Path, city: str, source: str) -> list[Manifest]:
    return Lake(profile(home, city).layout.lake).manifests(source)


def kpi(home: Path, city: str, kpi_id: str) -> float:
    observations = published_frame(profile(home, city), "marts.fct_kpi_observations")
    return observations.filter(pl.col("kpi_id") == kpi_id).sort("ref_date")["value"].to_list()[-1]


@pytest.mark.real
def test_real_fluvius_exports_lose_no_row_to_the_change_of_clock(real_home: Path) -> None:
    counts = sorted(
        (each.tables["readings"].received, each.tables["readings"].quarantined)
        for each in manifests(real_home, "kortrijk", "energy_meters")
    )
    assert counts == [(116, 0), (3848, 0), (13640, 0)]
    lake = Lake(profile(real_home, "kortrijk").layout.lake)
    for manifest in lake.manifests("energy_meters"):
        readings = lake.read(manifest, "readings", "accepted")
        assert readings.select("ean", "direction", "register", "unit", "start_at").is_unique().all()
        for day in ("2021-10-31", "2023-10-29"):
            hundred = readings.filter(pl.col("reading_date") == pl.lit(day).str.to_date()).group_by("direction").len()
            assert set(hundred["len"]) <= {100}


@pytest.mark.real
@pytest.mark.parametrize(
    ("city", "counted"), [("roosendaal", (287, 754, 688, 882)), ("terneuzen", (80, 208, 144, 230))]
)
def test_real_charge_points_count_as_by_hand(real_home: Path, city: str, counted: tuple[int, int, int, int]) -> None:
    """Locations, EVSE records, distinct live EVSEs, and their equivalents by the default bands."""
    newest = manifests(real_home, city, "charge_points")[-1]
    assert newest.supplied_at.date().isoformat() == "2026-06-07"
    received = (newest.tables["locations"].received, newest.tables["evses"].received)
    live, cpe = (kpi(real_home, city, name) for name in ("charge_points_total", "charge_point_equivalents"))
    assert (*received, live, cpe) == counted


@pytest.mark.real
def test_all_real_tickets_are_received(real_home: Path) -> None:
    (batch,) = manifests(real_home, "boston", "tickets_1777")
    assert batch.tables["requests"].received == 58_251


@pytest.mark.real
def test_every_real_batch_adds_up(real_home: Path) -> None:
    for city in ("kortrijk", "roosendaal", "terneuzen", "boston"):
        for manifest in Lake(profile(real_home, city).layout.lake).manifests():
            for counts in manifest.tables.values():
                fates = counts.accepted + counts.quarantined + counts.duplicate + counts.superseded
                assert counts.received == fates


@pytest.mark.real
def test_no_written_manifest_of_a_real_batch_names_a_secret_or_a_query(real_home: Path) -> None:
    for path in real_home.glob("*/lake/**/manifest.json"):
        written = json.dumps(json.loads(path.read_text("utf-8")))
        assert "loopback" not in written
        assert "?" not in written
