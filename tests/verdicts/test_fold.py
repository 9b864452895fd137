"""The compiled method over whole series: what it says of the past when the past is told otherwise."""

from calendar import monthrange
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import accumulate

import polars as pl
import pytest

from orchestration.loop.changes import CHANGE, RESTATEMENT, Change, with_change
from tests.verdicts.method import SEEDS, judged, series, targets
from tests.verdicts.programmes import MONTH_ENDS

Method = Mapping[str, str]
PACE = 8
SLOW = 3


def _counted(monthly: Sequence[float]) -> list[tuple[date, float]]:
    return list(zip(MONTH_ENDS, accumulate(monthly), strict=False))


def _told(method: Method, points: Sequence[tuple[date, float]], **path: object) -> pl.DataFrame:
    return judged(method, targets({"target_id": "t", **path}), series("t", points))


def _uneven(pace: float, months: int) -> list[float]:
    return [pace + (3 if number % 2 else -3) for number in range(months)]


def test_a_programme_that_slows_down_goes_from_on_track_to_behind_and_says_since_when(method: Method) -> None:
    told = _told(method, _counted(_uneven(PACE + 1, 24) + _uneven(SLOW, 24)))
    spells = told["status"].rle().struct.field("value").to_list()
    assert spells[-3:] == ["on_track", "at_risk", "behind"]
    behind = told.filter(pl.col("status") == "behind")
    assert behind["status_since"].unique().to_list() == [behind["ref_date"].min()]


def test_an_evaluation_knows_nothing_of_what_comes_after_it(method: Method) -> None:
    points = _counted(_uneven(PACE, 20) + _uneven(SLOW, 28))
    whole, then = _told(method, points), _told(method, points[:30])
    assert whole.head(30).equals(then)


def test_a_restated_value_restates_the_past_and_not_the_months_before_it(method: Method) -> None:
    points = _counted(_uneven(PACE + 1, 48))
    restated = [(day, value - 6 * max(0, number - 29)) for number, (day, value) in enumerate(points)]
    before, after = _told(method, points), _told(method, restated)
    assert set(before["status"][12:]) == {"on_track"}
    assert after["status"].to_list()[:30] == before["status"].to_list()[:30]
    assert after["status"].to_list()[-1] == "behind"


def test_the_order_in_which_values_arrive_changes_nothing(method: Method) -> None:
    paths = targets({"target_id": "t"}, {"target_id": "u", "series_kind": "level", "min_points": 4})
    values = pl.concat([series(name, _counted(_uneven(PACE - 1, 48))) for name in ("t", "u")])
    told = judged(method, paths, values)
    for seed in range(4):
        shuffled = judged(
            method,
            paths.sample(fraction=1, shuffle=True, seed=seed),
            values.sample(fraction=1, shuffle=True, seed=seed),
        )
        assert shuffled.equals(told)


def test_only_the_last_value_of_a_month_is_an_evaluation(method: Method) -> None:
    daily = [(date(2026, 1, day), float(day)) for day in range(1, 32)]
    assert _told(method, [*daily, (date(2026, 2, 10), 40.0)])["ref_date"].to_list() == [
        date(2026, 1, 31),
        date(2026, 2, 10),
    ]


def test_a_cumulative_target_that_was_reached_stays_reached(method: Method) -> None:
    points = [*_counted([100] * 8), (MONTH_ENDS[8], 600.0), (MONTH_ENDS[9], 601.0)]
    assert _told(method, points)["status"].to_list()[-4:] == ["reached"] * 4
    level = _told(method, points, is_cumulative=False, series_kind="level", trajectory="linear")
    # to and from reached a level waits for a second figure
    assert [status == "reached" for status in level["status"].to_list()[6:]] == [False, True, True, False]


def test_a_chance_comes_with_a_year_of_months_and_an_interval_with_two(method: Method) -> None:
    told = _told(method, _counted(_uneven(PACE, 30)))
    assert told["p_reach"].is_null().to_list() == [True] * 11 + [False] * 19
    assert told["forecast_low"].is_null().to_list() == [True] * 23 + [False] * 7
    assert told["is_indicative"].to_list() == [True] * 23 + [False] * 7
    assert told["recent_pace_per_year"].null_count() == 0


def test_nothing_is_called_behind_in_less_than_two_years(method: Method) -> None:
    told = _told(method, _counted([1] * 36))
    assert told["status"].to_list()[:23] == ["at_risk"] * 23
    assert set(told["status"].to_list()[24:]) == {"behind"}


