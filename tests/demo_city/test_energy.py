from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

from ingestion.demo_city.city import DEMO_SITES
from ingestion.demo_city.sites import DWELLING_EAN, STRANGER_EAN

if TYPE_CHECKING:
    from tests.demo_city.conftest import Landed

AUTUMN_CHANGE, SPRING_CHANGE = date(2026, 10, 25), date(2026, 3, 29)
CITY_HALL, SCHOOL = DEMO_SITES[0], DEMO_SITES[4]


@pytest.fixture(scope="module")
def energy(landed: "list[Landed]") -> "list[Landed]":
    return [one for one in landed if one.source == "energy_meters"]


@pytest.fixture(scope="module")
def current(energy: "list[Landed]") -> pl.DataFrame:
    """The last delivered value of every reading."""
    in_order = sorted(energy, key=lambda one: one.supplied_at)
    key = ["ean", "meter_id", "direction", "register", "unit", "granularity", "start_at"]
    return pl.concat([one.split.accepted.drop("line") for one in in_order]).unique(key, keep="last")


def _intervals(current: pl.DataFrame, ean: str, day: date, granularity: str = "PT15M") -> dict[str, int]:
    found = current.filter(
        (pl.col("ean") == ean)
        & (pl.col("reading_date") == day)
        & (pl.col("granularity") == granularity)
        & (pl.col("unit") == "kWh")
    )
    return dict(Counter(found["direction"]))


def _named(dropped: list[Path], part: str) -> str:
    (file,) = [one for one in dropped if part in one.name]
    return file.read_bytes().decode("utf-8-sig")


def _check_digit_is_right(ean: str) -> bool:
    weighted = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(ean[:-1])))
    return (weighted + int(ean[-1])) % 10 == 0


def test_every_demo_ean_has_18_digits_the_demo_prefix_and_a_right_check_digit() -> None:
    eans = [ean for site in DEMO_SITES for ean in (site.ean_electricity, site.ean_gas)]
    assert len(set(eans)) == 12
    assert _check_digit_is_right(DWELLING_EAN)
    assert all(len(ean) == 18 and ean.startswith("5414488900000") for ean in eans)
    assert all(_check_digit_is_right(ean) for ean in eans)


def test_every_demo_building_says_that_it_is_synthetic() -> None:
    assert all("synthetisch" in site.name for site in DEMO_SITES)


def test_the_day_summer_time_ends_has_a_hundred_quarters_per_direction(current: pl.DataFrame) -> None:
    assert _intervals(current, CITY_HALL.ean_electricity, AUTUMN_CHANGE) == {"offtake": 100}
    assert _intervals(current, SCHOOL.ean_electricity, AUTUMN_CHANGE) == {"offtake": 100, "injection": 100}


def test_the_day_summer_time_begins_has_ninety_two_quarters_per_direction(current: pl.DataFrame) -> None:
    assert _intervals(current, CITY_HALL.ean_electricity, SPRING_CHANGE) == {"offtake": 92}
    assert _intervals(current, SCHOOL.ean_electricity, SPRING_CHANGE) == {"offtake": 92, "injection": 92}


def test_an_ordinary_day_has_ninety_six_quarters(current: pl.DataFrame) -> None:
    assert _intervals(current, CITY_HALL.ean_electricity, AUTUMN_CHANGE + timedelta(days=1)) == {"offtake": 96}


def test_hourly_gas_has_twenty_five_hours_when_summer_time_ends(current: pl.DataFrame) -> None:
    library = DEMO_SITES[2].ean_gas
    assert _intervals(current, library, AUTUMN_CHANGE, "PT1H") == {"offtake": 25}
    assert _intervals(current, library, AUTUMN_CHANGE + timedelta(days=1), "PT1H") == {"offtake": 24}


def test_every_quarter_starts_where_the_one_before_ended_on_the_days_the_clock_changes(current: pl.DataFrame) -> None:
    for day in (AUTUMN_CHANGE, SPRING_CHANGE):
        quarters = current.filter(
            (pl.col("ean") == CITY_HALL.ean_electricity)
            & (pl.col("reading_date") == day)
            & (pl.col("granularity") == "PT15M")
        ).sort("start_at")
        assert quarters["start_at"].to_list()[1:] == quarters["end_at"].to_list()[:-1]


