"""The two commands a stranger types: the demo city, and real files; each as a process of its own."""

import html
import io
import json
import math
import os
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from email import policy
from email.parser import BytesParser
from pathlib import Path

import polars as pl
import psycopg
import pytest
from rich.console import Console

from contracts.registry import city_named
from orchestration.giving_back.refusal_page import COUNTED
from orchestration.loop.build import build_lock
from orchestration.report import published_frame
from orchestration.settings import SettingInvalidError, Settings, read_settings
from orchestration.showcase import demo_home, demo_profile, run_real_profile
from tests.orchestration.listening import listening
from tests.orchestration.real_refusals import count, lakes
from warehouse.batch import Manifest
from warehouse.lake import Lake

ROOT = Path(__file__).parents[2]
THRICE = """
import sys
from orchestration.cli import main

for arguments in (["demo"], ["demo", "--full"], ["demo", "--postgres"]):
    sys.argv = ["ademruimte", *arguments]
    try:
        main()
    except SystemExit as ended:
        if ended.code:
            raise
    print("=== ended ===", flush=True)
"""
NAME = re.compile(r"^(?:# )?(ADEMRUIMTE_[A-Z0-9_]+)=", re.MULTILINE)


def started(code: list[str], cwd: Path, **settings: str) -> "subprocess.Popen[str]":
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80", **settings}
    return subprocess.Popen(
        [sys.executable, *code], cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def poison(folder: Path, port: int) -> dict[str, str]:
    """Every setting there is with a value that a demo must not obey: it would ask, mail, read, write or fail."""
    kinds = {"_URL": f"http://127.0.0.1:{port}/", "_HOST": "127.0.0.1", "_PORT": str(port), "_CITY": "terneuzen"}
    names = NAME.findall((ROOT / ".env.example").read_text("utf-8"))
    assert len(names) > 40
    found = {name: str(folder / "real" / name.lower()) for name in names}
    return found | {name: value for name in names for end, value in kinds.items() if name.endswith(end)}


@dataclass(frozen=True)
class Shown:
    """What the demo printed in a folder of a real city, and what became of that city.

    Attributes:
        first: what the first run printed.
        second: what the second run printed, which shows everything.
        third: what the third run printed, which publishes to PostgreSQL too.
        silence: the longest time in which nothing was printed, in seconds.
        asked: how many connections a real city's servers got.
        real: the files of the real city's profile, before and after.
    """

    folder: Path
    first: str
    second: str
    third: str
    silence: float
    asked: int
    real: tuple[dict[str, bytes], dict[str, bytes]]

    @property
    def screen(self) -> str:
        return self.first[self.first.index("Kortrijk – SYNTHETIC") :]


def files_in(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def read_all(process: "subprocess.Popen[str]") -> tuple[str, float]:
    assert process.stdout is not None
    lines, longest, last = [], 0.0, time.monotonic()
    for line in process.stdout:
        now = time.monotonic()
        longest, last = max(longest, now - last), now
        lines.append(line)
    text = "".join(lines)
    assert process.wait() == 0, text[-3000:]
    return text, longest


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    """The demo run three times where a real city keeps its profile, its `.env` and its environment."""
    folder = tmp_path_factory.mktemp("stranger")
    real = folder / "var" / "kortrijk" / "lake"
    real.mkdir(parents=True)
    (real / "somebody's").write_text("own")
    with listening() as server:
        settings = poison(folder, server.port)
        (folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        before = files_in(real.parent)
        text, silence = read_all(started(["-c", THRICE], folder, **settings | {"ADEMRUIMTE_HOME": "var"}))
        first, second, third, _ = text.split("=== ended ===\n")
        yield Shown(folder, first, second, third, silence, server.connections, (before, files_in(real.parent)))
        (stop,) = re.findall(r"^  (.+)  # stops it$", third, re.MULTILINE)
        subprocess.run(shlex.split(stop), check=True, capture_output=True)


@pytest.fixture(scope="module")
def demo_settings(shown: Shown) -> Settings:
    return read_settings({"ADEMRUIMTE_HOME": str(shown.folder / "var" / "demo")})


@pytest.mark.door
def test_a_demo_neither_obeys_nor_touches_a_real_city(shown: Shown) -> None:
    assert shown.asked == 0
    before, after = shown.real
    assert before == after
    assert sorted(path.name for path in shown.folder.iterdir()) == [".env", "var"]
    assert sorted(path.name for path in (shown.folder / "var").iterdir()) == ["demo", "kortrijk"]


@pytest.mark.door
def test_what_the_demo_has_to_say_is_mailed_to_nobody_of_the_real_city(shown: Shown, tmp_path: Path) -> None:
    """Also later, by a command that finds the mail server of the real city in its environment and its `.env`."""
    profile = tmp_path / "copy" / "kortrijk"
    profile.mkdir(parents=True)
    for name in ("SYNTHETIC", "settings.env", "state.sqlite"):
        shutil.copy(shown.folder / "var" / "demo" / "kortrijk" / name, profile)
    with sqlite3.connect(profile / "state.sqlite") as state:
        waiting = state.execute("update outbox set sent_at = null").rowcount
    with listening() as server:
        settings = poison(shown.folder, server.port)
        own = {"ADEMRUIMTE_CITY": "kortrijk", "ADEMRUIMTE_HOME": str(tmp_path / "copy")}
        text, _ = read_all(started(["-m", "orchestration.cli", "send"], shown.folder, **settings | own))
    assert waiting >= 2
    assert f"{waiting} messages sent, 0 failed" in text
    assert len(list((profile / "mail").glob("*.eml"))) == waiting
    assert server.connections == 0


@pytest.mark.door
def test_the_demo_ends_in_one_screen_of_80_by_24(shown: Shown) -> None:
    lines = shown.screen.splitlines()
    # what is to be copied is not folded: the terminal breaks it
    assert sum(max(1, math.ceil(len(line) / 80)) for line in lines) < 24
    assert max(len(line) for line in lines if "duckdb -readonly " not in line) <= 80


@pytest.mark.door
def test_that_screen_says_who_is_behind_what_was_refused_and_where_to_look(
    shown: Shown, demo_settings: Settings
) -> None:
    verdicts = published_frame(demo_settings, "verdicts.fct_target_verdicts")
    agreed = verdicts.filter(~pl.col("is_disputed") | pl.col("is_alarm"))
    late = agreed.filter(pl.col("status").is_in(["behind", "overdue"]))
    assert f"{verdicts.height - agreed.height} disputed" in " ".join(shown.screen.split())
    late = late.sort("months_behind", nulls_last=False)
    assert f"{late.height} of {verdicts.height} targets are behind" in shown.screen
    # of promises on one figure the first is named
    assert late.filter(pl.col("is_alarm"))["title_en"].last() in " ".join(shown.screen.split())
    refused = sum(
        counts.quarantined for each in Lake(demo_settings.layout.lake).live() for counts in each.tables.values()
    )
    assert f"{refused} of " in shown.screen
    assert "make dev" in shown.screen
    assert "ademruimte status --why " in shown.screen


@pytest.mark.door
def test_that_screen_is_in_english_alone(shown: Shown) -> None:
    dutch = {"het", "een", "van", "doelen", "achter", "schema", "gegevens", "pad", "vraagt", "niet"}
    assert not dutch & set(re.findall(r"[a-z]+", shown.screen.lower()))


@pytest.mark.door
def test_every_place_that_screen_names_is_there_and_is_opened_for_reading_only(shown: Shown) -> None:
    (mail,) = re.findall(r"\S+\.eml", shown.screen)
    assert (shown.folder / mail).parent.is_dir()
    (database,) = re.findall(r"duckdb -readonly (\S+)", shown.screen)
    published = shown.folder / "var" / "demo" / "kortrijk" / "published"
    assert shown.folder / database == published / json.loads((published / "current.json").read_text())["duckdb"]
    assert (shown.folder / database).is_file()


@pytest.mark.door
def test_what_the_demo_works_on_is_told_before_a_person_thinks_that_it_hangs(shown: Shown) -> None:
    # a machine that is busy with other tests answers late; the longest silence was 27 seconds
    assert shown.silence < 10


@pytest.mark.door
def test_the_second_run_lands_nothing_new_and_says_what_was_there(shown: Shown, demo_settings: Settings) -> None:
    there = len(Lake(demo_settings.layout.lake).manifests())
    assert f"{there} deliveries landed." in shown.first
    assert "already landed as" in shown.second
    assert "nothing new since" in shown.second
    assert "nothing to build" in shown.second
    assert f"No new deliveries: {there} were there already" in shown.second
    assert len(Lake(demo_settings.layout.lake).decisions()) == 1


@pytest.mark.door
def test_all_the_tables_stand_behind_a_flag(shown: Shown) -> None:
    for words in ("Targets of Kortrijk", "KPIs without a target", "Deliveries of Kortrijk", "Data Docs"):
        assert words not in shown.first
        assert words in shown.second
    assert shown.second.rstrip().endswith(".duckdb"), "the screen comes last"


@pytest.mark.door
def test_the_demo_in_postgresql_is_read_with_the_line_that_it_prints(shown: Shown) -> None:
    (url,) = re.findall(r'psql "(\S+)"', shown.third)
    with psycopg.connect(url) as db:
        (targets,) = db.execute("select count(*) from marts.fct_target_verdicts").fetchone() or (0,)
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            db.execute("create table marts.mine (a int)")
    assert f"of {targets} targets" in shown.third
    assert shown.folder.as_posix() not in url


def drawn(picture: Path) -> list[str]:
    """The lines of text in an SVG of a terminal, without the spaces: those between columns are not drawn."""
    rows: dict[float, str] = {}
    text = re.compile(r'<text class="demo-r\d+" [^>]*?y="([\d.]+)"[^>]*>(.*?)</text>')
    for height, words in text.findall(picture.read_text("utf-8")):
        rows[float(height)] = rows.get(float(height), "") + html.unescape(words).replace("\xa0", " ")
    return ["".join(rows[height].split()) for height in sorted(rows)]


@pytest.mark.door
def test_the_picture_in_the_readme_is_of_today(shown: Shown) -> None:
    # every build has an id of its own
    screen = re.sub(r"(?<=/builds/)[^/]+", "…", shown.screen)
    told = ["".join(line.split()) for line in screen.splitlines() if line.strip()]
    assert drawn(ROOT / "docs" / "demo.svg") == told, "draw it again: make picture"


def test_the_picture_fetches_nothing() -> None:
    picture = (ROOT / "docs" / "demo.svg").read_text("utf-8")
    assert not re.findall(r"""(?:url\(|href=|src=)["']?https?:""", picture)


# it lays out a profile and loads Dagster and dbt, which takes half a minute on a busy machine
@pytest.mark.door
def test_a_first_run_that_publishes_nothing_names_no_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # what it sets in the environment goes back afterwards: `ademruimte dev` is tried next
    for name in ("DAGSTER_HOME", "ADEMRUIMTE_CITY", "ADEMRUIMTE_HOME"):
        monkeypatch.setenv(name, "nowhere")
    settings = Settings(city=city_named("terneuzen"), home=tmp_path)
    settings.layout.create()
    console = Console(record=True, file=io.StringIO(), width=200)
    with build_lock(settings):
        failed = run_real_profile(console, "terneuzen", [], tmp_path)
    text = console.export_text()
    assert failed == ["build"]
    for what in ("published build", "for Power BI", "Data Docs"):
        assert re.search(rf"{what}  none$", text, re.MULTILINE), text


def test_a_home_of_a_demo_is_taken_as_it_is(tmp_path: Path) -> None:
    assert demo_home(tmp_path) == tmp_path / "demo"
    (tmp_path / "kortrijk").mkdir()
    (tmp_path / "kortrijk" / "SYNTHETIC").write_text("2026-11-23")
    assert demo_home(tmp_path) == tmp_path


def test_a_demo_refuses_a_folder_that_holds_a_real_profile(tmp_path: Path) -> None:
    (tmp_path / "kortrijk" / "lake").mkdir(parents=True)
    with pytest.raises(SettingInvalidError, match="holds a real profile"):
        demo_profile(tmp_path)
    assert not (tmp_path / "kortrijk" / "SYNTHETIC").exists()


@pytest.mark.door
def test_every_place_the_demo_names_is_there(demo_settings: Settings) -> None:
    layout = demo_settings.layout
    assert (layout.published / "current" / "ademruimte.duckdb").is_file()
    assert list(layout.quality.rglob("index.html"))
    assert len(list(layout.mail.glob("*.eml"))) >= 2


@pytest.mark.door
def test_the_demo_mail_is_labelled_synthetic_and_shows_its_chart(demo_settings: Settings) -> None:
    (path,) = demo_settings.layout.mail.glob("*-klimaat.eml")
    mail = BytesParser(policy=policy.default).parsebytes(path.read_bytes())
    assert "SYNTHETISCHE" in mail["Subject"]
    kinds = [part.get_content_type() for part in mail.walk()]
    assert {"text/plain", "text/html", "image/png"} <= set(kinds)
    text = mail.get_body(("plain",)).get_content()
    assert "CO₂-uitstoot" in text
    assert "SYNTHETISCHE GEGEVENS" in text


@pytest.mark.door
def test_dagster_remembers_the_runs_of_the_demo(demo_settings: Settings) -> None:
    assert (demo_settings.layout.dagster / "dagster.yaml").is_file()
    assert list(demo_settings.layout.dagster.rglob("runs.db"))


# --- real files -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real_home(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("real")
    text, _ = read_all(started(["-m", "orchestration.cli", "real", "--data", str(real_data.resolve())], folder))
    for city in ("kortrijk", "roosendaal", "terneuzen", "boston"):
        assert f"Deliveries of {city.title()}" in text
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
def test_the_committed_counts_of_refusals_are_those_of_the_real_files(real_home: Path) -> None:
    counted = count(lakes(real_home))
    assert counted == json.loads(COUNTED.read_text("utf-8")), "count again: python -m tests.orchestration.real_refusals"
    assert sum(table["rows"]["received"] for table in counted.values()) > 80_000


@pytest.mark.real
def test_no_written_manifest_of_a_real_batch_names_a_secret_or_a_query(real_home: Path) -> None:
    for path in real_home.glob("*/lake/**/manifest.json"):
        written = json.dumps(json.loads(path.read_text("utf-8")))
        assert "loopback" not in written
        assert "?" not in written