def test_a_start_without_anything_is_no_pace_and_what_follows_it_is(method: Method) -> None:
    told = _told(method, _counted([0] * 18 + _uneven(2 * PACE, 18)))
    assert told["p_reach"].is_null().to_list() == [True] * 29 + [False] * 7
    assert told["recent_pace_per_year"][-1] == pytest.approx(24 * PACE, rel=0.02)
    assert "behind" not in told["status"].to_list()


def test_a_pace_that_turns_under_a_straight_line_is_told_as_a_plan_that_nobody_knows(method: Method) -> None:
    told = _told(method, _counted(_uneven(PACE + 4, 24) + _uneven(4, 24)))
    steady = _told(method, _counted(_uneven(PACE, 48)))
    assert (told["is_plan_unknown"][-1], told["is_indicative"][-1]) == (True, True)
    assert set(steady["is_plan_unknown"]) == {False}


def test_a_straight_line_that_somebody_planned_is_not_told_as_a_plan_that_nobody_knows(method: Method) -> None:
    told = _told(method, _counted(_uneven(PACE + 4, 24) + _uneven(4, 24)), planned_by="directie")
    assert set(told["is_plan_unknown"]) == {False}


def test_an_interval_wider_than_half_the_way_is_not_said_and_neither_is_its_figure(method: Method) -> None:
    told = _told(method, _counted(([0] * 11 + [120]) * 3)).tail(1).to_dicts()[0]
    assert (told["is_vague"], told["forecast_value"], told["forecast_low"], told["forecast_high"]) == (True,) + (
        None,
    ) * 3
    assert told["p_reach"] is not None, "the status follows it"


@pytest.mark.parametrize(
    ("months", "forecast", "deviation", "chance"),
    [
        ([8] * 12 + [6] * 12, 531.057, 186.572, 0.282),
        ([6.8] * 30, 571.2, 18.875, 0.00014),
    ],
    ids=["another pace in the second year", "fifteen percent too slow"],
)
def test_the_golden_figures_of_counts_by_month(
    method: Method, months: Sequence[float], forecast: float, deviation: float, chance: float
) -> None:
    told = _told(method, _counted(months)).tail(1).to_dicts()[0]
    assert told["forecast"] == pytest.approx(forecast, abs=5e-4)
    assert told["deviation"] == pytest.approx(deviation, abs=5e-4)
    assert told["p_reach"] == pytest.approx(chance, abs=5e-4 if chance > 0.01 else 5e-6)


def test_the_golden_figures_of_counts_by_year(method: Method) -> None:
    yearly = [(date(2024 + number, 12, 31), float(value)) for number, value in enumerate(accumulate([12, 10, 9, 11]))]
    told = _told(method, yearly, target_value=84.0, cadence_days=365, min_points=4).tail(1).to_dicts()[0]
    assert told["forecast"] == pytest.approx(72.005, abs=5e-4)
    assert told["deviation"] == pytest.approx(7.0985, abs=5e-5)
    assert told["p_reach"] == pytest.approx(0.136, abs=5e-4)


def test_one_figure_of_a_year_is_enough_to_go_down_when_it_is_sure(method: Method) -> None:
    yearly = [(date(2024 + number, 12, 31), value) for number, value in enumerate((96.0, 192, 288, 292))]
    path = {"cadence_days": 365, "min_points": 4}
    statuses = _told(method, yearly, **path)["status"].to_list()
    assert statuses[:3] == ["on_track"] * 3
    assert _told(method, [(day, value * 0.6) for day, value in yearly[:2]], **path)["status"].to_list()[-1] == "behind"


def test_one_point_without_a_start_gives_no_pace_at_all(method: Method) -> None:
    [told] = _told(method, [(MONTH_ENDS[5], 4.0)], baseline_value=None, baseline_date=None).iter_rows(named=True)
    assert (told["recent_pace_per_year"], told["forecast_value"], told["status"]) == (None, None, "monitored")


def test_a_season_without_work_is_no_slowdown(method: Method) -> None:
    planted = [20, 20, 15, 0, 0, 0, 0, 0, 0, 0, 20, 25] * 3
    path = {
        "target_value": 700.0,
        "trajectory": "cumulative_seasonal",
        "season_weights": [x / 100 for x in planted[:12]],
    }
    seasonal = _told(method, _counted(planted), **path)
    assert set(seasonal["status"][12:]) == {"on_track"}
    assert seasonal["forecast_value"][-1] == pytest.approx(700, abs=15)