def test_the_repeated_hour_is_written_pairwise_per_label(dropped: list[Path]) -> None:
    text = _named(dropped, f"{CITY_HALL.ean_electricity}_20261001_20261122_kwartiertotalen.csv")
    repeated = [line.split(";")[1] for line in text.splitlines() if line.startswith("25-10-2026;02:")]
    assert repeated == ["02:00:00", "02:00:00", "02:15:00", "02:15:00", "02:30:00", "02:30:00", "02:45:00", "02:45:00"]


def test_the_last_quarter_of_summer_time_ends_before_it_starts_on_the_wall(dropped: list[Path]) -> None:
    text = _named(dropped, f"{CITY_HALL.ean_electricity}_20261001_20261122_kwartiertotalen.csv")
    untils = [line.split(";")[3] for line in text.splitlines() if line.startswith("25-10-2026;02:45:00")]
    assert untils == ["02:00:00", "03:00:00"]


def test_the_jump_in_march_shows_in_the_end_of_a_quarter_only(dropped: list[Path]) -> None:
    text = _named(dropped, f"{CITY_HALL.ean_electricity}_20260301_20260331_kwartiertotalen.csv")
    lines = [line.split(";")[1:4] for line in text.splitlines() if line.startswith("29-03-2026;0")]
    assert ["01:45:00", "29-03-2026", "03:00:00"] in lines
    assert not any(start.startswith("02:") for start, _, _ in lines)


def test_a_day_total_ends_twenty_four_elapsed_hours_later(dropped: list[Path]) -> None:
    text = _named(dropped, "elektriciteit_20251101_20261122_dagtotalen")
    ends = {line.split(";")[0]: ";".join(line.split(";")[2:4]) for line in text.splitlines()}
    assert ends["29-03-2026"] == "30-03-2026;01:00:00"
    assert ends["25-10-2026"] == "25-10-2026;23:00:00"
    assert ends["26-10-2026"] == "27-10-2026;00:00:00"


def test_quarters_and_day_total_of_a_day_tell_the_same(current: pl.DataFrame) -> None:
    for site in (CITY_HALL, SCHOOL):
        for day in (AUTUMN_CHANGE, SPRING_CHANGE, date(2026, 11, 3)):
            of_day = current.filter(
                (pl.col("ean") == site.ean_electricity)
                & (pl.col("reading_date") == day)
                & (pl.col("direction") == "offtake")
            )
            sums = dict(of_day.group_by("granularity").agg(pl.col("value").sum()).iter_rows())
            assert sums["PT15M"] == pytest.approx(sums["P1D"], rel=0.005)


def test_every_meter_tells_every_day_of_the_base_year_and_the_last_twelve_months(current: pl.DataFrame) -> None:
    days = current.filter((pl.col("granularity") == "P1D") & (pl.col("direction") == "offtake"))
    per_meter = days.group_by("ean").agg(
        base=pl.col("reading_date").filter(pl.col("reading_date").dt.year() == 2019).n_unique(),
        latest=pl.col("reading_date").filter(pl.col("reading_date") >= date(2025, 11, 22)).n_unique(),
    )
    assert per_meter.height == 12
    assert set(per_meter["base"]) == {365}
    assert set(per_meter["latest"]) == {365}


def test_own_energy_fell_eleven_percent_since_2019(current: pl.DataFrame) -> None:
    days = current.filter(
        (pl.col("granularity") == "P1D") & (pl.col("direction") == "offtake") & (pl.col("unit") == "kWh")
    )
    base = days.filter(pl.col("reading_date").dt.year() == 2019)["value"].sum()
    now = days.filter(pl.col("reading_date") >= date(2025, 11, 22))["value"].sum()
    assert now / base - 1 == pytest.approx(-0.11, abs=0.005)


def test_gas_comes_in_cubic_metres_and_kwh_of_the_same_energy(current: pl.DataFrame) -> None:
    gas = current.filter((pl.col("carrier") == "gas") & (pl.col("granularity") == "P1D"))
    units = dict(gas.group_by("unit").agg(pl.col("value").sum()).iter_rows())
    assert 9.5 <= units["kWh"] / units["m3"] <= 12.8


