import json
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from contracts.marts.kpi_observations import EVERY_KPI, MEASURES, SUITE, Concern, expectations_of
from orchestration.data_docs import data_docs_index
from orchestration.quality import run_suite

BUILD = "20261123T060000000000Z-0123456789ab"
COLUMNS = {"value", "n", "completeness"}


def _newest(rows: pd.DataFrame, kpi_id: str) -> int:
    return rows.index[rows["kpi_id"] == kpi_id][-1]


def test_sound_observations_fail_nothing(kpi_rows: pd.DataFrame, tmp_path: Path) -> None:
    assert run_suite(kpi_rows, tmp_path, BUILD) == {}


def test_an_impossible_share_is_a_reason_for_exactly_that_kpi(kpi_rows: pd.DataFrame, tmp_path: Path) -> None:
    kpi_rows.loc[3, "value"] = 140.0
    failures = run_suite(kpi_rows, tmp_path, BUILD)
    assert failures == {"tickets_1777_5wd": ["een percentage ligt niet tussen 0 en 100 (1 rij, bv. 140 op 04/10/2026)"]}


def test_a_fall_of_more_than_everything_is_impossible_while_a_fall_is_not(
    kpi_rows: pd.DataFrame, tmp_path: Path
) -> None:
    kpi_rows.loc[_newest(kpi_rows, "own_energy_use_yearly") - 1, "value"] = -120.0
    assert run_suite(kpi_rows, tmp_path, BUILD).keys() == {"own_energy_use_yearly"}


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("completeness", 1.4, "volledigheid"),
        ("n", -1, "negatief"),
        ("value", -3.0, "negatief"),
        ("period_start", date(2027, 1, 1), "begint na haar peildatum"),
    ],
)
def test_every_kpi_is_held_to_the_general_expectations(
    kpi_rows: pd.DataFrame, tmp_path: Path, column: str, value: float | None, words: str
) -> None:
    kpi_rows.loc[_newest(kpi_rows, "sites_measured"), column] = value
    ((reason,),) = run_suite(kpi_rows, tmp_path, BUILD).values()
    assert words in reason


def test_a_missing_value_is_left_to_who_checks_nulls(kpi_rows: pd.DataFrame, tmp_path: Path) -> None:
    kpi_rows.loc[0, ["value", "completeness"]] = None
    assert run_suite(kpi_rows, tmp_path, BUILD) == {}


def test_a_jump_far_beyond_the_usual_change_is_drift(kpi_rows: pd.DataFrame, tmp_path: Path) -> None:
    kpi_rows.loc[_newest(kpi_rows, "own_energy_use_yearly"), "value"] = -60.0
    ((reason,),) = run_suite(kpi_rows, tmp_path, BUILD).values()
    assert "springt meer dan 25 keer" in reason


def test_the_same_jump_in_the_past_was_judged_when_it_was_new(kpi_rows: pd.DataFrame, tmp_path: Path) -> None:
    of_energy = kpi_rows["kpi_id"] == "own_energy_use_yearly"
    kpi_rows.loc[kpi_rows.index[of_energy][:5], "value"] -= 60
    assert run_suite(kpi_rows, tmp_path, BUILD) == {}


def test_a_short_history_knows_no_usual_change(kpi_rows: pd.DataFrame, tmp_path: Path) -> None:
    short = kpi_rows.groupby("kpi_id").tail(4).copy()
    short.loc[_newest(short, "own_energy_use_yearly"), "value"] = -60.0
    assert run_suite(short, tmp_path, BUILD) == {}


def test_a_month_that_has_hardly_begun_is_no_drift(kpi_rows: pd.DataFrame, tmp_path: Path) -> None:
    newest = _newest(kpi_rows, "tickets_1777_5wd")
    kpi_rows.loc[newest, ["value", "n"]] = [0.0, 1]
    assert run_suite(kpi_rows, tmp_path, BUILD) == {}


