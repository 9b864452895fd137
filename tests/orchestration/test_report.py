"""The tables of the terminal: worst first, whole numbers, and never wider than 80 columns."""

import io
import json
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from rich.console import Console

from orchestration import report
from orchestration.alerts import wording
from orchestration.loop.publishing import show, stage
from orchestration.settings import Settings
from tests.orchestration.profiles import NOW
from warehouse.engine import connect
from warehouse.lake import Lake

STATUSES = [
    *("behind", "overdue", "at_risk", "awaiting_figure", "unverified", "stale"),
    *("on_track", "reached", "monitored", "not_started"),
]
TARGET: dict[str, Any] = {
    "target_id": "t",
    "section": "A",
    "department_id": "wonen",
    "as_of_date": date(2026, 11, 23),
    "ref_date": date(2026, 10, 31),
    "status": "behind",
    "title_nl": "Doel",
    "title_en": "Target",
    "unit": "trees",
    "value": 1.0,
    "required_value": 2.0,
    "required_today": 2.5,
    "target_value": 9.0,
    "reached_on": date(2026, 10, 31),
    "reached_value": 9.5,
    "baseline_date": date(2024, 1, 1),
    "target_date": date(2030, 12, 31),
    "months_behind": 3.0,
    "is_open_ended": False,
    "is_disputed": False,
    "is_alarm": True,
    "n_readings": 1,
}
METHOD_CHANGES = {
    "target_id": "t",
    "title_en": "Target",
    "title_nl": "Doel",
    "former_status": "on_track",
    "status": "behind",
    "changed_on": date(2026, 11, 23),
}
KPI: dict[str, Any] = {
    "kpi_id": "loners",
    "area_id": "34022",
    "ref_date": date(2026, 10, 31),
    "value": 1.0,
    "unit": "bomen",
    "n": 1,
}
VALUE, TODAY = "1 trees on 2026-10-31", "asked on 2026-11-23: 2.5"
JUDGED = pl.DataFrame({"kpi_id": ["judged"]})
DEPARTMENTS = pl.DataFrame(
    {
        "department_id": ["groen", "wonen", "zorg"],
        "name_nl": ["Groen en natuur", "Wonen", "Zorg"],
        "name_en": ["Green", "Housing", "Care"],
    }
)


def frame(row: dict[str, Any], changes: list[dict[str, Any]]) -> pl.DataFrame:
    types = {name: pl.DataFrame({name: [value]}).schema[name] for name, value in row.items()}
    return pl.DataFrame([row | change for change in changes], schema=types)


def publish(
    settings: Settings,
    targets: list[dict[str, Any]] | None = None,
    kpis: list[dict[str, Any]] | None = None,
    changes: list[dict[str, Any]] | None = None,
) -> Settings:
    """A published build that holds these rows."""

    with connect(settings.layout.warehouse) as con:
        for table, rows in (
            ("verdicts.fct_target_verdicts", frame(TARGET, targets or [])),
            ("verdicts.fct_method_changes", frame(METHOD_CHANGES, changes or [])),
            ("marts.fct_kpi_observations", frame(KPI, kpis or [])),
            ("marts.dim_target", JUDGED),
            ("marts.dim_department", DEPARTMENTS),
        ):
            con.register("rows", rows)
            con.execute(f"create schema if not exists {table.split('.')[0]}")
            con.execute(f"create table {table} as select * from rows")
    stage(settings, "b1", NOW)
    show(settings, "b1", NOW)
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
        {"target_id": status, "status": status, "title_en": f"about {status}"}
        for status in [*sorted(STATUSES), "no_data"]
    ]
    text = shown(report.print_targets, publish(empty_profile(), targets))
    assert re.findall(r"about (\w+)", text) == STATUSES
    assert "11 targets in the register; of 1 there are no data yet." in text


def test_a_status_that_the_table_does_not_know_stands_last(empty_profile: Callable[..., Settings]) -> None:
    targets = [{"target_id": name, "status": name, "title_en": name} for name in ("nieuw", "not_started", "behind")]
    text = shown(report.print_targets, publish(empty_profile(), targets))
    assert re.findall(r"\((nieuw|not_started|behind)\)", text) == ["behind", "not_started", "nieuw"]


