"""What a supplier is told before sending is what becomes of the file: `ademruimte check` and a landing agree."""

import gzip
import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ingestion.demo_city import real_exports
from ingestion.protocols.spreadsheet import workbook_bytes
from orchestration.loop.dropped import shown_name
from orchestration.loop.landed import Landed, Outcome
from orchestration.loop.landing import land
from orchestration.settings import Settings
from tests.orchestration.profiles import NOW, copy_profile, settings_in
from tests.orchestration.test_cli import Result, Run, own_logger, run  # noqa: F401 - fixtures
from tests.orchestration.test_landing import GOOD_ROW, INDICATORS, drop
from tests.orchestration.test_register_of_buildings import HALL, HOME, SCHOOL
from tests.orchestration.test_register_of_buildings import _export as export_of
from tests.orchestration.test_register_of_buildings import _register as register_of
from warehouse.batch import Manifest
from warehouse.lake import Lake

ROOT = Path(__file__).parents[2]
COACHES = "dossier;team;adres;woningtype;intake_op;fase;fase_op;plan_op\n"
COACH_ROW = "D-101;leiedal;Dorp 1 8500 Kortrijk;rijwoning;2026-09-02;advies;2026-11-16;2026-11-17\n"
TICKETS = "service_request_id;requested_datetime;status;lat;long\nR-1;2026-11-02T10:00:00Z;open;50.82;3.26\n"
# made up, with the check digits of a national number
NATIONAL_NUMBERS = INDICATORS + GOOD_ROW.replace(";groen;", ";85.07.30-033.28;") * 8
SHEET = [line.split(";") for line in (INDICATORS + GOOD_ROW).splitlines()]

Fate = tuple[int, int, int] | None
"""Rows received, refused and not let in; None where nothing of it lands."""


def fate_told(checked: Result) -> Fate:
    """What a check says that a landing would do."""
    words = " ".join(checked.output.split())
    if (counts := re.search(r"(\d+) rijen gelezen, \d+ in orde, (\d+) fout", words)) is None:
        return None
    withheld = sum(map(int, re.findall(r"(\d+) rijen laten we niet binnen", words)))
    return int(counts[1]), int(counts[2]), withheld


def fate_in(manifest: Manifest | None) -> Fate:
    """What a landing did."""
    if manifest is None:
        return None
    tables = manifest.tables.values()
    withheld = sum(manifest.withheld.values())
    return sum(each.received for each in tables), sum(each.quarantined for each in tables), withheld


def require_agreement(checked: Result, landed: Landed) -> None:
    assert "Traceback" not in checked.output
    assert fate_told(checked) == fate_in(landed.manifest), f"{checked.output}\n{landed.message}"
    is_fine = landed.outcome is Outcome.LANDED and not (fate_in(landed.manifest) or (0, 0))[1]
    assert (checked.exit_code == 0) is is_fine, f"{checked.output}\n{landed.message}"


