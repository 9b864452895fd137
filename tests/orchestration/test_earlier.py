"""What was known already is recognised; what was refused stays open until somebody puts it right."""

import random
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from contracts.gate import Split
from contracts.sources.indicators import OBSERVATIONS
from contracts.vocabulary import UTC_INSTANT
from orchestration.loop.earlier import refused_lines, with_known_at
from orchestration.loop.landed import Landed
from orchestration.loop.landing import land
from orchestration.loop.replay import replay
from orchestration.settings import Settings
from tests.orchestration.profiles import NOW
from tests.orchestration.test_landing import drop
from tests.orchestration.thousand_indicators import as_csv, good_rows
from warehouse.batch import KNOWN_AT, Manifest
from warehouse.lake import Lake

MONDAY = datetime(2026, 11, 16, 9, tzinfo=UTC)
Row = dict[str, str]


class Department:
    """Sends files of indicators, a day after one another, and looks at what is still open."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.rows = good_rows(settings, 10)
        self.sent = 0

    def spoiled(self, *places: int, **fault: str) -> list[Row]:
        return [row | fault if place in places else row for place, row in enumerate(self.rows)]

    def send(self, rows: list[Row], name: str | None = None, supplied_at: datetime | None = None) -> Landed:
        self.sent += 1
        supplied = supplied_at or MONDAY + timedelta(days=self.sent)
        drop(self.settings, "indicators", name or f"cijfers_{self.sent}.csv", as_csv(rows), supplied.isoformat())
        contract = self.settings.contracts()["indicators"]
        (landed,) = land(self.settings, contract, NOW + timedelta(minutes=self.sent))
        return landed

    def lines(self) -> pl.DataFrame:
        lake = Lake(self.settings.layout.lake)
        return refused_lines(lake, OBSERVATIONS, self.settings.city, lake.live("indicators"))

    def open_lines(self) -> list[tuple[str, int]]:
        still_open = self.lines().filter(pl.col("closed_by").is_null())
        return list(still_open.select("origin", "line").iter_rows())


@pytest.fixture
def department(empty_profile: Callable[..., Settings]) -> Department:
    return Department(empty_profile())


def counts(landed: Landed) -> tuple[int, int, int]:
    assert isinstance(landed.manifest, Manifest)
    table = landed.manifest.tables["observations"]
    return table.accepted, table.recognised, table.quarantined


# --- recognised -------------------------------------------------------------------------------------------------


def test_rows_that_came_before_are_accepted_and_recognised(department: Department) -> None:
    assert counts(department.send(department.rows[:6])) == (6, 0, 0)
    again = department.send(department.rows)
    assert counts(again) == (10, 6, 0)
    assert "10 accepted (4 new, 6 recognised)" in again.message


def test_another_value_for_the_same_key_is_new(department: Department) -> None:
    department.send(department.rows)
    assert counts(department.send(department.spoiled(3, value="99"))) == (10, 9, 0)


def test_a_row_is_recognised_whichever_earlier_file_held_it(department: Department) -> None:
    for start in (0, 2, 4):
        department.send(department.rows[start : start + 2])
    assert counts(department.send(department.rows)) == (10, 6, 0)


def test_a_value_that_is_put_back_is_recognised(department: Department) -> None:
    department.send(department.rows)
    department.send(department.spoiled(3, value="99"))
    assert counts(department.send(department.spoiled(4, value="98"))) == (10, 9, 0)


def test_files_about_other_dates_are_not_opened(department: Department) -> None:
    lake = Lake(department.settings.layout.lake)
    first = department.send(department.rows[:5])
    lake.file(first.manifest, "observations", "accepted").unlink()
    assert counts(department.send(department.rows[5:])) == (5, 0, 0)


def test_comparing_stops_where_it_would_cost_more_than_landing(
    department: Department, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestration.loop.earlier._FEW_ROWS", 11)
    monkeypatch.setattr("orchestration.loop.earlier._MOST_TIMES", 1)
    department.send(department.rows[:2])
    department.send(department.spoiled(0, 1, value="50"))
    assert counts(department.send(department.rows)) == (10, 8, 0), "newest first: the oldest of them is not opened"


def test_a_replay_recognises_what_was_known_before_it(department: Department) -> None:
    department.send(department.rows[:6])
    second = department.send(department.rows)
    department.send(department.spoiled(9, value="77"))
    accepted = Lake(department.settings.layout.lake).file(second.manifest, "observations", "accepted")
    right = pl.read_parquet(accepted)
    right.with_columns(pl.col("value") * 2).write_parquet(accepted)
    again = replay(department.settings, second.manifest.batch_id, NOW + timedelta(days=1))
    assert again is not None
    assert again.tables["observations"].recognised == 6


# --- open and closed --------------------------------------------------------------------------------------------


def test_a_refused_line_is_open_until_its_key_is_accepted(department: Department) -> None:
    department.send(department.spoiled(1, 7, value="veel"))
    assert department.open_lines() == [("cijfers_1.csv", 3), ("cijfers_1.csv", 9)]
    assert department.send([department.rows[7]]).message.endswith("; closes 1 refused earlier")
    assert department.open_lines() == [("cijfers_1.csv", 3)]


def test_a_line_whose_key_cannot_be_read_is_closed_by_the_file_put_right(department: Department) -> None:
    department.send(department.spoiled(1, 7, ref_date="morgen"))
    assert department.send(department.rows, "cijfers verbeterd.csv").message.endswith("; closes 2 refused earlier")
    assert department.open_lines() == []


def test_a_key_that_cannot_be_read_is_not_closed_by_half_of_a_file(department: Department) -> None:
    department.send(department.spoiled(1, ref_date="morgen"))
    department.send(department.rows[:4], "een deel.csv")
    assert department.open_lines() == [("cijfers_1.csv", 3)]
    department.send(department.rows[:3], "cijfers_1.csv")
    assert department.open_lines() == [], "under its own name a file is itself again"


def test_another_file_under_the_same_name_closes_nothing(department: Department) -> None:
    department.send(department.spoiled(1, ref_date="morgen")[:5], "data.csv")
    department.send(department.rows[5:], "data.csv")
    assert department.open_lines() == [("data.csv", 3)]


def test_a_file_of_which_nothing_was_right_is_known_by_its_name(department: Department) -> None:
    department.send([row | {"ref_date": "morgen"} for row in department.rows[:2]], "data.csv")
    department.send(department.rows[:2], "andere.csv")
    assert len(department.open_lines()) == 2
    department.send(department.rows[1:3], "data.csv")
    assert department.open_lines() == []


def test_a_line_that_is_refused_again_is_open_once_in_its_newest_delivery(department: Department) -> None:
    department.send(department.spoiled(1, value="veel"))
    again = department.send(department.spoiled(1, value="heel veel"))
    assert department.open_lines() == [("cijfers_2.csv", 3)]
    assert department.lines()["is_put_right"].to_list() == [False, None]
    assert "closes" not in again.message, "nothing was put right"


@pytest.mark.parametrize("fault", ["morgen", "overmorgen"])
def test_a_line_whose_key_is_wrong_again_is_not_put_right(department: Department, fault: str) -> None:
    department.send(department.spoiled(1, 7, ref_date="morgen"), "cijfers.csv")
    again = department.send(department.spoiled(1, ref_date=fault), "cijfers.csv")
    assert department.open_lines() == [("cijfers.csv", 3)]
    assert department.lines()["is_put_right"].to_list() == [False, True, None]
    assert again.message.endswith("; closes 1 refused earlier")


def test_an_earlier_delivery_that_arrives_late_closes_nothing(department: Department) -> None:
    department.send(department.spoiled(1, value="veel"))
    department.send(department.rows, supplied_at=MONDAY)
    assert department.open_lines() == [("cijfers_1.csv", 3)]


def test_the_order_of_arrival_does_not_change_what_is_open(department: Department) -> None:
    department.send(department.rows, "b.csv", supplied_at=MONDAY + timedelta(days=5))
    late = department.send(department.spoiled(1, value="veel"), "a.csv", supplied_at=MONDAY)
    assert "closes" not in late.message
    assert department.open_lines() == []


def test_a_closed_line_names_the_delivery_that_closed_it_first(department: Department) -> None:
    department.send(department.spoiled(1, value="veel"))
    second = department.send(department.rows)
    third = department.send(department.spoiled(2, value="44"))
    assert department.lines()["closed_by"].to_list() == [second.manifest.batch_id]
    assert "closes" not in third.message


def _said_closed(landed: Landed) -> int:
    return int((re.search(r"closes (\d+) refused earlier", landed.message) or [0, 0])[1])


@pytest.mark.parametrize("seed", range(4))
def test_what_a_file_says_it_closes_is_what_the_refused_lines_say(department: Department, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a repeatable choice, no secret
    lake = Lake(department.settings.layout.lake)
    index = lake.beside("indicators", "refused_observations.parquet")
    for _ in range(14):
        some = chance.sample(range(10), chance.randrange(1, 9))
        fault = chance.choice([{"value": "veel"}, {"value": "heel veel"}, {"ref_date": "morgen"}, {"area": "X"}])
        rows = department.spoiled(*chance.sample(range(10), chance.randrange(4)), **fault)
        name = chance.choice(["data.csv", "cijfers.csv", None])
        late = MONDAY + timedelta(days=chance.randrange(30)) if chance.random() < 0.3 else None
        sent = department.send([rows[place] for place in sorted(some)], name, late)
        assert sent.manifest is not None
        lines = department.lines()
        closed = lines.filter((pl.col("closed_by") == sent.manifest.batch_id) & pl.col("is_put_right"))
        assert _said_closed(sent) == closed.height
        if chance.random() < 0.3:
            index.unlink(missing_ok=True)
        if chance.random() < 0.3:
            index.write_bytes(b"PAR1")


def test_a_file_opens_no_earlier_quarantine_again(department: Department) -> None:
    lake = Lake(department.settings.layout.lake)
    for place in range(3):
        department.send([*department.spoiled(place, value="veel")[place : place + 1], department.rows[9 - place]])
    for batch in lake.live("indicators"):
        lake.file(batch, "observations", "quarantine").write_bytes(b"never opened again")
    assert department.send(department.rows[:2]).message.endswith("; closes 2 refused earlier")


def test_what_is_kept_of_refused_lines_holds_nothing_that_can_be_read(department: Department) -> None:
    department.send(department.spoiled(1, value="een geheim"))
    kept = pl.read_parquet(Lake(department.settings.layout.lake).beside("indicators", "refused_observations.parquet"))
    assert kept.height == 1
    assert {name for name, dtype in kept.schema.items() if dtype == pl.String} == {"batch_id", "origin"}


def test_a_line_of_before_a_reason_had_a_code_keeps_its_words_and_is_no_other_fate(department: Department) -> None:
    landed = department.send(department.spoiled(1, value="veel"))
    file = Lake(department.settings.layout.lake).file(landed.manifest, "observations", "quarantine")
    pl.read_parquet(file).drop("reasons_nl", "reason_codes", "reason_columns").write_parquet(file)
    ((said,),) = (department.lines().select("reasons", "reasons_nl", "reason_columns").rows(),)
    assert said == (["value: cannot be read"], ["value: cannot be read"], [""])
    assert replay(department.settings, landed.manifest.batch_id, NOW) is None, "another wording is no other fate"


def test_what_a_newer_contract_asks_is_empty_in_older_lines(department: Department) -> None:
    landed = department.send(department.spoiled(1, value="veel"))
    file = Lake(department.settings.layout.lake).file(landed.manifest, "observations", "quarantine")
    pl.read_parquet(file).drop("uncertainty").write_parquet(file)
    assert department.lines()["uncertainty"].to_list() == [None]


def test_a_snapshot_closes_every_line_before_it(own_snapshots: Callable[[str], list[str]]) -> None:
    assert own_snapshots("first") == ["first"]
    assert own_snapshots("second") == ["second"]


@pytest.fixture
def own_snapshots(empty_profile: Callable[..., Settings]) -> Callable[[str], list[str]]:
    """Sends the whole register of buildings with one wrong row and tells which deliveries have open lines."""
    settings = empty_profile()
    contract = settings.contracts()["buildings"]
    table = contract.tables[0]
    good = dict.fromkeys(table.received.columns, "") | {
        "gebouw": "stadhuis",
        "naam": "Stadhuis",
        "ean": "541448890000000117",
        "drager": "elektriciteit",
        "gebruik": "administratie",
        "is_woning": "nee",
    }

    def send(name: str) -> list[str]:
        rows = [good, good | {"gebouw": "HUIS 2", "naam": name}]
        lines = [";".join(good), *(";".join(row.values()) for row in rows)]
        supplied_at = MONDAY + timedelta(days=len(name))
        drop(settings, "buildings", f"{name}.csv", "\n".join(lines) + "\n", supplied_at.isoformat())
        land(settings, contract, supplied_at)
        lake = Lake(settings.layout.lake)
        lines_of = refused_lines(lake, table, settings.city, lake.live("buildings"))
        return lines_of.filter(pl.col("closed_by").is_null())["origin"].str.strip_suffix(".csv").to_list()

    return send


# --- known since ------------------------------------------------------------------------------------------------


def test_a_key_that_named_two_rows_of_an_older_contract_makes_no_row_two(department: Department) -> None:
    first = department.send(department.rows).manifest
    assert first is not None
    lake = Lake(department.settings.layout.lake)
    place = lake.file(first, OBSERVATIONS.name, "accepted")
    accepted = lake.read(first, OBSERVATIONS.name, "accepted")
    earlier, later = NOW - timedelta(days=2), NOW - timedelta(days=1)
    twice = [accepted.with_columns(pl.lit(known, UTC_INSTANT).alias(KNOWN_AT)) for known in (later, earlier)]
    pl.concat(twice).write_parquet(place)
    whole = Split(accepted.height, accepted, accepted.clear(), 0, 0)
    for replaced in (first, replace(first, original="cijfers.csv")):
        dated = with_known_at(lake, OBSERVATIONS, whole, replaced, NOW).accepted
        assert dated.height == accepted.height
        assert dated[KNOWN_AT].unique().to_list() == [earlier]
