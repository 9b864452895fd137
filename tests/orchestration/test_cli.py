"""The command line in this process: what it says, and the exit code a script goes by."""

import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from orchestration.cli import main
from orchestration.loop.build import build_lock
from orchestration.settings import Settings
from tests.orchestration.profiles import settings_in
from tests.orchestration.test_landing import GOOD_ROW, INDICATORS, drop
from warehouse.lake import Lake
from warehouse.published.pointer import current
from warehouse.state import State

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Result:
    """What a command left behind."""

    exit_code: int
    output: str


Run = Callable[..., Result]


@pytest.fixture
def own_logger() -> Iterator[None]:
    """The command line shows progress by a handler of the process: here it goes again."""
    logger = logging.getLogger("ademruimte")
    before = (list(logger.handlers), logger.level, logger.propagate)
    yield
    logger.handlers, logger.level, logger.propagate = before


@pytest.fixture
def run(
    own_logger: None,  # noqa: ARG001 - what it puts back
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> Run:
    """Types a command in an empty folder, for the profile it is given."""
    monkeypatch.chdir(tmp_path)

    def type_command(settings: Settings, *words: str, **environment: str) -> Result:
        logging.getLogger("ademruimte").handlers.clear()
        for name, value in {**settings.environment, **environment}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["ademruimte", *words])
        capsys.readouterr()
        try:
            main()
            code = 0
        except SystemExit as ended:
            code = int(ended.code or 0)
        return Result(code, "".join(capsys.readouterr()))

    return type_command


def said(result: Result) -> str:
    """What was printed, without the frame and the line ends that an error gets."""
    return " ".join(result.output.replace("│", " ").split())


def test_help_loads_nothing_that_only_a_command_needs() -> None:
    shows = (
        "import sys; from orchestration.cli import app; app(['--help'], standalone_mode=False); "
        "heavy = {'dagster', 'dbt', 'duckdb', 'pandera', 'polars', 'pydantic', 'pydantic_settings', 'requests'}; "
        "print('loaded', sorted(heavy & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", shows], cwd=ROOT, capture_output=True, check=True, text=True)
    assert told.stdout.splitlines()[-1] == "loaded []"


def test_without_a_command_the_help_names_every_command(run: Run, empty_profile: Callable[..., Settings]) -> None:
    output = run(empty_profile()).output
    commands = ("demo", "real", "land", "build", "send", "status", "batches", "replay", "rebuild", "prepare", "dev")
    commands += ("check", "quarantine", "contracts")
    for command in (*commands, "targets"):
        assert f" {command} " in output


@pytest.mark.parametrize(
    ("name", "written", "says"),
    [
        ("ADEMRUIMTE_CITY", "gent", "ADEMRUIMTE_CITY is 'gent'; write one of boston, kortrijk, "),
        ("ADEMRUIMTE_SMTP_PORT", "smtp", "ADEMRUIMTE_SMTP_PORT is 'smtp'; write a whole number"),
    ],
)
def test_a_wrong_setting_is_told_in_a_sentence_and_not_as_a_traceback(
    run: Run, empty_profile: Callable[..., Settings], name: str, written: str, says: str
) -> None:
    result = run(empty_profile(), "batches", **{name: written})
    assert result.exit_code == 1
    assert says in said(result)
    assert "Traceback" not in result.output
    assert len(result.output.splitlines()) == 1


def test_a_command_tells_of_a_misspelt_setting_and_does_its_work(
    run: Run, empty_profile: Callable[..., Settings]
) -> None:
    misspelt = {"ADEMRUIMTE_SMTP_HSOT": "mail.stad.test", "ADEMRUIMTE_TICKETS_1777_TOKN": "zeer-geheim"}
    result = run(empty_profile(), "batches", **misspelt)
    assert result.exit_code == 0
    assert "ADEMRUIMTE_SMTP_HSOT is no setting and is passed over; did you mean ADEMRUIMTE_SMTP_HOST?" in said(result)
    assert "did you mean ADEMRUIMTE_TICKETS_1777_TOKEN?" in said(result)
    assert "geheim" not in result.output


def test_a_build_beside_another_says_that_one_is_running(run: Run, own_demo: Settings) -> None:
    (own_demo.layout.published / "current.json").unlink()
    with build_lock(own_demo):
        result = run(own_demo, "build")
    assert result.exit_code == 1
    assert "another build of kortrijk is running" in said(result)


def test_a_full_disk_is_told_in_a_sentence_that_says_what_to_do(run: Run, small_disk: Path) -> None:
    settings = settings_in(small_disk, {})
    settings.layout.create()
    with suppress(OSError), (small_disk / "filler").open("wb", buffering=0) as filler:
        while True:
            filler.write(bytes(4096))
    result = run(settings, "land", "indicators")
    assert result.exit_code == 1
    assert "the disk is full, or cannot be written" in said(result)
    assert said(result).endswith("ake room, then run it again")
    assert "Traceback" not in result.output


# --- land -------------------------------------------------------------------------------------------------------