def test_months_without_a_value_weigh_by_their_length(method: Method) -> None:
    points = _counted(_uneven(PACE, 48))
    gappy = [point for number, point in enumerate(points) if number % 5 != 2]
    whole, holed = _told(method, points).tail(1), _told(method, gappy).tail(1)
    assert holed["forecast_value"][0] == pytest.approx(whole["forecast_value"][0], rel=0.02)
    width = [row["forecast_high"][0] - row["forecast_low"][0] for row in (whole, holed)]
    assert width[1] == pytest.approx(width[0], rel=0.4)


def _answers(shares: Sequence[tuple[float, int]]) -> pl.DataFrame:
    ends = [date(2026, month, monthrange(2026, month)[1]) for month in range(1, len(shares) + 1)]
    return pl.concat([series("t", [(day, share)], n=n) for day, (share, n) in zip(ends, shares, strict=True)])


SERVICE: Mapping[str, object] = {
    "target_id": "t",
    "trajectory": "constant",
    "series_kind": "share",
    "target_value": 100.0,
    "tolerance": 5.0,
    # known for years: nothing is behind on less than one
    "baseline_value": 95.0,
    "baseline_date": date(2024, 12, 31),
    "target_date": None,
    "is_cumulative": False,
}


def test_under_a_hundred_answers_never_turn_a_status_and_three_times_two_hundred_do(method: Method) -> None:
    few = judged(method, targets(SERVICE), _answers([(97, 20), (80, 20), (80, 20), (80, 20)]))
    many = judged(method, targets(SERVICE), _answers([(97, 200), (80, 200), (80, 200), (80, 200)]))
    assert few["status"].to_list() == ["on_track"] * 4
    assert many["status"].to_list() == ["on_track", "on_track", "on_track", "behind"]


def test_a_norm_is_held_against_all_answers_of_twelve_months_together(method: Method) -> None:
    told = judged(method, targets(SERVICE), _answers([(97, 300), (91, 100)] * 6))
    assert told["year_share"][-1] == pytest.approx(95.5)
    assert set(told["status"]) == {"on_track"}


def _as_verdicts(told: pl.DataFrame) -> pl.DataFrame:
    """The newest evaluation as the row that a build says of it."""
    return told.tail(1).with_columns(
        last_status=pl.col("status"),
        target_value=pl.lit(100.0),
        definition_version=pl.lit(1),
        dq_verdict=pl.lit("verified"),
        as_of_date=pl.lit(date(2031, 1, 2)),
    )


def test_a_correction_two_months_back_is_a_restatement_and_not_the_passing_of_time(method: Method) -> None:
    said = judged(method, targets(SERVICE), _answers([(97, 200), (80, 200), (80, 200), (80, 200)]))
    now = judged(method, targets(SERVICE), _answers([(97, 200), (97, 200), (97, 200), (80, 200)]))
    assert (said["status"][-1], now["status"][-1]) == ("behind", "on_track")
    assert said["value"][-1] == now["value"][-1]
    explained = with_change(_as_verdicts(said), _as_verdicts(now), now)
    assert explained.select(CHANGE, RESTATEMENT).rows() == [(Change.CORRECTED, True)]


@pytest.mark.parametrize("month", [0, 20], ids=["oldest", "middle"])
def test_a_corrected_point_of_a_growing_count_is_no_change_of_pace(method: Method, month: int) -> None:
    points = _counted(_uneven(PACE, 36))
    corrected = [(day, value + 40 * (number == month)) for number, (day, value) in enumerate(points)]
    now = _told(method, corrected)
    explained = with_change(_as_verdicts(_told(method, points)), _as_verdicts(now), now)
    assert explained[CHANGE].to_list() == [Change.CORRECTED]


def test_a_month_more_on_an_unchanged_past_is_new_data(method: Method) -> None:
    points = _counted(_uneven(PACE, 37))
    now = _told(method, points)
    explained = with_change(_as_verdicts(_told(method, points[:36])), _as_verdicts(now), now)
    assert explained.select(CHANGE, RESTATEMENT).rows() == [(Change.NEW, False)]


def test_a_frozen_feed_stays_where_it_was(method: Method) -> None:
    answers = _answers([(96, 200)] * 3)
    assert judged(method, targets(SERVICE), answers)["status"].to_list() == ["on_track"] * 3


