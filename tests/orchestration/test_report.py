"""The tables of the terminal: worst first, whole numbers, and never wider than 80 columns."""

import io
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from rich.console import Console

from orchestration import report
from orchestration.settings import Settings
from warehouse.engine import connect
from warehouse.lake import Lake
from warehouse.published.parquet import write_parquet
from warehouse.published.pointer import flip, stage

STATUSES = ["behind", "overdue", "at_risk", "unverified", "stale", "on_track", "reached", "monitored", "not_started"]
TARGET: dict[str, Any] = {
    "target_id": "t",
    "section": "A",
    "department_id": "wonen",
    "as_of_date": date(2026, 11, 23),
    "status": "behind",
    "status_nl": "achter op schema",
    "sentence_nl": "Doel: 1; het pad vraagt 2.",
}
KPI: dict[str, Any] = {
    "kpi_id": "loners",
    "area_id": "34022",
    "ref_date": date(2026, 10, 31),
    "value": 1.0,
    "unit": "bomen",
    "n": 1,
}
JUDGED = pl.DataFrame({"kpi_id": ["judged"]})
DEPARTMENTS = pl.DataFrame({"department_id": ["groen"], "name_nl": ["Groen en natuur"]})


def frame(row: dict[str, Any], changes: list[dict[str, Any]]) -> pl.DataFrame:
    types = {name: pl.DataFrame({name: [value]}).schema[name] for name, value in row.items()}
    return pl.DataFrame([row | change for change in changes], schema=types)


def publish(
    settings: Settings, targets: list[dict[str, Any]] | None = None, kpis: list[dict[str, Any]] | None = None
) -> Settings:
    """A published build that holds these rows."""

    def write(folder: Path) -> None:
        with connect(folder / "ademruimte.duckdb") as con:
            for table, rows in (
                ("verdicts.fct_target_verdicts", frame(TARGET, targets or [])),
                ("marts.fct_kpi_observations", frame(KPI, kpis or [])),
                ("marts.dim_target", JUDGED),
                ("marts.dim_department", DEPARTMENTS),
            ):
                con.register("rows", rows)
                con.execute(f"create schema if not exists {table.split('.')[0]}")
                con.execute(f"create table {table} as select * from rows")
        write_parquet(folder / "ademruimte.duckdb", folder, ("marts", "verdicts"))

    stage(settings.layout.published, "b1", write)
    flip(settings.layout.published, "b1")
    return settings


def shown(show: Callable[[Console, Settings], None], settings: Settings) -> str:
    console = Console(width=80, record=True, file=io.StringIO(), highlight=False)
    show(console, settings)
    return console.export_text()


def line_with(text: str, words: str) -> str:
    (found,) = [line for line in text.splitlines() if words in line]
    return found


# --- targets ----------------------------------------------------------------------------------------------------


def test_targets_stand_worst_first_and_one_without_data_is_only_counted(
    empty_profile: Callable[..., Settings],
) -> None:
    targets = [
        {"target_id": status, "status": status, "status_nl": status, "sentence_nl": f"zin over {status}."}
        for status in [*sorted(STATUSES), "no_data"]
    ]
    text = shown(report.print_targets, publish(empty_profile(), targets))
    assert re.findall(r"zin over (\w+)", text) == STATUSES
    assert "10 doelen in het register; van 1 zijn er nog geen gegevens." in text


def test_a_status_that_the_table_does_not_know_stands_last(empty_profile: Callable[..., Settings]) -> None:
    targets = [{"target_id": name, "status": name, "sentence_nl": name} for name in ("nieuw", "not_started", "behind")]
    text = shown(report.print_targets, publish(empty_profile(), targets))
    assert re.findall(r"nieuw|not_started|behind", text) == ["behind", "not_started", "nieuw"]


def test_targets_of_one_status_stand_by_section_and_name(empty_profile: Callable[..., Settings]) -> None:
    targets = [
        {"target_id": name, "section": section, "sentence_nl": f"{section}-{name}"}
        for name, section in (("b", "B"), ("z", "A"), ("a", "B"), ("c", "A"))
    ]
    text = shown(report.print_targets, publish(empty_profile(), targets))
    assert re.findall(r"[AB]-[a-z]", text) == ["A-c", "A-z", "B-a", "B-b"]


