from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from tests.verdicts.calibration import Measured, Told, calibrate, changes, coverage, figures, reliability
from tests.verdicts.kinds import KINDS, PLANNED, SHARES, STRAIGHT, YEARLY, Kind
from tests.verdicts.pictures import FORECAST, draw_forecast
from tests.verdicts.programmes import MONTH_ENDS, MONTHS, SHAPES, as_values, planned, programmes

SMALL = 60
# what sixty programmes may differ by chance alone: some two and a half standard errors of a share of 84 %
CHANCE = 0.12
QUICK = [
    kind
    for kind in KINDS
    if (kind.group, kind.shape)
    in {(STRAIGHT, "poisson"), (STRAIGHT, "ar .9"), (STRAIGHT, "late 12"), (YEARLY, "poisson")}
    or kind.name in {"season, as planned", "s-curve 42, as planned", "works 8, as planned", "96 %, 170 answers"}
]


def _loosened(kind: Kind) -> Kind:
    """With limits that a handful of programmes can be held to."""
    return replace(kind, limits={name: (low - CHANCE, high + CHANCE) for name, (low, high) in kind.limits.items()})


@pytest.fixture(scope="module")
def measured(method: Mapping[str, str]) -> Sequence[Measured]:
    return calibrate(method, SMALL, [_loosened(kind) for kind in QUICK])


def test_the_method_keeps_what_it_promises_on_programmes_of_which_the_end_is_known(
    measured: Sequence[Measured],
) -> None:
    assert len(measured) >= 6
    assert {each.kind.name: each.outside for each in measured if each.outside} == {}


def test_a_chance_that_is_high_comes_true_more_often_than_one_that_is_low(method: Mapping[str, str]) -> None:
    came = reliability(method, 8, [kind for kind in QUICK if kind.group == STRAIGHT][:2])
    assert came[0][0] < 0.25
    assert came[-1][0] > 0.6


def test_every_kind_has_its_own_name_and_limits_that_say_something() -> None:
    assert len({(kind.group, kind.name) for kind in KINDS}) == len(KINDS)
    limits = [limit for kind in KINDS for limit in kind.limits.values()]
    assert all(low < high for low, high in limits)
    assert {kind.group for kind in KINDS if kind.limits} >= {STRAIGHT, PLANNED, YEARLY, SHARES}


def test_a_figure_outside_its_limits_is_named_and_one_that_is_missing_too() -> None:
    kind = Kind("poisson", STRAIGHT, {"cover 24": (0.7, 0.9), "cover 36": (0.7, 0.9), "changes": (0, 2)})
    assert Measured(kind, {"cover 24": 0.6, "cover 36": float("nan"), "changes": 1}).outside == ["cover 24", "cover 36"]


@pytest.mark.parametrize(
    "kind", [*sorted({*SHAPES} - {"nb", "ar", "s-curve", "late"}), "nb 6", "ar .9", "s-curve 42", "late 12"]
)
@pytest.mark.parametrize("end", [1.0, 0.6])
def test_a_programme_ends_exactly_where_it_should_and_never_falls(kind: str, end: float) -> None:
    cumulated = programmes(kind, end, 20, np.random.default_rng(1), 672)
    assert cumulated.shape == (20, MONTHS + 1)
    assert cumulated[:, -1] == pytest.approx(round(end * 672) / 672)
    assert (np.diff(cumulated, axis=1) >= 0).all()


def test_a_plan_asks_for_the_whole_way() -> None:
    assert planned("s-curve 42")[[0, 41, -1]] == pytest.approx([0.001, 0.5, 1], abs=0.01)
    assert (np.diff(planned("works 4")) > 0).sum() == 4
    assert planned("works 4")[-1] == pytest.approx(1)


@pytest.mark.parametrize("end", [1.0, 0.6])
def test_works_come_all_of_them_and_bring_what_the_programme_ends_at(end: float) -> None:
    cumulated = programmes("works 8", end, 20, np.random.default_rng(1), 672)
    assert cumulated[:, -1] == pytest.approx(end)
    assert ((np.diff(cumulated, axis=1) > 0).sum(axis=1) <= 8).all()


def test_the_same_seed_gives_the_same_programmes() -> None:
    first, same, other = (programmes("nb 6", 1, 9, np.random.default_rng(seed), 672) for seed in (4, 4, 5))
    assert (first == same).all()
    assert (first != other).any()


def _told(statuses: Sequence[int], low: float = 0, high: float = 10) -> Told:
    row = np.array([statuses], dtype=float)
    months = np.arange(13, 13 + len(statuses))
    return Told(months, row, row, np.full_like(row, low), np.full_like(row, high), np.zeros_like(row), 5.0)


def test_a_measure_counts_what_its_name_says() -> None:
    assert changes(_told([2, 1, 1, 2]), 13) == 2
    assert changes(_told([2, 1, 1, 1]), 14) == 0
    assert coverage(_told([2, 2]), 14) == 1
    assert coverage(_told([2, 2], low=6), 14) == 0
    assert np.isnan(coverage(_told([2], high=float("nan")), 13))
    kind = Kind("poisson", STRAIGHT, ends=(1.0, 0.6))
    counted = figures(kind, {1.0: _told([0, 2] * 20), 0.6: _told([2] * 13 + [0] * 27)})
    assert (counted["wrongly behind"], counted["ever"]) == (0.5, 1)
    assert (counted["40 % too slow, by 26"], counted["40 % too slow, by 30"]) == (1, 1)
    assert figures(kind, {1.0: _told([2] * 40), 0.6: _told([2] * 40)})["40 % too slow, by 60"] == 0


def test_values_come_one_per_programme_and_report() -> None:
    values = as_values(np.array([[1, 2], [3, 4]]), months=12)
    assert values.select("target_id", "ref_date", "value").rows() == [
        ("p00000", MONTH_ENDS[11], 1),
        ("p00000", MONTH_ENDS[23], 2),
        ("p00001", MONTH_ENDS[11], 3),
        ("p00001", MONTH_ENDS[23], 4),
    ]
    assert isinstance(values, pl.DataFrame)


def test_the_picture_of_a_forecast_is_of_the_method_of_today(method: Mapping[str, str]) -> None:
    assert FORECAST.read_text("utf-8") == draw_forecast(method), "python -m tests.verdicts.pictures draws it anew"
