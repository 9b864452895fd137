import csv
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from contracts.cities.kortrijk import CITY
from contracts.gate import split
from contracts.registry import all_contracts, city_named
from ingestion.delivery import Context, DroppedFile
from ingestion.demo_city import real_exports
from ingestion.demo_city.city import CLOCK
from ingestion.sources import energy_meters, indicators, tickets_1777
from tests.demo_city.conftest import register_rows

_SHARED = Path(__file__).parents[2] / "dbt_project" / "seeds" / "shared"


@pytest.mark.parametrize(
    "read",
    [
        lambda folder: real_exports.fluvius_drops(folder, folder / "drop"),
        lambda folder: real_exports.indicator_drops(folder, folder / "drop"),
        lambda folder: real_exports.locations(folder, "roosendaal", "2026-06-02"),
        real_exports.tickets,
    ],
)
def test_a_folder_without_the_file_is_named_in_the_message(read, tmp_path: Path) -> None:  # noqa: ANN001 - one of four
    with pytest.raises(FileNotFoundError, match="DATA"):
        read(tmp_path)


def test_the_fluvius_exports_are_copied_untouched_with_a_ready_file(real_data: Path, tmp_path: Path) -> None:
    copied = real_exports.fluvius_drops(real_data, tmp_path)
    assert len(copied) == 3
    for file in copied:
        assert file.parent == tmp_path / "energy_meters"
        assert file.read_bytes() == (real_data / "energy_meters" / "fluvius_export" / file.name).read_bytes()
        assert datetime.fromisoformat(file.with_name(f"{file.name}.ready").read_text(encoding="utf-8").strip()).tzinfo


def test_no_line_of_a_real_export_is_refused(real_data: Path, tmp_path: Path) -> None:
    table = all_contracts()["energy_meters"].table("readings")
    context = Context(CITY, rows=lambda *_: register_rows(tmp_path))
    outcomes = [
        split(energy_meters.SOURCE.read(DroppedFile(file, CLOCK), context).tables["readings"], table, CITY)
        for file in real_exports.fluvius_drops(real_data, tmp_path)
    ]
    assert sorted(outcome.received for outcome in outcomes) == [116, 3848, 13640]
    assert sum(outcome.quarantined.height for outcome in outcomes) == 0


def _observations(file: Path) -> tuple[int, pl.DataFrame, pl.DataFrame]:
    received = indicators.SOURCE.read(DroppedFile(file, CLOCK), Context(CITY)).tables["observations"]
    outcome = split(received, all_contracts()["indicators"].table("observations"), CITY)
    return outcome.received, outcome.accepted, outcome.quarantined


def test_every_row_and_measure_of_the_swing_upload_becomes_an_observation(real_data: Path, tmp_path: Path) -> None:
    (file,) = [one for one in real_exports.indicator_drops(real_data, tmp_path) if "swing" in one.name]
    received, accepted, quarantined = _observations(file)
    assert received == 456 * 9 == accepted.height
    assert quarantined.height == 0
    assert accepted["kpi_id"].n_unique() == 9
    assert "fluvius_elek_res_cons" in set(accepted["kpi_id"])
    assert sorted({day.year for day in accepted["ref_date"]}) == [2018, 2019, 2020, 2021]


def test_connections_are_counted_and_consumption_is_in_kwh(real_data: Path, tmp_path: Path) -> None:
    for file in real_exports.indicator_drops(real_data, tmp_path):
        _, accepted, _ = _observations(file)
        counted = accepted.filter(pl.col("kpi_id").str.ends_with("_n"))
        assert set(counted["unit"]) == {"aansluitingen"}
        assert set(accepted.filter(~pl.col("kpi_id").str.ends_with("_n"))["unit"]) == {"kWh"}