def test_rows_that_vanished_since_the_previous_build_are_a_reason(kpi_rows: pd.DataFrame, tmp_path: Path) -> None:
    fewer = kpi_rows[(kpi_rows["kpi_id"] != "tickets_1777_5wd") | (kpi_rows["ref_date"] > date(2026, 9, 30))]
    failures = run_suite(fewer, tmp_path, BUILD, previous=kpi_rows)
    assert failures.keys() == {"tickets_1777_5wd"}
    assert "meer dan 10% van de eerdere waarnemingen is weg" in failures["tickets_1777_5wd"][0]


def test_more_rows_than_in_the_previous_build_are_welcome(kpi_rows: pd.DataFrame, tmp_path: Path) -> None:
    assert run_suite(kpi_rows, tmp_path, BUILD, previous=kpi_rows.iloc[::2]) == {}


def test_the_data_docs_hold_one_page_per_family_named_after_the_build_and_readable_reasons(
    kpi_rows: pd.DataFrame, tmp_path: Path
) -> None:
    kpi_rows.loc[3, "value"] = 140.0
    run_suite(kpi_rows, tmp_path, BUILD)
    index = data_docs_index(tmp_path)
    assert BUILD in index.read_text(encoding="utf-8")
    pages = sorted(index.parent.glob("validations/**/*.html"))
    assert [page.name for page in pages] == [
        "kpi_observations-kpi_own_energy.html",
        "kpi_observations-kpi_tickets_on_time.html",
    ]
    sentence = "tickets_1777_5wd: a share is between 0 and 100 (value at least 0 and at most 100)"
    assert sentence in pages[1].read_text(encoding="utf-8")


def test_running_a_build_again_replaces_its_data_docs(kpi_rows: pd.DataFrame, tmp_path: Path) -> None:
    for _ in range(2):
        run_suite(kpi_rows, tmp_path, BUILD)
    assert len(list(data_docs_index(tmp_path).parent.glob("validations/**/*.html"))) == 2


def test_an_empty_lake_still_has_data_docs(kpi_rows: pd.DataFrame, tmp_path: Path) -> None:
    assert run_suite(kpi_rows.iloc[:0], tmp_path, BUILD) == {}
    assert data_docs_index(tmp_path).is_file()


def test_nothing_is_drawn_on_the_terminal_and_nobody_is_told_of_the_use(
    kpi_rows: pd.DataFrame, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run_suite(kpi_rows, tmp_path, BUILD)
    written = capfd.readouterr()
    assert "Calculating Metrics" not in written.out + written.err
    settings = (tmp_path / "gx" / "great_expectations.yml").read_text(encoding="utf-8")
    assert "globally: false" in settings


def test_the_frame_of_the_caller_is_left_as_it_was(kpi_rows: pd.DataFrame, tmp_path: Path) -> None:
    before = kpi_rows.copy()
    run_suite(kpi_rows, tmp_path, BUILD)
    pd.testing.assert_frame_equal(kpi_rows, before)


def test_the_suite_describes_only_what_no_other_validator_checks() -> None:
    assert len({expectation.name for expectation in SUITE}) == len(SUITE)
    assert {expectation.concern for expectation in SUITE} == set(Concern)
    assert {expectation.column for expectation in SUITE} <= COLUMNS | MEASURES.keys()
    assert json.dumps([expectation.reason_nl for expectation in SUITE])


@pytest.mark.parametrize(
    ("unit", "limits"),
    [
        ("% of questions", (0, 100)),
        ("% change vs 2019", (-100, 100)),
        ("milestone 0/1", (0, 1)),
        ("trees (additional)", (0, None)),
    ],
)
def test_the_closest_unit_decides_what_is_plausible(unit: str, limits: tuple[float | None, float | None]) -> None:
    (own,) = (rule for rule in expectations_of("any", unit) if rule not in EVERY_KPI)
    assert (own.minimum, own.maximum) == limits