def test_the_department_with_the_worst_target_comes_first_under_its_own_name(
    empty_profile: Callable[..., Settings],
) -> None:
    targets = [
        {"target_id": "a", "department_id": "groen", "status": "on_track", "sentence_nl": "bomen"},
        {"target_id": "b", "department_id": "wonen", "status": "behind", "sentence_nl": "woningen"},
        {"target_id": "c", "department_id": "groen", "status": "at_risk", "sentence_nl": "hagen"},
    ]
    text = shown(report.print_targets, publish(empty_profile(), targets))
    assert re.findall(r"Groen|wonen\b|bomen|woningen|hagen", text) == ["wonen", "woningen", "Groen", "hagen", "bomen"]


def test_the_first_lines_count_every_status_in_words_worst_first(empty_profile: Callable[..., Settings]) -> None:
    targets = [
        {"target_id": "a", "status": "on_track", "status_nl": "op schema"},
        {"target_id": "b"},
        {"target_id": "c"},
        {"target_id": "d", "status": "no_data", "status_nl": "geen gegevens"},
    ]
    text = shown(report.print_targets, publish(empty_profile(), targets))
    assert "op 23/11/2026" in text
    assert "2 achter op schema · 1 op schema · 1 geen gegevens" in text


def test_a_long_sentence_is_wrapped_beside_its_status_and_every_word_of_it_is_there(
    empty_profile: Callable[..., Settings],
) -> None:
    words = [f"woord{n}" for n in range(60)]
    text = shown(report.print_targets, publish(empty_profile(), [{"sentence_nl": " ".join(words)}]))
    assert re.findall(r"woord\d+", text) == words
    assert max(map(len, text.splitlines())) <= 80


def test_a_sentence_with_brackets_is_shown_as_it_is(empty_profile: Callable[..., Settings]) -> None:
    text = shown(report.print_targets, publish(empty_profile(), [{"sentence_nl": "Doel [red]rood[/red]: 3."}]))
    assert "Doel [red]rood[/red]: 3." in text


def test_a_city_without_a_registry_says_so_instead_of_an_empty_table(empty_profile: Callable[..., Settings]) -> None:
    text = shown(report.print_targets, publish(empty_profile(ADEMRUIMTE_CITY="terneuzen")))
    assert text.strip() == "Terneuzen heeft geen register van doelen: alleen de cijfers zelf."


def test_invented_data_is_labelled_and_real_data_is_not(empty_profile: Callable[..., Settings]) -> None:
    settings = publish(empty_profile(), [{}])
    assert "SYNTHETISCH" not in shown(report.print_targets, settings)
    settings.layout.marker.write_text("2026-11-23", encoding="utf-8")
    assert "SYNTHETISCHE GEGEVENS (demo)" in shown(report.print_targets, settings)
    assert "SYNTHETIC DATA (demo)" in shown(report.print_deliveries, settings)


def test_the_targets_of_the_demo_are_all_there_or_counted(demo: Settings) -> None:
    text = shown(report.print_targets, demo)
    verdicts = report.published_frame(demo, "verdicts.fct_target_verdicts")
    flat = " ".join(text.split())
    judged = verdicts.filter(pl.col("status") != "no_data")
    without = int(re.search(r"van (\d+) zijn er nog geen gegevens", flat)[1])
    assert judged.height + without == verdicts.height == 109
    for label, count in verdicts["status_nl"].value_counts().iter_rows():
        assert f"{count} {label}" in flat


# --- KPIs -------------------------------------------------------------------------------------------------------


def test_the_newest_value_of_the_city_is_shown_and_no_older_one(empty_profile: Callable[..., Settings]) -> None:
    kpis = [{"ref_date": date(year, 1, 1), "value": float(year), "n": 3} for year in (2024, 2026, 2025)]
    line = line_with(shown(report.print_kpis, publish(empty_profile(), kpis=kpis)), "loners")
    assert line.split() == ["loners", "2026-01-01", "bomen", "2,026", "3", "1"]


def test_a_kpi_of_smaller_areas_alone_shows_how_many_and_no_value(empty_profile: Callable[..., Settings]) -> None:
    kpis = [{"area_id": f"34022A0{n}-", "value": 5.0} for n in range(4)]
    line = line_with(shown(report.print_kpis, publish(empty_profile(), kpis=kpis)), "loners")
    assert line.split() == ["loners", "2026-10-31", "bomen", "4"]


def test_a_kpi_without_a_value_says_why(demo: Settings) -> None:
    text = shown(report.print_kpis, demo)
    line = line_with(text, "own_co2_index_2019_total")
    told = " ".join(text[text.index(line) :].split()[:12])
    assert "factor" in told
    assert "ontbreekt" in told