def test_targets_of_one_status_stand_by_section_and_name(empty_profile: Callable[..., Settings]) -> None:
    targets = [
        {"target_id": name, "section": section, "title_en": f"{section}-{name}"}
        for name, section in (("b", "B"), ("z", "A"), ("a", "B"), ("c", "A"))
    ]
    text = shown(report.print_targets, publish(empty_profile(), targets))
    assert re.findall(r"[AB]-[a-z]", text) == ["A-c", "A-z", "B-a", "B-b"]


MIXED = [
    {"target_id": "a", "department_id": "groen", "status": "on_track", "title_en": "trees"},
    {"target_id": "b", "department_id": "wonen", "status": "behind", "title_en": "dwellings"},
    {"target_id": "c", "department_id": "groen", "status": "at_risk", "title_en": "hedges"},
    {"target_id": "d", "department_id": "wonen", "status": "overdue", "title_en": "sheds"},
]


def test_the_department_with_the_worst_target_comes_first_under_its_own_name(
    empty_profile: Callable[..., Settings],
) -> None:
    text = shown(report.print_targets, publish(empty_profile(), MIXED))
    assert re.findall(r"Green|Housing|trees:|dwellings|hedges|sheds", text) == [
        *("Housing", "dwellings", "sheds"),
        *("Green", "hedges", "trees:"),
    ]


@pytest.mark.parametrize("asked", ["groen", "GROEN", "Green", "groen en natuur"])
def test_one_department_can_be_asked_by_its_code_or_name(empty_profile: Callable[..., Settings], asked: str) -> None:
    settings = publish(empty_profile(), MIXED)
    text = shown(lambda console, profile: report.print_targets(console, profile, department=asked), settings)
    assert re.findall(r"trees:|dwellings|hedges|sheds", text) == ["hedges", "trees:"]
    assert "2 targets in the register" in text


@pytest.mark.parametrize("asked", ["gren", "zorg", ""])
def test_a_department_without_targets_is_refused_with_those_that_have_them(
    empty_profile: Callable[..., Settings], asked: str
) -> None:
    settings = publish(empty_profile(), MIXED)
    with pytest.raises(LookupError, match=r"there are: groen, wonen$"):
        report.print_targets(Console(file=io.StringIO()), settings, department=asked)


def test_only_what_is_behind_can_be_asked(empty_profile: Callable[..., Settings]) -> None:
    settings = publish(empty_profile(), MIXED)
    text = shown(lambda console, profile: report.print_targets(console, profile, only_behind=True), settings)
    assert re.findall(r"trees:|dwellings|hedges|sheds", text) == ["dwellings", "sheds"]
    assert "1 behind · 1 overdue · 1 at risk · 1 on track" in text, "the rest is still counted"


def test_where_nothing_is_behind_it_is_said(empty_profile: Callable[..., Settings]) -> None:
    settings = publish(empty_profile(), MIXED[:1])
    text = shown(lambda console, profile: report.print_targets(console, profile, only_behind=True), settings)
    assert "none of these is behind" in text