def test_landing_an_unknown_source_names_the_ones_there_are_and_lands_nothing(
    run: Run, empty_profile: Callable[..., Settings]
) -> None:
    settings = empty_profile()
    path = drop(settings, "indicators", "b.csv", INDICATORS + GOOD_ROW)
    result = run(settings, "land", "indicators", "weather")
    assert result.exit_code == 2
    assert ", ".join(settings.contracts()) in said(result)
    assert "not weather" in said(result)
    assert path.exists()


def test_a_source_of_another_city_is_as_unknown(run: Run, empty_profile: Callable[..., Settings]) -> None:
    result = run(empty_profile(ADEMRUIMTE_CITY="terneuzen"), "land", "tickets_1777")
    assert result.exit_code == 2
    assert "terneuzen receives charge_points; not tickets_1777" in said(result)


def test_landing_a_source_says_what_became_of_every_file(run: Run, empty_profile: Callable[..., Settings]) -> None:
    settings = empty_profile()
    drop(settings, "indicators", "b.csv", INDICATORS + GOOD_ROW)
    result = run(settings, "land", "indicators")
    assert result.exit_code == 0
    assert "indicators b.csv: landed (1 rows received: 1 accepted, 0 refused" in result.output
    (manifest,) = Lake(settings.layout.lake).manifests()
    assert manifest.origin == "b.csv"


def test_a_file_of_which_every_row_was_refused_fails_the_command(
    run: Run, empty_profile: Callable[..., Settings]
) -> None:
    settings = empty_profile()
    drop(settings, "indicators", "a.csv", INDICATORS + GOOD_ROW.replace("17600", "veel"))
    result = run(settings, "land", "indicators")
    assert result.exit_code == 1
    assert "indicators a.csv: refused (indicators: a.csv: every row was refused" in said(result)


def test_a_refused_file_fails_the_command_and_the_next_one_still_lands(
    run: Run, empty_profile: Callable[..., Settings]
) -> None:
    settings = empty_profile()
    refused = drop(settings, "indicators", "a.csv", "wrong\n")
    drop(settings, "indicators", "b.csv", INDICATORS + GOOD_ROW)
    result = run(settings, "land", "indicators")
    assert result.exit_code == 1
    assert "indicators a.csv: refused (indicators: " in result.output
    assert "indicators b.csv: landed" in result.output
    assert refused.exists()


def test_only_the_sources_that_are_named_are_landed(run: Run, empty_profile: Callable[..., Settings]) -> None:
    settings = empty_profile()
    path = drop(settings, "indicators", "b.csv", INDICATORS + GOOD_ROW)
    result = run(settings, "land", "energy_meters", "renovation_coach")
    assert result.exit_code == 0
    assert "nothing waits in the drop folders" in result.output
    assert path.exists()


def test_landing_all_asks_every_source_and_fails_for_one_without_address(
    run: Run, empty_profile: Callable[..., Settings]
) -> None:
    settings = empty_profile()
    drop(settings, "indicators", "b.csv", INDICATORS + GOOD_ROW)
    result = run(settings, "land")
    assert result.exit_code == 1
    assert "ADEMRUIMTE_CHARGE_POINTS_URL" in result.output
    assert "ADEMRUIMTE_TICKETS_1777_URL" not in result.output, "it may come as a file too"
    assert "indicators b.csv: landed" in result.output


# --- build, status, batches, replay, send -----------------------------------------------------------------------


def test_a_build_with_nothing_new_says_so_and_leaves_the_published_one(run: Run, own_demo: Settings) -> None:
    before = current(own_demo.layout.published)
    result = run(own_demo, "build")
    assert result.exit_code == 0
    assert "nothing to build: the published build holds everything that was landed" in said(result)
    assert current(own_demo.layout.published) == before
    assert len(Lake(own_demo.layout.lake).decisions()) == 1


def test_the_status_of_an_empty_profile_says_what_to_do(run: Run, empty_profile: Callable[..., Settings]) -> None:
    result = run(empty_profile(), "status")
    assert result.exit_code == 2
    assert "nothing is published yet" in said(result)
    assert "ademruimte build" in said(result)


def test_the_status_shows_targets_deliveries_and_places(run: Run, demo: Settings) -> None:
    result = run(demo, "status")
    assert result.exit_code == 0
    places = [
        result.output.index(words) for words in ("Targets of Kortrijk", "Deliveries of Kortrijk", "published build")
    ]
    assert places == sorted(places)
    assert "128 targets in the register" in result.output


def test_the_status_of_one_department_and_of_what_is_behind_shows_nothing_else(run: Run, demo: Settings) -> None:
    one = run(demo, "status", "--department", "wonen", "--behind", COLUMNS="80").output
    assert "(renovation_collective)" in one
    assert "(co2_territory_2030)" not in one
    assert "on track  " not in one
    assert "Deliveries" not in one
    assert max(map(len, one.splitlines())) <= 80
    unknown = run(demo, "status", "--department", "wonnen")
    assert (unknown.exit_code, "no department 'wonnen' has targets" in said(unknown)) == (1, True)