def test_the_name_of_a_kpi_stands_whole(demo: Settings) -> None:
    text = shown(report.print_kpis, demo)
    for name in ("charge_point_equivalents", "own_energy_estimated_share", "own_co2_index_2019_non_ets"):
        assert name in text


def test_the_city_goes_before_a_later_value_of_a_part_of_it(empty_profile: Callable[..., Settings]) -> None:
    kpis = [{"value": 80.0}, {"area_id": "34022A00-", "ref_date": date(2026, 11, 22), "value": 66.0}]
    line = line_with(shown(report.print_kpis, publish(empty_profile(), kpis=kpis)), "loners")
    assert line.split() == ["loners", "2026-10-31", "bomen", "80", "1", "2"]


def test_a_kpi_that_a_target_rests_on_stands_with_the_targets_only(empty_profile: Callable[..., Settings]) -> None:
    settings = publish(empty_profile(), kpis=[{"kpi_id": "judged"}])
    assert shown(report.print_kpis, settings) == ""


def test_after_a_dozen_kpis_the_others_are_counted(empty_profile: Callable[..., Settings]) -> None:
    settings = publish(empty_profile(), kpis=[{"kpi_id": f"kpi_{n:02}"} for n in range(15)])
    text = shown(report.print_kpis, settings)
    assert re.findall(r"kpi_\d\d", text) == [f"kpi_{n:02}" for n in range(12)]
    assert "and 3 more in marts.fct_kpi_observations." in text


# --- deliveries and places --------------------------------------------------------------------------------------


def test_deliveries_add_up_what_every_batch_of_the_lake_says(demo: Settings) -> None:
    text = shown(report.print_deliveries, demo)
    for source in demo.contracts():
        manifests = Lake(demo.layout.lake).live(source)
        for name in manifests[0].tables:
            counts = [manifest.tables[name] for manifest in manifests]
            numbers = line_with(text, f"  {name} ").replace(",", "").split()[1:]
            assert [int(number) for number in numbers] == [
                len(manifests),
                *(
                    sum(getattr(each, part) for each in counts)
                    for part in ("received", "accepted", "quarantined", "duplicate", "superseded")
                ),
            ]


@pytest.mark.parametrize("show", [report.print_targets, report.print_kpis, report.print_deliveries])
def test_every_table_of_the_demo_fits_80_columns_with_no_number_cut(
    show: Callable[[Console, Settings], None], demo: Settings
) -> None:
    text = shown(show, demo)
    assert text.strip()
    assert max(map(len, text.splitlines())) <= 80
    assert not re.search(r"[0-9,.]…|…[0-9]", text)


def test_in_60_columns_every_digit_of_a_delivery_is_still_there(demo: Settings) -> None:
    console = Console(width=60, record=True, file=io.StringIO(), highlight=False)
    report.print_deliveries(console, demo)
    text = console.export_text()
    assert "…" not in text
    assert max(len(line) for line in text.splitlines()) <= 60
    assert re.search(r"readings( +[\d,]+){4} *$", text, re.MULTILINE)


def test_a_place_under_the_working_folder_is_as_short_as_it_can_be_copied(
    demo: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(demo.layout.root)
    text = shown(report.print_places, demo)
    assert "published build  published/current/ademruimte.duckdb\n" in text
    assert str(demo.layout.root) not in text


def test_a_place_elsewhere_is_written_whole(demo: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    where = demo.layout.published / "current" / "ademruimte.duckdb"
    assert f"published build  {where}\n" in shown(report.print_places, demo)


def test_every_place_that_the_demo_names_exists(demo: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(demo.layout.root)
    text = shown(report.print_places, demo)
    refused = re.search(r"refused rows  (\d+) files, such as (\S+)", text)
    docs = re.search(r"Data Docs  (\S+)", text)
    assert int(refused[1]) > 1
    assert Path(refused[2]).suffix == ".parquet"
    for written in (refused[2], docs[1], "published/current/parquet"):
        assert Path(written).exists(), written


def test_what_is_not_there_is_called_none(empty_profile: Callable[..., Settings]) -> None:
    text = shown(report.print_places, empty_profile())
    assert line_with(text, "refused rows").split()[-1] == "none"
    assert line_with(text, "Data Docs").split()[-1] == "none"
    assert re.search(r"mails  0 in \S+mail", text)