DELIVERIES: dict[str, tuple[str, str, str | bytes]] = {
    "good": ("indicators", "a.csv", INDICATORS + GOOD_ROW),
    "a workbook": ("indicators", "a.xlsx", workbook_bytes({"2026": SHEET})),
    "an ending in capitals": ("indicators", "A.XLSX", workbook_bytes({"2026": SHEET})),
    "a sheet beside it": ("indicators", "a.xlsx", workbook_bytes({"a": SHEET, "b": [["uitleg"], ["bomen"]]})),
    "two sheets of one table": ("indicators", "a.xlsx", workbook_bytes({"a": SHEET, "b": SHEET})),
    "a bad row": ("indicators", "a.csv", INDICATORS + GOOD_ROW + GOOD_ROW.replace("17600", "veel")),
    "a row twice": ("indicators", "a.csv", INDICATORS + GOOD_ROW * 2),
    "only bad rows": ("indicators", "a.csv", INDICATORS + GOOD_ROW.replace("17600", "veel")),
    "a day to come": ("indicators", "a.csv", INDICATORS + GOOD_ROW.replace("2026-10-31", "2026-12-31")),
    "a column too many": ("indicators", "a.csv", "naam;" + INDICATORS + "Jan Janssens;" + GOOD_ROW),
    "national numbers": ("indicators", "a.csv", NATIONAL_NUMBERS),
    "a national number": ("indicators", "a.csv", INDICATORS + GOOD_ROW.replace(";groen;", ";85.07.30-033.28;")),
    "empty": ("indicators", "a.csv", ""),
    "a header alone": ("indicators", "a.csv", INDICATORS),
    "a login page": ("indicators", "a.csv", "<!doctype html><title>Aanmelden</title>"),
    "binary": ("indicators", "a.csv", b"kpi_id;area\nx\0;y\n"),
    "no workbook": ("indicators", "a.xlsx", b"PK\x03\x04 geen werkboek"),
    "a workbook of before 2007": ("indicators", "a.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 600),
    "a column twice": ("indicators", "a.csv", INDICATORS.replace("uncertainty", "value")),
    "a column too few": ("indicators", "a.csv", INDICATORS.replace("unit", "")),
    "another kind of file": ("indicators", "a.txt", INDICATORS + GOOD_ROW),
    "the lock of Excel": ("indicators", "~$a.xlsx", b"\x05Jan Janssens"),
    "a register": ("buildings", "gebouwen.csv", register_of(HALL, SCHOOL)),
    "half a register": ("buildings", "gebouwen.csv", register_of(HALL, "geen EAN")),
    "an export": ("energy_meters", "v.csv", export_of(HALL)),
    "an export of more than ours": ("energy_meters", "v.csv", export_of(HALL, SCHOOL)),
    "an export of none of ours": ("energy_meters", "v.csv", export_of(SCHOOL)),
    "a day of a dwelling": ("energy_meters", "v.csv", export_of(HOME)),
    "a packed export": ("energy_meters", "v.csv.gz", gzip.compress(export_of(HALL).encode())),
    "a bomb": ("energy_meters", "v.csv.gz", gzip.compress(b"0" * 2**28)),
    "an export without a column": ("energy_meters", "v.csv", export_of(HALL).replace("Volume", "Verbruik")),
    "a week": ("renovation_coach", "renovatie_2026-W47_leiedal.csv", COACHES + COACH_ROW),
    "a week with a bad row": (
        "renovation_coach",
        "renovatie_2026-W47_leiedal.csv",
        COACHES + COACH_ROW + COACH_ROW.replace("rijwoning", "kasteel").replace("D-101", "D-102"),
    ),
    "a week of nobody": ("renovation_coach", "renovatie_2026-W47_niemand.csv", COACHES + COACH_ROW),
    "a week to come": ("renovation_coach", "renovatie_2027-W03_leiedal.csv", COACHES + COACH_ROW),
    "no week": ("renovation_coach", "dossiers.csv", COACHES + COACH_ROW),
    "a week past every calendar": ("renovation_coach", "renovatie_9999-W52_leiedal.csv", COACHES + COACH_ROW),
    "questions": ("tickets_1777", "vragen.csv", TICKETS),
    "half a question": ("tickets_1777", "vragen.csv", TICKETS + ";gisteren;open;;\n"),
    "no questions": ("tickets_1777", "vragen.csv", "a;b\n1;2\n"),
}


@pytest.fixture(scope="module")
def with_a_register(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a profile that knows one hall and one dwelling."""
    home = tmp_path_factory.mktemp("register")
    made = settings_in(home, {})
    drop(made, "buildings", "register.csv", register_of(HALL, HOME), "2026-11-01T06:00:00+00:00")
    land(made, made.contracts()["buildings"], NOW)
    return home


@pytest.fixture
def settings(with_a_register: Path, tmp_path: Path) -> Settings:
    return settings_in(copy_profile(with_a_register, tmp_path / "var"), {})


@pytest.mark.parametrize("delivery", DELIVERIES)
def test_a_check_says_what_a_landing_does(run: Run, settings: Settings, delivery: str) -> None:  # noqa: F811
    source, name, content = DELIVERIES[delivery]
    path = drop(settings, source, name, content)
    checked = run(settings, "check", str(path), "--source", source)
    landed, *_ = land(settings, settings.contracts()[source], NOW)
    require_agreement(checked, landed)


def test_a_check_tells_what_nobody_foresaw_as_a_landing_does(run: Run, settings: Settings) -> None:  # noqa: F811
    path = drop(settings, "renovation_coach", "renovatie_2026-W45_leiedal.csv", COACHES + COACH_ROW)
    # a number of rows that no file has
    path.with_name(f"{path.name}.manifest.json").write_text('{"rows": {"dossiers": Infinity}}', encoding="utf-8")
    checked = run(settings, "check", str(path), "--source", "renovation_coach")
    (landed,) = land(settings, settings.contracts()["renovation_coach"], NOW)
    require_agreement(checked, landed)
    assert "OverflowError in weekly_drop.py" in " ".join(checked.output.split())


def of_200_megabytes(path: Path) -> None:
    path.touch()
    os.truncate(path, 201 * 2**20)


def a_folder(path: Path) -> None:
    path.mkdir()


def a_link(path: Path) -> None:
    path.symlink_to(ROOT / "README.md")


def a_queue(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize("make", [of_200_megabytes, a_folder, a_link, a_queue])
def test_a_check_opens_only_what_a_landing_opens(
    run: Run,  # noqa: F811
    settings: Settings,
    make: Callable[[Path], None],
) -> None:
    path = drop(settings, "indicators", "a.csv", "")
    path.unlink()
    make(path)
    checked = run(settings, "check", str(path), "--source", "indicators")
    (landed,) = land(settings, settings.contracts()["indicators"], NOW)
    require_agreement(checked, landed)


def test_a_check_says_of_every_file_of_the_demo_what_became_of_it(
    run: Run,  # noqa: F811
    demo: Settings,
    demo_drops: Path,
) -> None:
    batches = Lake(demo.layout.lake).manifests()
    by_name = {batch.origin: batch for batch in batches}
    by_content = {batch.content_sha256: batch for batch in batches}
    files = [path for path in sorted(demo_drops.glob("*/*")) if path.with_name(f"{path.name}.ready").exists()]
    for path in files:
        checked = run(demo, "check", str(path), "--source", path.parent.name)
        # one of them comes twice, under another name
        batch = by_name.get(path.name) or by_content.get(hashlib.sha256(path.read_bytes()).hexdigest())
        assert fate_told(checked) == fate_in(batch), checked.output
    assert len(files) > len(demo.contracts())


def test_a_check_says_of_every_real_file_what_a_landing_does(
    run: Run,  # noqa: F811
    settings: Settings,
    real_data: Path,
) -> None:
    files = [*real_exports.fluvius_drops(real_data, settings.layout.root / "drop")]
    files += real_exports.indicator_drops(real_data, settings.layout.root / "drop")
    land(settings, settings.contracts()["buildings"], NOW)
    told = {shown_name(path): run(settings, "check", str(path), "--source", path.parent.name) for path in files}
    for source in {path.parent.name for path in files}:
        for landed in land(settings, settings.contracts()[source], NOW):
            require_agreement(told[landed.origin], landed)


def test_eight_rows_with_a_national_number_are_refused_by_the_installed_command(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(NATIONAL_NUMBERS, encoding="utf-8")
    ended = subprocess.run(
        [sys.executable, "-m", "orchestration.cli", "check", "a.csv", "--source", "indicators"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert "Er staan nummers of adressen van personen in" in ended.stdout
    assert "8 of 8 rows hold a national number" in " ".join(ended.stdout.split())
    assert "85.07.30" not in ended.stdout + ended.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"], "nothing is kept"
