import csv
import json
from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from contracts.cities import calendar
from contracts.cities.kortrijk import CITY
from contracts.gate import split
from contracts.registry import all_contracts
from ingestion import charge_point_rows
from ingestion.demo_city import city
from ingestion.demo_city.areas import SECTORS
from ingestion.sources import tickets_1777

if TYPE_CHECKING:
    from tests.demo_city.conftest import Landed

ROOT = Path(__file__).parents[2]
CLOCK = city.CLOCK
CITY_ZONE = ZoneInfo(CITY.time_zone)


@pytest.fixture(scope="module")
def locations() -> list[dict[str, Any]]:
    return city.charge_point_locations()


@pytest.fixture(scope="module")
def requests() -> list[dict[str, Any]]:
    return city.ticket_requests()


def _of(landed: "list[Landed]", source: str) -> "list[Landed]":
    return [one for one in landed if one.source == source]


def _bytes(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_writing_the_drops_again_or_over_an_earlier_drop_gives_the_same_bytes(
    tmp_path: Path, dropped: list[Path]
) -> None:
    first = _bytes(dropped[0].parents[1])
    for _ in range(2):
        city.write_drops(tmp_path)
        assert _bytes(tmp_path) == first


def test_the_suppliers_over_http_say_the_same_in_every_run(
    locations: list[dict[str, Any]], requests: list[dict[str, Any]]
) -> None:
    assert json.dumps(city.charge_point_locations()) == json.dumps(locations)
    assert json.dumps(city.ticket_requests()) == json.dumps(requests)


def test_every_file_has_a_ready_file_with_its_own_time(dropped: list[Path]) -> None:
    for file in dropped:
        written = file.with_name(f"{file.name}.ready").read_text(encoding="utf-8").strip()
        assert written.endswith("Z")
        assert datetime.fromisoformat(written) <= CLOCK


def test_every_source_that_only_takes_files_has_some(dropped: list[Path]) -> None:
    has_some = {file.parent.name for file in dropped}
    takes_files = {name for name, contract in all_contracts().items() if contract.endings}
    assert {"buildings", "energy_meters", "renovation_coach", "indicators"} <= has_some <= takes_files
    # of what the demo city does not play the tests of the source drop a file
    has_some |= {folder.name for folder in (ROOT / "tests" / "dropped").glob("*") if any(folder.iterdir())}
    assert takes_files - has_some <= {name for name, contract in all_contracts().items() if contract.crons}


def test_files_come_in_the_order_in_which_they_were_supplied(landed: "list[Landed]") -> None:
    times = [one.supplied_at for one in landed]
    assert times == sorted(times)


def test_so_few_rows_are_bad_that_every_verdict_stays_verified(landed: "list[Landed]") -> None:
    for source in ("energy_meters", "renovation_coach", "indicators"):
        files = _of(landed, source)
        refused = sum(one.split.quarantined.height for one in files)
        assert 0 < refused < 0.015 * sum(one.split.received for one in files)


def test_nothing_in_a_file_lies_after_the_clock(landed: "list[Landed]") -> None:
    for one in landed:
        dates = one.split.accepted.select(pl.selectors.date())
        assert all(dates[name].max() is None or dates[name].max() <= CLOCK.date() for name in dates.columns)


# charge points


def _is_private(location: dict[str, Any]) -> bool:
    return not location["publish"] or location["parking_type"] == "ON_DRIVEWAY"


def _is_in_the_city(location: dict[str, Any]) -> bool:
    latitude, longitude = (float(location["coordinates"][name]) for name in ("latitude", "longitude"))
    return 50.78 <= latitude <= 50.87 and 3.18 <= longitude <= 3.33


def _live(locations: list[dict[str, Any]]) -> set[str]:
    not_live = {"REMOVED", "PLANNED", None}
    counted = [location for location in locations if _is_in_the_city(location) and not _is_private(location)]
    evses = [evse for location in counted for evse in location["evses"] if evse["status"] not in not_live]
    return {evse["evse_id"].replace("*", "").replace("-", "") for evse in evses}


def test_the_city_has_905_live_evses_counted_once(locations: list[dict[str, Any]]) -> None:
    assert len(_live(locations)) == 905


def test_some_evses_are_published_twice(locations: list[dict[str, Any]]) -> None:
    written = [
        str(evse["evse_id"]).replace("*", "").replace("-", "")
        for location in locations
        for evse in location["evses"]
        if evse.get("evse_id")
    ]
    twice = [count for count in Counter(written).values() if count == 2]
    assert len(twice) >= 30
    assert max(Counter(written).values()) == 2


def test_some_locations_lie_outside_while_their_address_says_kortrijk(locations: list[dict[str, Any]]) -> None:
    outside = [location for location in locations if not _is_in_the_city(location)]
    # eight across the border, one in the sky, one with north and east exchanged
    assert len(outside) == 10
    assert {location["city"] for location in outside} == {"Kortrijk"}


def test_some_posts_are_of_people_and_their_operator_says_so(locations: list[dict[str, Any]]) -> None:
    private = [location for location in locations if _is_private(location)]
    assert len(private) == 4
    assert {location["publish"] for location in private} == {True, False}


def test_sessions_lie_in_the_past_and_hold_the_mess_of_the_field() -> None:
    sessions = city.charge_sessions()
    assert len(sessions) > 600
    ends = [datetime.fromisoformat(session["end_date_time"]) for session in sessions]
    assert all(end <= CLOCK for end in ends)
    assert sum(session.get("credit", False) for session in sessions) == 1
    assert sum(session["total_energy"] > 100 for session in sessions) == 3
    assert json.dumps(city.charge_sessions()) == json.dumps(sessions)


def test_boundaries_are_the_same_every_time_and_say_that_they_are_made_up(tmp_path: Path) -> None:
    first, second = (city.write_boundaries(tmp_path / name).read_bytes() for name in ("a", "b"))
    assert first == second
    drawn = json.loads(first)
    assert drawn["is_synthetic"] is True
    areas = {feature["properties"]["area_id"] for feature in drawn["features"]}
    assert "34022" in areas
    assert areas - {"34022"} == set(SECTORS)


def test_every_operator_says_that_it_is_synthetic(locations: list[dict[str, Any]]) -> None:
    assert all("(synthetisch)" in location["operator"]["name"] for location in locations)


def test_opening_hours_are_whole_days_other_hours_or_unknown(locations: list[dict[str, Any]]) -> None:
    said = {location.get("opening_times", {}).get("twentyfourseven") for location in locations}
    assert said == {True, False, None}


def test_powers_are_the_ones_of_the_field_and_sometimes_absent(locations: list[dict[str, Any]]) -> None:
    connectors = [connector for location in locations for evse in location["evses"] for connector in evse["connectors"]]
    powers = {connector.get("max_electric_power") for connector in connectors}
    assert powers >= {None, 11_000, 11_040, 22_000, 22_080, 50_000, 150_000}


def test_the_mess_of_the_charge_points_is_refused_and_nothing_else(locations: list[dict[str, Any]]) -> None:
    contract = all_contracts()["charge_points"]
    refused = {
        name: split(rows, contract.table(name), CITY)
        for name, rows in charge_point_rows.flatten(list(locations)).items()
    }
    assert {name: found.quarantined.height for name, found in refused.items()} == {
        "locations": 2,
        "evses": 6,
        "connectors": 7,
    }
    assert all(found.quarantined.height < 0.015 * found.received for found in refused.values())


def test_no_connector_is_left_without_its_evse(locations: list[dict[str, Any]]) -> None:
    contract = all_contracts()["charge_points"]
    tables = {
        name: split(rows, contract.table(name), CITY).accepted
        for name, rows in charge_point_rows.flatten(list(locations)).items()
    }
    key = ["country_code", "party_id", "location_id"]
    assert tables["connectors"].join(tables["evses"], on=[*key, "evse_uid"], how="anti").height == 0
    assert tables["evses"].join(tables["locations"], on=key, how="anti").height == 0


# tickets


def _due(asked: date, working_days: list[date]) -> date:
    return [day for day in working_days if day > asked][4]


@pytest.fixture(scope="module")
def accepted_requests(requests: list[dict[str, Any]]) -> pl.DataFrame:
    table = all_contracts()["tickets_1777"].table("requests")
    return split(tickets_1777.flatten(list(requests)), table, CITY).accepted


def test_about_94_percent_of_the_questions_are_answered_in_time(accepted_requests: pl.DataFrame) -> None:
    frame = calendar.days(CITY, date(2026, 5, 1), date(2027, 1, 31))
    working_days = frame.filter(frame["is_working_day"])["date"].to_list()
    outcomes: Counter[str] = Counter()
    for status, asked, updated in accepted_requests.select("status", "requested_date", "updated_at").iter_rows():
        due = _due(asked, working_days)
        if status == "closed":
            outcomes["on_time" if updated.astimezone(CITY_ZONE).date() <= due else "late"] += 1
        elif due < CLOCK.date():
            outcomes["overdue"] += 1
    assert outcomes["on_time"] / outcomes.total() == pytest.approx(0.94, abs=0.012)
    assert outcomes["overdue"] > 0


def test_2400_questions_reach_from_may_to_the_clock(accepted_requests: pl.DataFrame) -> None:
    assert accepted_requests.height == 2400
    assert accepted_requests["requested_date"].min() == date(2026, 5, 1)
    assert accepted_requests["requested_at"].max() > CLOCK - timedelta(days=1)
    assert accepted_requests["updated_at"].max() <= CLOCK


def test_the_mess_of_the_tickets_is_refused_for_its_reasons(requests: list[dict[str, Any]]) -> None:
    table = all_contracts()["tickets_1777"].table("requests")
    outcome = split(tickets_1777.flatten(list(requests)), table, CITY)
    assert outcome.quarantined.height == 16
    assert outcome.duplicate == 8
    reasons = {reason for row in outcome.quarantined["reasons"] for reason in row}
    assert {"status: is missing", "duplicate_of: does not look like ^\\S{1,64}$"} < reasons


def test_requests_hold_a_phone_and_an_address_for_the_door_to_drop(requests: list[dict[str, Any]]) -> None:
    assert all("0499 00" in request["description"] and request["address"] for request in requests)


def test_every_moment_of_a_request_carries_its_offset(requests: list[dict[str, Any]]) -> None:
    assert all(datetime.fromisoformat(request["requested_datetime"]).tzinfo for request in requests)


def test_the_reply_log_holds_every_turn_that_a_question_can_take(requests: list[dict[str, Any]]) -> None:
    updates = city.ticket_updates()
    kinds = Counter(event["event_type"] for update in updates for event in tickets_1777.events_of(update))
    assert kinds["auto_ack"] == 2400
    assert kinds["replied"] > 2000 < kinds["closed"]
    assert kinds["closed"] > kinds["replied"], "some are closed without a word"
    assert 3 <= kinds["reopened"] <= 15
    assert kinds["withdrawn"] == 1
    assert {update["service_request_id"] for update in updates} <= {row["service_request_id"] for row in requests}


def test_nothing_is_answered_before_it_is_asked_or_after_the_clock(requests: list[dict[str, Any]]) -> None:
    asked = {row["service_request_id"]: row["requested_datetime"] for row in requests}
    for update in city.ticket_updates():
        at = datetime.fromisoformat(update["updated_datetime"])
        assert datetime.fromisoformat(asked[update["service_request_id"]]) <= at <= CLOCK


def test_some_questions_are_answered_at_once_and_some_are_asked_twice(accepted_requests: pl.DataFrame) -> None:
    assert 50 <= accepted_requests["is_first_line"].sum() <= 250
    assert accepted_requests["duplicate_of"].is_not_null().sum() == 31
    missing = accepted_requests.filter(~pl.col("duplicate_of").is_in(accepted_requests["service_request_id"].implode()))
    assert missing["duplicate_of"].to_list() == ["SYN-2025-000001"]
    assert set(accepted_requests["channel"]) == {"phone", "email", "web", "app", "desk"}


# renovation coaches


def _logs(landed: "list[Landed]", column: str) -> "list[Landed]":
    """The tables of the coaches that hold a column and rows."""
    found = _of(landed, "renovation_coach")
    return [one for one in found if column in one.received.columns and one.received.height]


def _dossiers(landed: "list[Landed]") -> pl.DataFrame:
    files = sorted(_logs(landed, "intake_op"), key=lambda one: one.supplied_at)
    rows = pl.concat([one.split.accepted.drop("line").with_columns(supplied=one.supplied_at) for one in files])
    return rows.sort("phase_date", "supplied").unique(["team", "dossier_id"], keep="last")


def test_plans_stay_far_below_what_was_promised_by_2025(landed: "list[Landed]") -> None:
    assert 1150 <= _dossiers(landed)["plan_delivered_date"].is_not_null().sum() <= 1450


def test_about_900_dwellings_were_visited_this_year(landed: "list[Landed]") -> None:
    visited = _dossiers(landed).filter(pl.col("house_visit_date").dt.year() == 2026)
    assert 880 <= visited["dwelling_key"].n_unique() <= 1000


@pytest.mark.parametrize("team", ["kortrijk", "leiedal"])
def test_every_week_from_39_to_46_has_its_file_of_every_team(landed: "list[Landed]", team: str) -> None:
    weeks = {one.name.split("_")[1] for one in _of(landed, "renovation_coach") if team in one.name}
    assert weeks == {f"2026-W{week}" for week in range(39, 47)}


def test_a_week_holds_only_dossiers_that_changed_in_it(landed: "list[Landed]") -> None:
    for one in _logs(landed, "intake_op"):
        week = int(one.name.split("-W")[1][:2])
        if week > 39 and "volledig" not in one.name:
            last = date.fromisocalendar(2026, week, 7)
            assert one.split.accepted["phase_date"].is_between(last - timedelta(days=6), last).all()


def test_one_log_is_written_by_an_old_spreadsheet(dropped: list[Path]) -> None:
    (file,) = [one for one in dropped if "W42_kortrijk.csv" in one.name]
    text = file.read_bytes().decode("cp1252")
    assert "Renée" in text
    assert "/10/2026" in text
    with pytest.raises(UnicodeDecodeError):
        file.read_bytes().decode("utf-8")


def test_logs_hold_names_and_phones_for_the_door_to_drop(dropped: list[Path]) -> None:
    (file,) = [one for one in dropped if "W40_kortrijk.csv" in one.name]
    rows = list(csv.DictReader(file.read_text(encoding="utf-8-sig").splitlines(), delimiter=";"))
    assert all(row["naam"] and row["telefoon"].startswith("0499 00") for row in rows)


def test_a_workbook_delivered_late_corrects_week_43(landed: "list[Landed]") -> None:
    week = [one for one in _logs(landed, "intake_op") if "W43_kortrijk" in one.name]
    first, late = sorted(week, key=lambda one: one.supplied_at)
    assert (first.name[-4:], late.name[-5:]) == (".csv", ".xlsx")
    both = first.split.accepted.join(late.split.accepted, on=["team", "dossier_id"], suffix="_late")
    assert both.height == first.split.accepted.height
    assert 0 < both.filter(pl.col("dwelling_type") != pl.col("dwelling_type_late")).height < both.height


def test_the_full_log_of_a_team_lacks_one_dossier_that_it_had_before(landed: "list[Landed]") -> None:
    leiedal = [one for one in _logs(landed, "intake_op") if "leiedal" in one.name]
    (full,) = [one for one in leiedal if "volledig" in one.name]
    told = {number for one in leiedal for number in one.split.accepted["dossier_id"]}
    assert len(told - set(full.split.accepted["dossier_id"])) == 1
    assert full.split.accepted["is_snapshot"].all()


def test_a_measure_is_done_on_a_day_and_a_project_has_ten_enrolments(landed: "list[Landed]") -> None:
    rows = pl.concat([one.split.accepted for one in _logs(landed, "regelnr")])
    assert rows.filter(pl.col("status") == "uitgevoerd")["works_completed_date"].null_count() == 0
    collective = rows.filter(pl.col("collective_project_id").is_not_null())
    assert 0 < collective.height < rows.height
    assert collective["project_enrolments"].min() >= 10
    assert collective["project_name"].str.contains("synthetisch").all()


# indicators


def _observations(landed: "list[Landed]") -> pl.DataFrame:
    return pl.concat([one.split.accepted for one in _of(landed, "indicators")])


def test_indicators_speak_of_the_city_and_of_real_sectors(landed: "list[Landed]") -> None:
    assert set(_observations(landed)["area_id"]) == {CITY.area_id, *SECTORS}


def test_enough_indicators_have_values(landed: "list[Landed]") -> None:
    assert _observations(landed)["kpi_id"].n_unique() >= 25


def test_every_made_up_value_says_that_it_is_synthetic(landed: "list[Landed]") -> None:
    assert set(_observations(landed)["source_name"]) == {"Demo (synthetisch)"}


def test_milestones_are_zero_or_one(landed: "list[Landed]") -> None:
    milestones = _observations(landed).filter(pl.col("unit") == "milestone 0/1")
    assert set(milestones["value"]) == {0.0, 1.0}


def test_a_correction_changes_values_that_were_published_before(landed: "list[Landed]") -> None:
    (corrected,) = [one for one in landed if "correctie" in one.name]
    others = pl.concat([one.split.accepted for one in _of(landed, "indicators") if one is not corrected])
    key = ["kpi_id", "area_id", "ref_date"]
    both = corrected.split.accepted.join(others, on=key, suffix="_before")
    assert both.height == corrected.split.accepted.height > 0
    assert (both["value"] != both["value_before"]).all()
    assert (both["published_date"] > both["published_date_before"]).all()


def test_two_people_an_interval_and_an_embargo_stand_in_a_file(landed: "list[Landed]") -> None:
    rows = _observations(landed)
    assert set(rows.filter("is_checked")["kpi_id"]) == {"bmx_track"}
    uneven = rows.filter(pl.col("uncertainty").is_null() & pl.col("uncertainty_low").is_not_null())
    assert uneven.select("kpi_id", "uncertainty_low", "uncertainty_high").rows() == [
        ("housing_cost_arrears_share", 5.9, 8.4)
    ]
    assert rows.drop_nulls("embargo_until_at")["kpi_id"].to_list() == ["unsealing_remaining_m2"]