def test_the_first_lines_count_every_status_in_words_worst_first(empty_profile: Callable[..., Settings]) -> None:
    targets = [
        {"target_id": "a", "status": "on_track"},
        {"target_id": "b"},
        {"target_id": "c"},
        {"target_id": "d", "status": "no_data"},
    ]
    text = shown(report.print_targets, publish(empty_profile(), targets))
    assert "on 2026-11-23" in text
    assert "2 behind · 1 on track · 1 no data" in text


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ({}, f"Target: {VALUE}; asked then: 2, 3 months behind; {TODAY} (t)"),
        ({"title_en": None}, f"Doel: {VALUE}; asked then: 2, 3 months behind"),
        ({"months_behind": 0.4}, f"Target: {VALUE}; asked then: 2; {TODAY} (t)"),
        ({"months_behind": None}, f"Target: {VALUE}; asked then: 2; {TODAY} (t)"),
        ({"months_behind": 1.2}, f"Target: {VALUE}; asked then: 2, 1 month behind"),
        ({"months_behind": 39.0}, f"Target: {VALUE}; asked then: 2, 3.2 years behind"),
        ({"months_behind": -8.0}, f"Target: {VALUE}; asked then: 2; {TODAY} (t)"),
        ({"required_today": 2.0}, f"Target: {VALUE}; asked then: 2, 3 months behind (t)"),
        (
            {"unit": "% of dwellings", "value": 52.5, "required_value": 60.0, "required_today": 61.0},
            "Target: 52.5 % of dwellings on 2026-10-31; asked then: 60 %, 3 months behind; asked on 2026-11-23: 61 %",
        ),
        ({"status": "reached"}, f"Target: {VALUE} (t)"),
        ({"status": "reached", "reached_on": date(2025, 12, 31)}, f"Target: {VALUE}; reached on 2025-12-31 with 9.5"),
        ({"status": "overdue", "target_date": date(2025, 12, 31)}, f"Target: {VALUE}; 9 was due on 2025-12-31"),
        ({"status": "awaiting_figure", "target_date": date(2026, 11, 1)}, f"Target: {VALUE}; 9 was due on 2026-11-01"),
        ({"status": "unverified"}, f"Target: {VALUE}; this figure is not verified yet, --why says why"),
        (
            {"status": "unverified", "value": None, "ref_date": None},
            "Target: no figure that counts yet, --why says why",
        ),
        ({"status": "stale"}, f"Target: {VALUE}; nothing newer by 2026-11-23"),
        ({"status": "cancelled"}, "Target: this target no longer holds"),
        ({"status": "contested"}, "Target: cannot be judged yet: a question about it is open"),
        ({"status": "monitored", "is_open_ended": True}, f"Target: {VALUE}; no end date (t)"),
        (
            {"status": "overdue", "is_disputed": True, "n_readings": 2},
            f"Target: {VALUE}; 9 was due on 2030-12-31; disputed: its 2 readings do not agree, --why says what",
        ),
        ({"status": "not_started"}, "Target: begins on 2024-01-01"),
        (
            {"unit": "milestone 0/1", "value": 0.0, "months_behind": None, "status": "at_risk"},
            "Target: not done yet on 2026-10-31; due on 2030-12-31",
        ),
        ({"unit": "milestone 0/1", "value": 1.0, "status": "reached"}, "Target: done on 2026-10-31"),
    ],
)
def test_a_target_says_where_it_is_and_why_it_is_not_judged(
    empty_profile: Callable[..., Settings], target: dict[str, Any], told: str
) -> None:
    text = shown(report.print_targets, publish(empty_profile(), [target]))
    assert told in " ".join(text.split()).replace(
        wording.status_en(target.get("status", "behind")) + " Target", "Target"
    )


def test_what_another_method_changed_is_listed_for_every_department_and_apart(
    empty_profile: Callable[..., Settings],
) -> None:
    targets = [{}, {"target_id": "u", "department_id": "zorg"}]
    changes = [{}, {"target_id": "u", "title_en": "Beds", "former_status": "reached", "status": "stale"}]
    settings = publish(empty_profile(), targets, changes=changes)
    text = " ".join(shown(report.print_targets, settings).split())
    assert "Judged otherwise by another method or definition: no change of the city" in text
    assert "Target: on track -> behind, since 2026-11-23 (t)" in text
    assert "Beds: reached -> no recent data, since 2026-11-23 (u)" in text
    of_care = shown(lambda console, of: report.print_targets(console, of, department="zorg"), settings)
    assert "Target: on track -> behind" not in of_care


def test_where_no_method_changed_a_judgement_nothing_is_said_of_it(empty_profile: Callable[..., Settings]) -> None:
    assert "Judged otherwise" not in shown(report.print_targets, publish(empty_profile(), [{}]))