def test_a_yearly_level_is_compared_with_the_same_month_of_other_years(method: Method) -> None:
    rolling = pl.concat([series("t", [(day, 50 + number / 12)]) for number, day in enumerate(MONTH_ENDS[:48])])
    path = {"target_id": "t", "series_kind": "level", "trajectory": "linear", "is_cumulative": False, "min_points": 4}
    level = {**path, "baseline_value": 50.0, "target_value": 60.0}
    told = judged(method, targets(level), rolling.with_columns(is_over_a_year=pl.lit(value=True)))
    assert told["forecast_low"].is_null().to_list() == [True] * 36 + [False] * 12
    assert told["recent_pace_per_year"][-1] == pytest.approx(1, rel=0.01)


@pytest.mark.parametrize(("deaths", "status"), [([3, 3, 3], "on_track"), ([4, 3, 3], "at_risk"), ([4, 4, 4], "behind")])
def test_three_years_of_rare_events_flag_and_one_never_does(method: Method, deaths: Sequence[int], status: str) -> None:
    path = {
        "direction_sign": -1,
        "baseline_value": 2.06,
        "baseline_date": date(2024, 12, 30),
        "target_value": 0.0,
        "target_date": date(2040, 12, 31),
        "trajectory": "linear",
        "series_kind": "rare_count",
        "is_cumulative": False,
        "cadence_days": 365,
        "min_points": 3,
    }
    years = [(date(2024 + number, 12, 31), float(count)) for number, count in enumerate(deaths)]
    told = _told(method, years, **path)
    assert told["status"].to_list() == ["monitored", "monitored", status]


ROAD_DEATHS = next(
    row
    for row in pl.read_csv(SEEDS / "targets.csv", infer_schema_length=None).to_dicts()
    if row["target_id"] == "road_deaths"
)


def _deaths(method: Method, deaths: Mapping[int, float]) -> dict[str, object]:
    """The newest evaluation of the road deaths, on the path of the registry."""
    path = {
        "direction_sign": -1,
        "baseline_value": ROAD_DEATHS["baseline_value"],
        "baseline_date": date.fromisoformat(ROAD_DEATHS["baseline_date"]),
        "target_value": ROAD_DEATHS["target_value"],
        "target_date": date.fromisoformat(ROAD_DEATHS["target_date"]),
        "trajectory": ROAD_DEATHS["trajectory"],
        "series_kind": ROAD_DEATHS["series_kind"],
        "is_cumulative": ROAD_DEATHS["is_cumulative"],
        "cadence_days": ROAD_DEATHS["cadence_days"],
        "min_points": ROAD_DEATHS["min_points"],
    }
    [told] = _told(method, [(date(year, 12, 31), count) for year, count in deaths.items()], **path).tail(1).to_dicts()
    return told


def test_road_deaths_of_the_registry_flag_from_ten_in_three_years_on(method: Method) -> None:
    ten, nine = _deaths(method, {2024: 4, 2025: 3, 2026: 3}), _deaths(method, {2024: 3, 2025: 3, 2026: 3})
    assert (ten["p_reach"], ten["status"]) == (pytest.approx(0.0556, abs=1e-4), "at_risk")
    assert (nine["p_reach"], nine["status"]) == (pytest.approx(0.1086, abs=1e-4), "on_track")


def test_a_year_without_deaths_reaches_nothing_and_three_do(method: Method) -> None:
    assert _deaths(method, {2024: 2, 2025: 0, 2026: 0})["status"] == "on_track"
    assert _deaths(method, {2024: 0, 2025: 0, 2026: 0})["status"] == "reached"
    assert _deaths(method, {2025: 0, 2026: 0})["status"] == "monitored"


def test_three_years_with_a_hole_in_them_are_not_three_years(method: Method) -> None:
    told = _deaths(method, {2024: 4, 2025: 4, 2027: 4})
    assert (told["p_reach"], told["status"]) == (None, "monitored")


WITHOUT_A_START: Mapping[str, object] = {
    "baseline_value": None,
    "baseline_date": None,
    "target_value": 100.0,
    "trajectory": "linear",
    "series_kind": "level",
    "is_cumulative": False,
    "cadence_days": 365,
    "min_points": 4,
}


def _yearly(first: float, step: float, years: int) -> list[tuple[date, float]]:
    return [(date(2019 + number, 12, 31), first + step * number) for number in range(years)]


