"""The kinds of programmes the method is held against, each with the limits it must keep."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise

import numpy as np
import polars as pl

from tests.verdicts.method import targets
from tests.verdicts.programmes import (
    MONTH_ENDS,
    MONTHS,
    SEASON,
    YEAR_END,
    answered,
    as_values,
    levels,
    planned,
    programmes,
)

Limits = Mapping[str, tuple[float, float]]

STRAIGHT = "Counts by month, held against a straight path"
PLANNED = "Counts by month, held against the plan's own shape"
YEARLY = "Counts by year"
SHARES = "Shares of answers against a norm of 95 %"
LEVELS = "Levels"
OTHERS = "Floors, quotas and rare events"
APART = "Other kinds, made before anybody looked at their results"

HOLDS: Limits = {
    **{f"cover {month}": (0.77, 0.92) for month in (24, 36, 48, 60)},
    "wrongly behind": (0, 0.05),
    "changes": (0, 2),
}
# nothing is forecast before anything was done
_AFTER_TWO_YEARS: Limits = {name: limit for name, limit in HOLDS.items() if name != "cover 24"}


@dataclass(frozen=True)
class Kind:
    """Programmes of one kind, how they are reported and judged, and what must hold of them."""

    name: str
    group: str
    limits: Limits = field(default_factory=dict)
    months: int = 1
    size: int = 672
    ends: Sequence[float] = (1.0, 0.85, 0.6)
    first_month: int = 13
    error: float = 0
    answers: int | None = None
    path: Mapping[str, object] = field(default_factory=dict)

    @property
    def shape(self) -> str:
        """What the generator is asked for: the name up to a comma."""
        return self.name.partition(",")[0]


def values_of(kind: Kind, end: float, count: int, generator: np.random.Generator) -> pl.DataFrame:
    """The reports of programmes of a kind that end at a share of the way."""
    if kind.group == SHARES:
        return as_values(answered(_true_share(end), kind.answers or 1, count, generator), answers=kind.answers)
    if kind.path.get("trajectory") == "constant":
        return as_values(end + generator.normal(0, kind.error, (count, MONTHS)))
    if kind.path.get("trajectory") == "annual_quota":
        return as_values(_within_years(generator.poisson(end * kind.size / 12, (count, MONTHS))))
    if kind.path.get("series_kind") == "rare_count":
        return as_values(generator.poisson(end * _asked_each_year(kind), (count, 7)), months=12)
    if kind.path.get("series_kind") == "level":
        measured = levels(kind.shape, end, count, generator, kind.error)
        return as_values(measured[:, kind.months - 1 :: kind.months], kind.months)
    cumulated = programmes(kind.shape, end, count, generator, kind.size)[:, 1:]
    return as_values(kind.size * cumulated[:, kind.months - 1 :: kind.months], kind.months)


def _true_share(end: float) -> np.ndarray:
    """Constant; or 97 % for three years and 91 % after, which is asked for as nothing."""
    return np.where(np.arange(MONTHS) < 36, 0.97, 0.91) if end == 0 else np.full(MONTHS, end)


def _within_years(counts: np.ndarray) -> np.ndarray:
    return np.cumsum(counts.reshape(len(counts), 7, 12), axis=2).reshape(len(counts), MONTHS)


def _asked_each_year(kind: Kind) -> np.ndarray:
    return kind.size * (1 - np.arange(1, 8) / 14)


def paths_of(kind: Kind, count: int) -> pl.DataFrame:
    """The paths of so many programmes of a kind."""
    path = {"target_value": float(kind.size), "cadence_days": 30 if kind.months == 1 else 365, **kind.path}
    if kind.months > 1:
        path = {"min_points": 4, **path}
    return targets(*({**path, "target_id": f"p{number:05}"} for number in range(count)))


def _as_milestones(kind: str) -> Sequence[Mapping[str, object]]:
    start = {"reached_on": date(2023, 12, 31), "value": 0.0, "interpolation": "linear"}
    shares = zip(MONTH_ENDS, planned(kind), strict=True)
    return [start, *({"reached_on": day, "value": 672 * share, "interpolation": "linear"} for day, share in shares)]


def _as_works(kind: str) -> Sequence[Mapping[str, object]]:
    """The milestones of works: one on each day on which some of it is due."""
    start, *stones = _as_milestones(kind)
    moved = (later for former, later in pairwise([start, *stones]) if later["value"] != former["value"])
    return [start, *({**stone, "interpolation": "step"} for stone in moved)]


def _bent(name: str, limits: Limits) -> Kind:
    path = {"trajectory": "milestones", "milestones": _as_milestones(name)}
    return Kind(f"{name}, as planned", PLANNED, limits, path=path)


def _s_curve(name: str) -> Kind:
    path = {"trajectory": "s_curve", "milestones": _as_milestones(name), "planned_by": "directie"}
    return Kind(f"{name}, as planned", PLANNED, HOLDS, path=path)


def _of_works(number: int, limits: Limits) -> Kind:
    name = f"works {number}"
    path = {"trajectory": "project_steps", "milestones": _as_works(name), "planned_by": "directie"}
    return Kind(f"{name}, as planned", PLANNED, limits, path=path)


def _seasonal(name: str, weights: Sequence[float]) -> Kind:
    path = {"trajectory": "cumulative_seasonal", "season_weights": list(weights)}
    return Kind(f"{name}, as planned", PLANNED, HOLDS, path=path)


def _level(name: str, error: float, limits: Limits, months: int = 12) -> Kind:
    path = {"series_kind": "level", "is_cumulative": False, "trajectory": "linear", "unit": "% of residents"}
    return Kind(name, LEVELS, limits, months, 1, error=error, path=path)


def _share(level: float, answers: int, limits: Limits) -> Kind:
    name = "a fall from 97 to 91 %" if level == 0 else f"{100 * level:.0f} %"
    path = {**_NORM, "series_kind": "share", "unit": "% of questions"}
    # the first judgement that may be hard comes after a year and three evaluations
    return Kind(f"{name}, {answers} answers", SHARES, limits, 1, 1, (level,), 16, 0, answers, path)


_NORM: Mapping[str, object] = {
    "trajectory": "constant",
    "target_value": 100.0,
    "tolerance": 5.0,
    "baseline_value": None,
    "baseline_date": None,
    "target_date": None,
    "is_cumulative": False,
}
_FLOOR: Mapping[str, object] = {**_NORM, "series_kind": "level", "target_value": 1.0, "tolerance": 0.01}
_QUOTA: Mapping[str, object] = {**_NORM, "trajectory": "annual_quota", "tolerance": 0.0, "series_kind": "event"}
_RARE: Mapping[str, object] = {
    "direction_sign": -1,
    "target_value": 0.0,
    "target_date": date(2037, 12, 31),
    "trajectory": "linear",
    "series_kind": "rare_count",
    "is_cumulative": False,
    "min_points": 3,
}


def _straight() -> Sequence[Kind]:
    wanders = {f"cover {month}": (0.60, 1.0) for month in (24, 36, 48, 60)}
    found = {
        "15 % too slow, by 30": (0.70, 1.0),
        "40 % too slow, by 26": (0.97, 1.0),
        "40 % too slow, by 30": (0.995, 1.0),
    }
    return (
        Kind("poisson", STRAIGHT, {**HOLDS, **found}),
        Kind("nb 2.5", STRAIGHT, HOLDS),
        Kind("nb 6", STRAIGHT, HOLDS),
        Kind("ar .5", STRAIGHT, wanders),
        # half of what the former method said of it, which was 24 %
        Kind("ar .9", STRAIGHT, {**wanders, "wrongly behind": (0, 0.12)}),
        *(Kind(name, STRAIGHT) for name in ("break", "slowing", "stall")),
        *(Kind(f"s-curve {middle}", STRAIGHT) for middle in (28, 42, 56)),
        Kind("late 12", STRAIGHT, HOLDS),
        Kind("late 24", STRAIGHT, _AFTER_TWO_YEARS),
        *(Kind(f"projects {number}", STRAIGHT) for number in (8, 4)),
    )


def _yearly() -> Sequence[Kind]:
    found = {"15 % too slow, by 48": (0.80, 1.0)}
    return (
        Kind("poisson", YEARLY, found, 12),
        *(Kind(name, YEARLY, {}, 12) for name in ("nb 2.5", "nb 6", "ar .9", "late 12", "stall")),
        Kind("poisson, 12 a year", YEARLY, {}, 12, 84),
        Kind("poisson, 4 a year", YEARLY, {}, 12, 28),
    )


def _shares() -> Sequence[Kind]:
    away, near, fall = {"changes": (0.0, 1.0)}, {"changes": (0.0, 3.0)}, {"until found": (0.0, 9.0)}
    limits = {0.97: away, 0.96: near, 0.95: near, 0.94: near, 0.93: near, 0.91: away, 0.0: fall}
    return [_share(level, n, limit) for n in (30, 170) for level, limit in limits.items()]


def _others() -> Sequence[Kind]:
    few, often = {"wrongly behind": (0.0, 0.05)}, {"wrongly behind": (0.8, 1.0)}
    rare = {**_RARE, "baseline_value": 6.0}
    return (
        Kind("a floor that holds by 2 %", OTHERS, few, 1, 1, (1.02, 0.96), error=0.01, path=_FLOOR),
        Kind("a quota of 24 a year", OTHERS, few, 1, 24, path={**_QUOTA, "target_value": 24.0}),
        Kind("6 rare events a year, on their path", OTHERS, few, 12, 6, (1.0,), 36, path=rare),
        Kind("6 rare events a year, twice as many", OTHERS, often, 12, 6, (2.0,), 36, path=rare),
    )


KINDS: Sequence[Kind] = (
    *_straight(),
    _bent("late 12", HOLDS),
    _bent("late 24", _AFTER_TWO_YEARS),
    *(_s_curve(f"s-curve {middle}") for middle in (28, 42, 56)),
    _of_works(8, HOLDS),
    # each of four says at once how a quarter of the way goes
    _of_works(4, {**HOLDS, "changes": (0, 2.5)}),
    _seasonal("season", SEASON),
    _seasonal("year-end", YEAR_END),
    *_yearly(),
    *_shares(),
    _level("poisson, error .05", 0.05, {"wrongly behind": (0, 0.05)}),
    _level("poisson, error .15", 0.15, {"wrongly behind": (0, 0.05)}),
    _level("break, error .05", 0.05, {}),
    _level("slowing, error .05", 0.05, {}),
    _level("ar .9, error .02, monthly", 0.02, {}, 1),
    *_others(),
    *(
        Kind(name, APART)
        for name in ("hump", "quarters", "interrupted", "rush", "lumps 20", "lumps 8", "nb 4", "ar .7")
    ),
)
RELIABLE: Sequence[Kind] = [kind for kind in KINDS if kind.group == STRAIGHT]