def test_the_sums_of_the_sectors_survive_the_new_shape(real_data: Path, tmp_path: Path) -> None:
    (file,) = [one for one in real_exports.indicator_drops(real_data, tmp_path) if "swing" in one.name]
    _, accepted, _ = _observations(file)
    with (real_data / "indicators" / file.name).open(encoding="utf-8", newline="") as lines:
        expected = sum(float(row["v2506_gas_res_cons"]) for row in csv.DictReader(lines))
    assert accepted.filter(pl.col("kpi_id") == "fluvius_gas_res_cons")["value"].sum() == pytest.approx(expected)


def test_every_row_of_2020_lands_also_where_fluvius_could_not_place_it(real_data: Path, tmp_path: Path) -> None:
    (file,) = [one for one in real_exports.indicator_drops(real_data, tmp_path) if "2020" in one.name]
    received, accepted, quarantined = _observations(file)
    assert (received, accepted.height, quarantined.height) == (866 * 2, 866 * 2, 0)
    assert {"34022REST", "34022ZZZZ"} <= set(accepted["area_id"])


def test_every_real_indicator_stands_in_the_registry_with_its_unit(real_data: Path, tmp_path: Path) -> None:
    registered = csv.DictReader((_SHARED / "other_indicators.csv").read_text("utf-8").splitlines())
    units = {row["kpi_id"]: row["unit"] for row in registered}
    for file in real_exports.indicator_drops(real_data, tmp_path):
        said = dict(_observations(file)[1].select("kpi_id", "unit").unique().iter_rows())
        assert said == {kpi_id: units.get(kpi_id) for kpi_id in said}


def test_indicator_files_are_the_same_in_every_run(real_data: Path, tmp_path: Path) -> None:
    first = [file.read_bytes() for file in real_exports.indicator_drops(real_data, tmp_path / "a")]
    second = [file.read_bytes() for file in real_exports.indicator_drops(real_data, tmp_path / "b")]
    assert first == second


@pytest.mark.parametrize(
    ("town", "version", "records"),
    [("roosendaal", "2026-06-07", 754), ("terneuzen", "2026-06-07", 208)],
)
def test_the_dumps_hold_the_known_numbers_of_evses(real_data: Path, town: str, version: str, records: int) -> None:
    found = real_exports.locations(real_data, town, version)
    assert sum(len(location["evses"]) for location in found) == records


def test_the_older_dump_of_a_town_differs_from_the_newer(real_data: Path) -> None:
    older = real_exports.locations(real_data, "roosendaal", "2026-06-02")
    assert older != real_exports.locations(real_data, "roosendaal", "2026-06-07")


@pytest.fixture(scope="module")
def boston(real_data: Path) -> list[dict[str, str | None]]:
    return real_exports.tickets(real_data)


def test_every_boston_ticket_becomes_a_request(boston: list[dict[str, str | None]]) -> None:
    assert len({request["service_request_id"] for request in boston}) == 58_251
    assert Counter(request["status"] for request in boston) == {"closed": 54_570, "open": 3_681}


def test_boston_moments_carry_the_offset_of_their_season(boston: list[dict[str, str | None]]) -> None:
    offsets = {datetime.fromisoformat(str(request["requested_datetime"])).utcoffset() for request in boston}
    assert offsets == {timedelta(hours=-4), timedelta(hours=-5)}


def test_boston_requests_hold_text_for_the_door_to_drop(boston: list[dict[str, str | None]]) -> None:
    assert all("description" in request and "address" in request for request in boston)


def test_only_a_closed_request_has_a_moment_of_change(boston: list[dict[str, str | None]]) -> None:
    assert all((request["updated_datetime"] is not None) == (request["status"] == "closed") for request in boston)


def test_no_boston_request_is_refused(boston: list[dict[str, str | None]]) -> None:
    table = all_contracts()["tickets_1777"].table("requests")
    outcome = split(tickets_1777.flatten(list(boston)), table, city_named("boston"))
    assert (outcome.received, outcome.quarantined.height) == (58_251, 0)