def test_a_target_without_a_start_is_judged_from_its_first_measurement(method: Method) -> None:
    told = _told(method, _yearly(40, 2, 7), **WITHOUT_A_START)
    newest = told.tail(1).to_dicts()[0]
    assert (newest["value"], newest["forecast_value"]) == (52, pytest.approx(62, abs=0.1))
    assert (newest["baseline_value"], newest["baseline_date"]) == (40, date(2019, 12, 31))
    assert newest["required_value"] == pytest.approx(40 + 60 * 6 / 11, abs=0.1)
    assert (newest["status"], newest["is_indicative"], newest["is_start_measured"]) == ("behind", True, True)
    assert told["status"][0] == "monitored"


def test_one_measurement_is_no_path_yet(method: Method) -> None:
    [told] = _told(method, _yearly(40, 2, 1), **WITHOUT_A_START).to_dicts()
    assert (told["status"], told["required_value"], told["is_indicative"]) == ("monitored", None, False)


def test_the_start_of_the_registry_always_wins_over_the_first_measurement(method: Method) -> None:
    registry = {"baseline_value": 50.0, "baseline_date": date(2022, 12, 31)}
    told = _told(method, _yearly(40, 2, 7), **{**WITHOUT_A_START, **registry}).tail(1).to_dicts()[0]
    assert (told["baseline_value"], told["is_start_measured"]) == (50, False)


@pytest.mark.parametrize(
    "change", [{"target_value": None}, {"target_date": None}, {"trajectory": "none"}, {"target_value": 30.0}]
)
def test_without_a_way_to_go_to_a_dated_target_nothing_starts(method: Method, change: Mapping[str, object]) -> None:
    told = _told(method, _yearly(40, 2, 7), **{**WITHOUT_A_START, **change})
    assert told["is_start_measured"].to_list() == [False] * 7


def test_a_path_by_milestones_runs_from_the_first_measurement_to_the_first_milestone(method: Method) -> None:
    stone = {"reached_on": date(2029, 12, 31), "value": 100.0, "interpolation": "linear"}
    told = _told(method, _yearly(40, 2, 7), **{**WITHOUT_A_START, "trajectory": "milestones", "milestones": [stone]})
    assert told["required_value"][-1] == pytest.approx(40 + 60 * 6 / 10, abs=0.1)


def test_a_milestone_from_before_the_first_measurement_asks_nothing_of_a_path_that_starts_there(method: Method) -> None:
    passed = {"reached_on": date(2018, 12, 31), "value": 100.0, "interpolation": "linear"}
    on_the_day = {"reached_on": date(2019, 12, 31), "value": 90.0, "interpolation": "linear"}
    last = {"reached_on": date(2029, 12, 31), "value": 100.0, "interpolation": "linear"}
    path = {**WITHOUT_A_START, "trajectory": "milestones", "milestones": [passed, on_the_day, last]}
    told = _told(method, _yearly(40, 2, 7), **path)
    assert told["required_value"][-1] == pytest.approx(40 + 60 * 6 / 10, abs=0.1)


DAILY_SHARES = [96.6, 92.4, 96.5, 92.4, 96.6, 92.4, 96.5, 92.3]
STEADY = [(date(2026, 8, 31), 95.2), (date(2026, 9, 30), 95.2), (date(2026, 10, 31), 95.2)]
EARLIER = [(date(2026, 8, 31), 95.5), (date(2026, 9, 30), 90.0), (date(2026, 10, 31), 91.0)]


def _on(method: Method, points: Sequence[tuple[date, float]], cadence_days: int = 1) -> dict[str, object]:
    """What stands when the source spoke last on the day of the last point."""
    values = pl.concat(
        [series("t", [point], n=200, is_month_over=point[0].month < points[-1][0].month) for point in points]
    )
    [told] = judged(method, targets({**SERVICE, "cadence_days": cadence_days}), values).tail(1).to_dicts()
    return told


def test_the_days_of_a_running_month_flip_nothing(method: Method) -> None:
    days = [(date(2026, 11, number), DAILY_SHARES[number % len(DAILY_SHARES)]) for number in range(1, 31)]
    told = [_on(method, [*STEADY, *days[:number]]) for number in range(1, 31)]
    assert len({each["raw_status"] for each in told}) > 1
    assert {each["status"] for each in told} == {"on_track"}
    assert [each["value"] for each in told] == [value for _, value in days]


@pytest.mark.parametrize(("month_end", "status"), [(92.4, "behind"), (100.0, "at_risk")])
def test_the_status_can_flip_once_when_the_month_is_over(method: Method, month_end: float, status: str) -> None:
    days = [
        (date(2026, 11, 29), 92.6),
        (date(2026, 11, 30), month_end),
        *((date(2026, 12, day), 92.4) for day in (1, 2, 3)),
    ]
    told = [_on(method, [*EARLIER, *days[:number]])["status"] for number in range(1, 6)]
    assert told == ["on_track"] * 2 + [status] * 3