def test_a_build_of_an_earlier_version_is_named_as_such(
    empty_profile: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = {name: value for name, value in TARGET.items() if name != "is_alarm"}
    monkeypatch.setattr("tests.orchestration.test_report.TARGET", earlier)
    with pytest.raises(LookupError, match="made by an earlier version; run `ademruimte build`"):
        shown(report.print_targets, publish(empty_profile(), [{}]))


def test_a_long_title_is_wrapped_beside_its_status_and_every_word_of_it_is_there(
    empty_profile: Callable[..., Settings],
) -> None:
    words = [f"word{n}" for n in range(60)]
    text = shown(report.print_targets, publish(empty_profile(), [{"title_en": " ".join(words)}]))
    assert re.findall(r"word\d+", text) == words
    assert max(map(len, text.splitlines())) <= 80


def test_a_title_with_brackets_is_shown_as_it_is(empty_profile: Callable[..., Settings]) -> None:
    text = shown(report.print_targets, publish(empty_profile(), [{"title_en": "Paint it [red]red[/red]"}]))
    assert "Paint it [red]red[/red]: 1 trees" in text


def test_a_city_without_a_registry_says_so_instead_of_an_empty_table(empty_profile: Callable[..., Settings]) -> None:
    text = shown(report.print_targets, publish(empty_profile(ADEMRUIMTE_CITY="terneuzen")))
    assert text.strip() == "Terneuzen has no register of targets: only the figures themselves."


def test_invented_data_is_labelled_and_real_data_is_not(empty_profile: Callable[..., Settings]) -> None:
    settings = publish(empty_profile(), [{}])
    assert "SYNTHETIC" not in shown(report.print_targets, settings)
    settings.layout.marker.write_text("2026-11-23", encoding="utf-8")
    assert "SYNTHETIC DATA (demo)" in shown(report.print_targets, settings)
    assert "SYNTHETIC DATA (demo)" in shown(report.print_deliveries, settings)


def test_the_targets_of_the_demo_are_all_there_or_counted(demo: Settings) -> None:
    text = shown(report.print_targets, demo)
    verdicts = report.published_frame(demo, "verdicts.fct_target_verdicts")
    flat = " ".join(text.split())
    judged = verdicts.filter(pl.col("status") != "no_data")
    without = int(re.search(r"of (\d+) there are no data yet", flat)[1])
    assert judged.height + without == verdicts.height == 128
    assert all(f"({target_id})" in text for target_id in judged["target_id"])
    for status, count in verdicts["status"].value_counts().iter_rows():
        assert f"{count} {wording.status_en(status)}" in flat


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
    told = " ".join(text[text.index(line) :].split()[:16])
    assert "a factor is missing (electricit" in re.sub(r" [\d,.]+(?= )", "", told)


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


@pytest.mark.parametrize("show", [report.print_targets, report.print_kpis, report.print_deliveries])
@pytest.mark.parametrize("width", [60, 80])
def test_no_column_is_cut_and_every_heading_stands_whole(
    show: Callable[[Console, Settings], None], width: int, demo: Settings
) -> None:
    console = Console(width=width, record=True, file=io.StringIO(), highlight=False)
    show(console, demo)
    text = console.export_text()
    assert "…" not in text
    assert max(len(line) for line in text.splitlines()) <= width
    headed = [line.split() for line in text.splitlines() if {"batches", "unit"} & set(line.split())]
    words = {"table", "batches", "received", "accepted", "refused", "dup.", "old"}
    words |= {"kpi", "ref", "date", "unit", "value", "n", "areas"}
    assert all(set(heading) <= words for heading in headed[:1])


def test_in_60_columns_every_digit_of_a_delivery_is_still_there(demo: Settings) -> None:
    console = Console(width=60, record=True, file=io.StringIO(), highlight=False)
    report.print_deliveries(console, demo)
    assert re.search(r"readings( +[\d,]+){4} *$", console.export_text(), re.MULTILINE)


def named(settings: Settings) -> str:
    """The file of the build that its pointer names."""
    return str(json.loads((settings.layout.published / "current.json").read_text())["duckdb"])


def test_a_place_under_the_working_folder_is_as_short_as_it_can_be_copied(
    demo: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(demo.layout.root)
    text = shown(report.print_places, demo)
    assert f"published build  duckdb -readonly published/{named(demo)}\n" in text
    assert str(demo.layout.root) not in text


def test_a_place_elsewhere_is_written_whole(demo: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    where = demo.layout.published / named(demo)
    assert f"published build  duckdb -readonly {where}\n" in shown(report.print_places, demo)


def test_every_place_that_the_demo_names_exists(demo: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(demo.layout.root)
    text = shown(report.print_places, demo)
    refused = re.search(r"refused rows  (\d+) files, such as (\S+)", text)
    docs = re.search(r"Data Docs  (\S+)", text)
    assert int(refused[1]) > 1
    assert Path(refused[2]).suffix == ".parquet"
    for written in (refused[2], docs[1], "published/current.json"):
        assert Path(written).exists(), written


def test_what_is_not_there_is_called_none(empty_profile: Callable[..., Settings]) -> None:
    text = shown(report.print_places, empty_profile())
    for what in ("published build", "for Power BI", "refused rows"):
        assert line_with(text, what).split()[-1] == "none"
    assert line_with(text, "Data Docs").split()[-1] == "none"
    assert re.search(r"mails  0 in \S+mail", text)
