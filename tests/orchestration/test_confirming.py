"""A figure that looked wrong, released by a person on the command line, and what is kept of that."""

import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from orchestration.confirming import Release, confirm
from orchestration.loop.build import build
from orchestration.report import published_frame
from orchestration.settings import Settings
from tests.orchestration.profiles import LATER
from warehouse.lake import Lake

ROOT = Path(__file__).parents[2]
ASKED = ("--role", "teamhoofd mobiliteit", "--reason", "het cijfer van de politie, gemiddeld over drie jaar")


def _confirm(settings: Settings, *figure: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "orchestration.cli", "indicators", "confirm", *figure, *ASKED],
        env={**os.environ, **settings.environment, "PYTHONPATH": str(ROOT)},
        check=False,
        capture_output=True,
        text=True,
        cwd=settings.layout.root,
        timeout=timedelta(minutes=2).total_seconds(),
    )


def _verdict(settings: Settings) -> dict[str, object]:
    verdicts = published_frame(settings, "verdicts.fct_target_verdicts")
    return verdicts.filter(pl.col("target_id") == "road_deaths").row(0, named=True)


def test_a_rate_where_a_count_belongs_is_not_judged_and_the_sentence_says_why(demo: Settings) -> None:
    verdict = _verdict(demo)
    assert verdict["status"] == "unverified"
    assert "het cijfer van 31/12/2025 is 2,6" in str(verdict["sentence_nl"])
    assert "een aantal is een geheel getal" in str(verdict["dq_reasons"])


def test_a_figure_that_nobody_delivered_cannot_be_confirmed(own_demo: Settings) -> None:
    said = _confirm(own_demo, "road_deaths", "2019-12-31")
    assert said.returncode == 1
    assert "nobody delivered road_deaths of 2019-12-31; there are figures of" in said.stdout
    assert "Traceback" not in said.stdout + said.stderr


def test_a_figure_is_confirmed_without_landing_whatever_else_waits(own_demo: Settings) -> None:
    waiting = own_demo.layout.drop("indicators") / "nog_niet_klaar.csv"
    waiting.parent.mkdir(parents=True, exist_ok=True)
    waiting.write_text(
        "kpi_id;area;ref_date;value;unit;source;published_at\n"
        "ev_share;34022;31/12/2024;9,9;% of cars;proef;01/11/2026\n",
        encoding="utf-8",
    )
    waiting.with_name(f"{waiting.name}.ready").touch()
    before = len(Lake(own_demo.layout.lake).manifests())
    why = "gemiddeld over drie jaar"
    confirmed = confirm(own_demo, Release("road_deaths", date(2025, 12, 31), "teamhoofd mobiliteit", why), LATER)
    assert len(Lake(own_demo.layout.lake).manifests()) == before + 1
    assert Lake(own_demo.layout.lake).read(confirmed, "observations", "accepted")["kpi_id"].to_list() == ["road_deaths"]
    assert waiting.exists()
    assert waiting.with_name(f"{waiting.name}.ready").exists()


@pytest.mark.builds  # a command as a process, and a whole build after it
def test_a_figure_that_is_confirmed_counts_and_keeps_who_said_so_when_and_why(own_demo: Settings) -> None:
    for day in ("2023-12-31", "2024-12-31", "2025-12-31"):
        said = _confirm(own_demo, "road_deaths", day)
        assert said.returncode == 0, said.stdout + said.stderr
    manifest = Lake(own_demo.layout.lake).live("indicators")[-1]
    kept = Lake(own_demo.layout.lake).read(manifest, "observations", "accepted")
    told = f"bevestigd door teamhoofd mobiliteit op {own_demo.as_of(datetime.now(UTC)):%d/%m/%Y}: het cijfer van de"
    assert kept["source_name"].item().startswith(told)
    build(own_demo, LATER)
    verdict = _verdict(own_demo)
    assert (verdict["status"], verdict["value"]) == ("on_track", 2.6)
