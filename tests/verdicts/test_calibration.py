from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
import pytest

from tests.verdicts.calibration import Measure, calibrate, changes, coverage, found, median_month
from tests.verdicts.programmes import DISPERSIONS, MONTH_ENDS, MONTHS, PER_MONTH, as_values, counts

SMALL = 90


@pytest.fixture(scope="module")
def measures(method: Mapping[str, str]) -> Sequence[Measure]:
    return calibrate(method, SMALL)


def test_the_method_keeps_what_it_promises_on_programmes_of_which_the_truth_is_known(
    measures: Sequence[Measure],
) -> None:
    assert [measure for measure in measures if not measure.holds] == []


def test_every_property_has_its_own_name_and_a_limit_that_says_something(measures: Sequence[Measure]) -> None:
    assert len({measure.name for measure in measures}) == len(measures)
    assert all(measure.low < measure.high for measure in measures)


def test_the_programmes_have_the_pace_and_the_unevenness_they_should() -> None:
    cumulated = counts(0.85, 900, seed=1)
    assert cumulated.shape == (900, MONTHS)
    increments = np.diff(cumulated, axis=1)
    for part, dispersion in zip(np.split(increments, len(DISPERSIONS)), DISPERSIONS, strict=True):
        assert part.mean() == pytest.approx(0.85 * PER_MONTH, rel=0.03)
        assert part.var() / part.mean() == pytest.approx(dispersion, rel=0.1)


def test_the_same_seed_gives_the_same_programmes() -> None:
    assert (counts(1, 9, seed=4) == counts(1, 9, seed=4)).all()
    assert (counts(1, 9, seed=4) != counts(1, 9, seed=5)).any()


def _evaluations(statuses: Sequence[str], low: float = 0, high: float = 10) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "target_id": "p",
            "month_no": range(12, 12 + len(statuses)),
            "status": statuses,
            "true_end": 5.0,
            "forecast_low": float(low),
            "forecast_high": float(high),
        }
    )


def test_a_measure_counts_what_its_name_says() -> None:
    assert changes(_evaluations(["on_track", "at_risk", "at_risk", "on_track"])) == 2
    assert changes(_evaluations(["on_track", "on_track", "reached"])) == 0
    assert found(_evaluations(["on_track", "behind"])) == 1
    assert found(_evaluations(["on_track", "at_risk"])) == 0
    assert median_month(_evaluations(["on_track", "behind"])) == 13
    assert coverage(_evaluations(["on_track"])) == 1
    assert coverage(_evaluations(["on_track"], low=6)) == 0


def test_values_come_one_per_programme_and_month() -> None:
    values = as_values(np.array([[1, 2], [3, 4]]))
    assert values.select("target_id", "ref_date", "value").rows() == [
        ("p00000", MONTH_ENDS[0], 1),
        ("p00000", MONTH_ENDS[1], 2),
        ("p00001", MONTH_ENDS[0], 3),
        ("p00001", MONTH_ENDS[1], 4),
    ]