def test_the_status_says_what_holds_one_target_back(run: Run, demo: Settings) -> None:
    result = run(demo, "status", "--why", "own_energy_use_yearly")
    assert result.exit_code == 0
    assert "Eigen energieverbruik" in result.output
    assert "█" in result.output or "Er is geen achterstand" in result.output


def test_batches_lists_every_batch_of_the_lake_on_a_line(run: Run, demo: Settings) -> None:
    lines = run(demo, "batches").output.splitlines()
    manifests = Lake(demo.layout.lake).manifests()
    assert len(lines) == len(manifests) > len(demo.contracts())
    for line, manifest in zip(lines, manifests, strict=True):
        assert line == f"{manifest.batch_id}  {manifest.source}  {manifest.origin}"


def test_an_empty_lake_lists_nothing(run: Run, empty_profile: Callable[..., Settings]) -> None:
    result = run(empty_profile(), "batches")
    assert (result.exit_code, result.output) == (0, "")


def test_replaying_an_unknown_batch_says_how_to_find_the_known_ones(run: Run, demo: Settings) -> None:
    result = run(demo, "replay", "20260101T000000000000Z-0123456789ab")
    assert result.exit_code == 2
    assert "no live batch 20260101T000000000000Z-0123456789ab" in said(result)
    assert "`ademruimte batches` lists them" in said(result)


def test_a_replay_that_gives_the_same_rows_says_that_it_wrote_nothing(run: Run, own_demo: Settings) -> None:
    lake = Lake(own_demo.layout.lake)
    before = lake.manifests()
    result = run(own_demo, "replay", before[0].batch_id)
    assert result.exit_code == 0
    assert "the same rows again: nothing was written" in result.output
    assert Lake(own_demo.layout.lake).manifests() == before


def test_a_replay_that_changes_rows_names_its_batch_and_the_list_says_what_it_replaces(
    run: Run, own_demo: Settings
) -> None:
    lake = Lake(own_demo.layout.lake)
    manifest = lake.manifests("indicators")[0]
    accepted = lake.file(manifest, "observations", "accepted")
    lake.read(manifest, "observations", "accepted").head(1).write_parquet(accepted)
    again = f"{manifest.batch_id}.r1"
    assert f"committed {again}" in run(own_demo, "replay", manifest.batch_id).output
    listed = run(own_demo, "batches").output
    assert f"{again}  indicators  {manifest.origin} supersedes {manifest.batch_id}\n" in listed
    assert f"{manifest.batch_id}  indicators  {manifest.origin}; superseded\n" in listed


def test_erasing_names_each_batch_and_where_its_rows_still_lie(
    run: Run, empty_profile: Callable[..., Settings]
) -> None:
    settings = empty_profile()
    drop(settings, "indicators", "b.csv", INDICATORS + GOOD_ROW + GOOD_ROW.replace("2026-10-31", "2026-09-30"))
    assert run(settings, "land", "indicators").exit_code == 0
    lake = Lake(settings.layout.lake)
    (first,) = lake.live()
    counting = run(settings, "erase", first.batch_id)
    assert (counting.exit_code, "so its rows count; replay it first" in said(counting)) == (1, True)
    lake.read(first, "observations", "accepted").head(1).write_parquet(lake.file(first, "observations", "accepted"))
    assert run(settings, "replay", first.batch_id).exit_code == 0
    result = run(settings, "erase", first.batch_id)
    assert result.exit_code == 0
    assert f"erased {first.batch_id}" in result.output
    assert "until the next `ademruimte build`" in said(result)
    assert "the newest 14 published builds" in said(result)
    assert lake.is_erased(first)
    assert f"{first.batch_id}  indicators  b.csv; erased\n" in run(settings, "batches").output


def test_erasing_an_unknown_batch_says_how_to_find_the_known_ones(
    run: Run, empty_profile: Callable[..., Settings]
) -> None:
    result = run(empty_profile(), "erase", "20260101T000000000000Z-0123456789ab")
    assert result.exit_code == 2
    assert "`ademruimte batches` lists them" in said(result)


def test_sending_with_an_empty_outbox_says_that_nothing_was_sent(
    run: Run, empty_profile: Callable[..., Settings]
) -> None:
    result = run(empty_profile(), "send")
    assert result.exit_code == 0
    assert "0 messages sent, 0 failed" in result.output


def test_sending_counts_what_went_out_and_fails_when_something_could_not(run: Run, own_demo: Settings) -> None:
    with State(own_demo.layout.state) as state:
        waiting = len(state.unsent())
    own_demo.layout.mail.rmdir()
    own_demo.layout.mail.write_text("a file where the folder should be")
    failed = run(own_demo, "send")
    assert (failed.exit_code, f"0 messages sent, {waiting} failed" in failed.output) == (1, True)
    own_demo.layout.mail.unlink()
    sent = run(own_demo, "send")
    assert (sent.exit_code, f"{waiting} messages sent, 0 failed" in sent.output) == (0, True)
    assert len(list(own_demo.layout.mail.glob("*.eml"))) == waiting