def test_every_dialect_of_the_portal_is_there(dropped: list[Path]) -> None:
    headers = {file.read_bytes().decode("utf-8-sig").splitlines()[0] for file in dropped if "energy" in str(file)}
    assert sum(header.startswith("Van (datum)") for header in headers) == 2
    assert sum(header.startswith("Van datum") for header in headers) == 2
    assert sum(header.startswith("From (date)") for header in headers) == 1


def test_an_export_is_utf8_with_a_mark_crlf_and_excel_formulas_for_eans(dropped: list[Path]) -> None:
    for file in (one for one in dropped if one.parent.name == "energy_meters"):
        content = file.read_bytes()
        assert content.startswith(b"\xef\xbb\xbf")
        assert content.count(b"\r\n") == content.count(b"\n")
        assert b';="5414488900000' in content


def test_the_bad_rows_of_an_export_are_refused_for_their_own_reasons(energy: "list[Landed]") -> None:
    refused = pl.concat([one.split.quarantined for one in energy])
    reasons = Counter(reason.split(":")[0] for row in refused["reasons"] for reason in set(row))
    assert set(reasons) == {"ean", "register", "volume"}
    assert refused.height <= 0.015 * sum(one.split.received for one in energy)


def test_lines_pasted_twice_count_as_duplicates(energy: "list[Landed]") -> None:
    assert sum(one.split.duplicate for one in energy) == 24


def test_every_received_line_is_accounted_for(energy: "list[Landed]") -> None:
    for one in energy:
        parts = one.split
        assert parts.received == parts.accepted.height + parts.quarantined.height + parts.duplicate + parts.superseded


def test_the_first_interval_of_an_export_was_not_measured(energy: "list[Landed]") -> None:
    missing = pl.concat([one.split.accepted for one in energy]).filter(pl.col("quality") == "missing")
    assert set(missing["reading_date"]) == {date(2026, 10, 1)}
    assert missing["value"].null_count() == missing.height


def test_a_later_file_corrects_an_estimated_week(energy: "list[Landed]") -> None:
    depot = DEMO_SITES[5].ean_electricity
    week = pl.col("reading_date").is_between(date(2026, 11, 2), date(2026, 11, 8)) & (pl.col("ean") == depot)
    first, corrected = sorted(
        (one for one in energy if one.split.accepted.filter(week).height), key=lambda one: one.supplied_at
    )
    before, after = first.split.accepted.filter(week), corrected.split.accepted.filter(week)
    assert set(before["quality"]) == {"estimated"}
    assert set(after["quality"]) == {"validated"}
    assert before["value"].sum() < 0.8 * after["value"].sum()


def test_the_file_that_comes_last_is_about_the_oldest_missing_month(energy: "list[Landed]") -> None:
    last = max(energy, key=lambda one: one.supplied_at)
    assert last.split.accepted["reading_date"].min() == date(2026, 2, 1)
    assert last.split.accepted["reading_date"].max() == date(2026, 2, 28)


def test_one_export_was_downloaded_twice(dropped: list[Path]) -> None:
    contents = Counter(file.read_bytes() for file in dropped)
    assert sorted(contents.values())[-2:] == [1, 2]


def test_of_a_dwelling_only_its_whole_months_come_in(energy: "list[Landed]") -> None:
    kept = pl.concat([one.received for one in energy], how="diagonal").filter(pl.col("ean").str.contains(DWELLING_EAN))
    assert set(kept.select("from_date", "granularity").iter_rows()) == {("01-09-2026", "P1M"), ("01-10-2026", "P1M")}
    assert kept["meter"].null_count() == kept.height


def test_a_meter_that_is_not_the_citys_leaves_no_row(energy: "list[Landed]") -> None:
    assert not any(one.received["ean"].str.contains(STRANGER_EAN).any() for one in energy)


def test_the_demo_stays_small(energy: "list[Landed]") -> None:
    assert sum(one.split.received for one in energy) < 60_000
