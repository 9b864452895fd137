"""Measures whether the judgement method is right, on programmes of which the truth is known.

`python -m tests.verdicts.calibration` measures at full size, prints a table and ends with 1 outside the limits.
"""

import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
from rich.console import Console
from rich.table import Table

from tests.verdicts.method import compiled, judged, targets
from tests.verdicts.programmes import MONTHS, as_values, counts, surveys

FULL_SIZE = 1500
SEED = 2040
_FIRST_MONTH = 12
_SURVEY: Mapping[str, object] = {
    "baseline_value": 50.0,
    "baseline_date": date(2015, 12, 31),
    "trajectory": "linear",
    "series_kind": "level",
    "cadence_days": 365,
    "min_points": 4,
    "is_cumulative": False,
}
_SCORES = ("on_track", "at_risk", "behind")
_ONE_SPELL = pl.col("status") != pl.col("status").shift(1).over("target_id")


@dataclass(frozen=True)
class Measure:
    """One property of the method and the limits it must keep."""

    name: str
    value: float
    low: float
    high: float

    @property
    def holds(self) -> bool:
        """Whether the value lies within its limits."""
        return self.low <= self.value <= self.high


def calibrate(code: Mapping[str, str], programmes: int, seed: int = SEED) -> Sequence[Measure]:
    """Every property that the documentation promises, measured.

    Args:
        code: the compiled method.
        programmes: how many of each kind, a multiple of three.
        seed: of the generator.
    """
    on_pace = _evaluated(code, counts(1.0, programmes, seed))
    slow = _evaluated(code, counts(0.85, programmes, seed + 1))
    very_slow = _evaluated(code, counts(0.60, programmes, seed + 2))
    return (
        Measure("80 % interval holds the end, on pace", coverage(on_pace), 0.70, 0.88),
        Measure("80 % interval holds the end, 15 % too slow", coverage(slow), 0.70, 0.88),
        Measure(
            "80 % interval of a yearly survey holds the truth", _survey_coverage(code, programmes, seed + 3), 0.7, 0.92
        ),
        Measure("status changes in six years, on pace", changes(on_pace), 0, 2),
        Measure("behind in the first year, on pace", early_behind(on_pace), 0, 0.01),
        Measure("time wrongly behind, on pace", time_behind(on_pace), 0, 0.15),
        Measure("15 % too slow, found", found(slow), 0.85, 1),
        Measure("40 % too slow, found", found(very_slow), 0.99, 1),
        Measure("months until 15 % too slow is found (median)", median_month(slow), 0, 36),
    )


def _evaluated(code: Mapping[str, str], cumulated: np.ndarray) -> pl.DataFrame:
    """The evaluations of all programmes, with the month and the true end."""
    paths = targets(*({"target_id": f"p{number:05}"} for number in range(len(cumulated))))
    ends = pl.DataFrame({"target_id": paths["target_id"], "true_end": cumulated[:, -1].astype(float)})
    months = (pl.col("ref_date").dt.year() - 2024) * 12 + pl.col("ref_date").dt.month()
    evaluations = judged(code, paths, as_values(cumulated)).with_columns(months.alias("month_no"))
    return evaluations.join(ends, on="target_id", maintain_order="left")


def coverage(evaluations: pl.DataFrame) -> float:
    """The share of intervals, at the end of each of the first five years, that hold the true end."""
    years = evaluations.filter(pl.col("month_no").is_in(range(12, 61, 12)) & pl.col("forecast_low").is_not_null())
    return float(years.select(pl.col("true_end").is_between("forecast_low", "forecast_high").mean()).item())


def _survey_coverage(code: Mapping[str, str], programmes: int, seed: int) -> float:
    values, truth = surveys(programmes, seed)
    names = values["target_id"].unique(maintain_order=True)
    paths = targets(*({**_SURVEY, "target_id": name, "target_value": truth} for name in names))
    return coverage(_newest(judged(code, paths, values)).with_columns(month_no=12, true_end=truth))


def _newest(evaluations: pl.DataFrame) -> pl.DataFrame:
    return evaluations.filter(pl.col("ref_date") == pl.col("ref_date").max().over("target_id"))


def changes(evaluations: pl.DataFrame) -> float:
    """Changes between on track, at risk and behind per programme, from month 12 to the end."""
    scored = evaluations.filter(pl.col("month_no") >= _FIRST_MONTH, pl.col("status").is_in(_SCORES))
    return float(scored.filter(_ONE_SPELL).height) / scored["target_id"].n_unique()


def time_behind(evaluations: pl.DataFrame) -> float:
    """The share of the evaluated months that stood at behind."""
    judged_months = evaluations.filter(pl.col("month_no") >= _FIRST_MONTH)
    return float(judged_months.select((pl.col("status") == "behind").mean()).item())


def early_behind(evaluations: pl.DataFrame) -> float:
    """The share of the months before month 12 that stood at behind."""
    young = evaluations.filter(pl.col("month_no") < _FIRST_MONTH)
    return float(young.select((pl.col("status") == "behind").mean()).item())


def found(evaluations: pl.DataFrame) -> float:
    """The share of programmes that stood at behind at least once before their last year."""
    return _first_found(evaluations).height / evaluations["target_id"].n_unique()


def median_month(evaluations: pl.DataFrame) -> float:
    """The month in which half of those found were found."""
    return float(_first_found(evaluations).select(pl.col("month_no").median()).item())


def _first_found(evaluations: pl.DataFrame) -> pl.DataFrame:
    behind = pl.col("month_no").is_between(_FIRST_MONTH, MONTHS - 12) & (pl.col("status") == "behind")
    return evaluations.filter(behind).group_by("target_id").agg(pl.col("month_no").min())


def main() -> int:
    """Prints the table of the full-size measurement; 1 when a property lies outside its limits."""
    with tempfile.TemporaryDirectory() as folder:
        measures = calibrate(compiled(Path(folder)), FULL_SIZE)
    table = Table(title=f"The judgement method on {FULL_SIZE} programmes of each kind, seed {SEED}")
    for heading in ("property", "measured", "limits", ""):
        table.add_column(heading)
    for measure in measures:
        limits = f"{measure.low:g} – {measure.high:g}"
        table.add_row(measure.name, f"{measure.value:.3g}", limits, "" if measure.holds else "OUTSIDE")
    Console().print(table)
    return 0 if all(measure.holds for measure in measures) else 1


if __name__ == "__main__":
    sys.exit(main())