def test_a_series_of_every_month_or_rarer_counts_each_point_as_it_comes(method: Method) -> None:
    points = [*EARLIER, (date(2026, 11, 15), 80.0)]
    daily, monthly = _on(method, points), _on(method, points, cadence_days=30)
    assert (daily["is_running"], daily["status"], daily["wanted_status"]) == (True, "on_track", "behind")
    assert (monthly["is_running"], monthly["status"]) == (False, "behind")


def test_the_first_month_of_a_daily_series_is_judged_while_it_runs_but_alone_calls_nothing_behind(
    method: Method,
) -> None:
    told = _on(method, [(date(2026, 11, 3), 80.0)])
    assert (told["status"], told["wanted_status"]) == ("at_risk", "behind")


def test_one_perfect_month_reaches_no_norm(method: Method) -> None:
    told = _on(method, [*EARLIER, (date(2026, 11, 3), 100.0)])
    assert (told["status"], told["wanted_status"]) == ("on_track", "at_risk")


def test_what_is_counted_is_reached_as_soon_as_it_is_there(method: Method) -> None:
    points = [(MONTH_ENDS[0], 500.0), (MONTH_ENDS[1], 672.0)]
    assert _told(method, points, cadence_days=1)["status"].to_list()[-1] == "reached"


def test_a_value_that_reached_a_target_and_is_withdrawn_reaches_nothing(method: Method) -> None:
    points = [*_counted([100] * 6), (MONTH_ENDS[6], 672.0), (MONTH_ENDS[7], 640.0)]
    assert _told(method, points)["status"].to_list()[-2:] == ["reached"] * 2
    corrected = [*points[:6], (MONTH_ENDS[6], 630.0), points[7]]
    assert "reached" not in _told(method, corrected)["status"].to_list()


def test_nothing_is_behind_on_less_than_a_year_of_answers(method: Method) -> None:
    young = {**SERVICE, "baseline_value": None, "baseline_date": None}
    told = judged(method, targets(young), _answers([(50, 200)] * 12))
    assert set(told["status"]) == {"at_risk"}


def test_the_first_value_of_a_level_is_never_behind_by_itself_and_the_second_is(method: Method) -> None:
    told = _told(
        method, _yearly(40, 0, 3), **{**WITHOUT_A_START, "baseline_value": 40.0, "baseline_date": date(2015, 12, 31)}
    )
    assert told["raw_status"].to_list() == ["behind"] * 3
    assert told["status"].to_list() == ["at_risk", "behind", "behind"]


@pytest.mark.parametrize("kind", ["level", "event"])
def test_what_is_better_than_its_path_is_never_behind(method: Method, kind: str) -> None:
    values = [(date(2019 + number, 12, 31), value) for number, value in enumerate([70.0, 68, 66, 64, 62, 60, 58])]
    path = {**WITHOUT_A_START, "series_kind": kind, "baseline_value": 0.0, "baseline_date": date(2018, 12, 31)}
    told = _told(method, values, **path)
    is_ahead = pl.col("value") >= pl.col("required_value")
    assert told.filter(is_ahead).height > 3
    assert told.filter(is_ahead & (pl.col("status") == "behind")).is_empty()
    # a count whose pace turned around says little at all; of a level the forecast alone would have said so
    assert told["p_reach"].min() < {"level": 0.15, "event": 0.5}[kind]


@pytest.mark.parametrize(("share", "status"), [(32.96, "on_track"), (31.5, "at_risk"), (30.0, "behind")])
def test_a_floor_has_a_margin(method: Method, share: float, status: str) -> None:
    floor = {**SERVICE, "target_value": 33.0, "tolerance": 1.0, "min_points": 1}
    values = pl.concat([series("t", [(date(2026, month, 1), share)]) for month in (1, 2, 3)])
    assert judged(method, targets(floor), values)["status"].to_list()[-1] == status


def test_the_figure_of_the_start_is_no_judgement_that_a_later_one_must_overcome(method: Method) -> None:
    start, later = (date(2023, 12, 31), 0.0), (MONTH_ENDS[33], 60.0)
    told = _told(method, [start, later], series_kind="level", is_cumulative=False, trajectory="linear", min_points=4)
    assert told["status"].to_list() == ["not_started", "at_risk"]
