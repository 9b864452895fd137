"""Programmes of which the end is known. The generators know nothing of the method that is held against them.

A programme is the cumulated share of its way at the end of every month, from the start (0) on; the last is exactly its
end, so that "wrongly behind" has one meaning.
"""

from calendar import monthrange
from collections.abc import Callable, Mapping, Sequence
from datetime import date

import numpy as np
import polars as pl

from tests.verdicts.method import VALUE_SCHEMA

MONTHS = 84
YEARS = 7
MONTH_ENDS: Sequence[date] = [
    date(year, month, monthrange(year, month)[1]) for year in range(2024, 2031) for month in range(1, 13)
]
# of a year's work: planted from November to March, or paid before the year is over
SEASON = (0.2, 0.2, 0.2, 0, 0, 0, 0, 0, 0, 0, 0.2, 0.2)
YEAR_END = (0.04, 0.04, 0.04, 0.04, 0.04, 0.04, 0.04, 0.04, 0.04, 0.04, 0.3, 0.3)

Weights = Callable[[int, np.random.Generator, float], np.ndarray]
_MONTH = np.arange(MONTHS)


def _even(programmes: int, generator: np.random.Generator, _: float) -> np.ndarray:
    del generator
    return np.ones((programmes, MONTHS))


def _uneven(programmes: int, generator: np.random.Generator, dispersion: float) -> np.ndarray:
    """Variance over mean of a month with eight events."""
    return generator.gamma(8 / (dispersion - 1), 1, (programmes, MONTHS))


def _wandering(programmes: int, generator: np.random.Generator, memory: float) -> np.ndarray:
    """The logarithm of the pace follows itself from month to month."""
    state, logs = generator.normal(0, 1, programmes), np.empty((programmes, MONTHS))
    for month in range(MONTHS):
        state = memory * state + np.sqrt(1 - memory**2) * generator.normal(0, 1, programmes)
        logs[:, month] = state
    return np.exp(0.5 * logs)


def _broken(programmes: int, generator: np.random.Generator, _: float) -> np.ndarray:
    """Another pace from some month on."""
    turn = generator.integers(18, 67, (programmes, 1))
    return np.where(turn > _MONTH, 1.0, np.exp(generator.normal(0, 0.5, (programmes, 1))))


def _slowing(programmes: int, generator: np.random.Generator, _: float) -> np.ndarray:
    return np.exp(-_MONTH / generator.uniform(40, 70, (programmes, 1)))


def _stalling(programmes: int, generator: np.random.Generator, _: float) -> np.ndarray:
    turn = generator.integers(30, 49, (programmes, 1))
    return np.where(turn > _MONTH, 1.0, generator.uniform(0.15, 0.4, (programmes, 1)))


def _s_curve(programmes: int, generator: np.random.Generator, middle: float) -> np.ndarray:
    """Slow, fast, slow; each programme some months sooner or later, steeper or flatter than its plan."""
    off, width = generator.normal(0, 3, (programmes, 1)), generator.uniform(7, 11, (programmes, 1))
    return np.diff(1 / (1 + np.exp(-(np.arange(MONTHS + 1) - middle - off) / width)), axis=1)


def _late(programmes: int, generator: np.random.Generator, months: float) -> np.ndarray:
    del generator
    return np.where(months > _MONTH, 0.0, np.ones((programmes, MONTHS)))


def _by_month(weights: Sequence[float]) -> Weights:
    def yearly(programmes: int, generator: np.random.Generator, _: float) -> np.ndarray:
        del generator
        return np.ones((programmes, 1)) * np.tile(weights, YEARS)

    return yearly


def _hump(programmes: int, generator: np.random.Generator, _: float) -> np.ndarray:
    """Grows to a peak somewhere in the third to fifth year, then fades."""
    peak = generator.uniform(24, 60, (programmes, 1))
    return np.exp(-(((_MONTH - peak) / 30) ** 2))


def _by_quarter(programmes: int, generator: np.random.Generator, _: float) -> np.ndarray:
    """Booked in the last month of each quarter, unevenly."""
    return np.where(_MONTH % 3 == 2, generator.gamma(4, 1, (programmes, MONTHS)), 0.02)


def _interrupted(programmes: int, generator: np.random.Generator, _: float) -> np.ndarray:
    """A year at a third of the pace somewhere, as in 2020; half of what was missed is caught up in the year after."""
    begin = generator.integers(12, 60, (programmes, 1))
    slow = (begin <= _MONTH) & (begin + 12 > _MONTH)
    after = (begin + 12 <= _MONTH) & (begin + 24 > _MONTH)
    return np.where(slow, 0.33, np.where(after, 1.33, 1.0))


def _rushed(programmes: int, generator: np.random.Generator, _: float) -> np.ndarray:
    """Two fifths come in the last year."""
    del generator
    return np.where(_MONTH >= MONTHS - 12, 0.4 / 12, 0.6 / 72) * np.ones((programmes, 1))


SHAPES: Mapping[str, Weights] = {
    "poisson": _even,
    "nb": _uneven,
    "ar": _wandering,
    "break": _broken,
    "slowing": _slowing,
    "stall": _stalling,
    "s-curve": _s_curve,
    "late": _late,
    "season": _by_month(SEASON),
    "year-end": _by_month(YEAR_END),
    "hump": _hump,
    "quarters": _by_quarter,
    "interrupted": _interrupted,
    "rush": _rushed,
}


def programmes(kind: str, end: float, count: int, generator: np.random.Generator, size: int) -> np.ndarray:
    """Cumulated shares of the way, programmes by 85 months.

    Args:
        kind: a shape and its number, such as `s-curve 42`.
        end: the share of the way that is there at the end.
        count: how many.
        generator: of chance.
        size: the target in events.
    """
    name, _, number = kind.partition(" ")
    if name == "projects":
        shares = _projects(int(number), end, count, generator)
    elif name == "lumps":
        shares = _lumps(int(number), end, count, generator)
    elif name == "works":
        shares = _works(int(number), end, count, generator)
    else:
        weights = SHAPES[name](count, generator, float(number or 0))
        events = generator.multinomial(round(end * size), weights / weights.sum(1, keepdims=True))
        shares = events / size
    return np.c_[np.zeros(count), np.cumsum(shares, axis=1)]


def _projects(number: int, end: float, count: int, generator: np.random.Generator) -> np.ndarray:
    """A few large works, spread over the term."""
    when = np.rint((np.arange(1, number + 1) - generator.uniform(0, 1, (count, number))) * MONTHS / number)
    shares = np.zeros((count, MONTHS))
    rows = np.arange(count)[:, None]
    parts = generator.dirichlet(np.full(number, 8.0), count) * end
    np.add.at(shares, (rows, np.clip(when, 1, MONTHS).astype(int) - 1), parts)
    return shares


def _planned_works(number: int) -> tuple[np.ndarray, np.ndarray]:
    """The month in which each of some large works is due, and its share; no two of one size beside each other."""
    sizes = 1 + 0.5 * np.arange(number) % 1.5
    return np.rint(np.arange(1, number + 1) * 0.95 * MONTHS / number).astype(int), sizes / sizes.sum()


def _works(number: int, end: float, count: int, generator: np.random.Generator) -> np.ndarray:
    """Works with a date each: a month late on the average, give or take a quarter, and somewhat larger or smaller."""
    due, sizes = _planned_works(number)
    when = np.clip(np.rint(due + generator.normal(1, 3, (count, number))), 1, MONTHS).astype(int)
    parts = sizes * np.exp(generator.normal(0, 0.15, (count, number)))
    shares = np.zeros((count, MONTHS))
    np.add.at(shares, (np.arange(count)[:, None], when - 1), end * parts / parts.sum(1, keepdims=True))
    return shares


def _lumps(a_year: int, end: float, count: int, generator: np.random.Generator) -> np.ndarray:
    """Megawatts or metres: works of very unequal size, so many a year."""
    shares = np.zeros((count, MONTHS))
    for row in shares:
        sizes = generator.lognormal(0, 1, max(1, generator.poisson(a_year * YEARS)))
        np.add.at(row, generator.integers(0, MONTHS, len(sizes)), sizes * end / sizes.sum())
    return shares


def planned(kind: str) -> np.ndarray:
    """The shares of the way that the plan itself would have announced, right on the average."""
    name, _, number = kind.partition(" ")
    if name == "works":
        due, sizes = _planned_works(int(number))
        weights = np.zeros(MONTHS)
        np.add.at(weights, due - 1, sizes)
    elif name == "s-curve":
        weights = np.diff(1 / (1 + np.exp(-(np.arange(MONTHS + 1) - float(number)) / 9)))
    else:
        weights = SHAPES[name](1, np.random.default_rng(0), float(number or 0))[0]
    return np.cumsum(weights / weights.sum())


def as_values(cumulated: np.ndarray, months: int = 1, answers: int | None = None) -> pl.DataFrame:
    """One row per programme and report, as the method reads them.

    Args:
        cumulated: values, programmes by reports.
        months: between reports.
        answers: how many stand behind each value.
    """
    count, reports = cumulated.shape
    dates = list(MONTH_ENDS[months - 1 :: months][:reports])
    return pl.DataFrame(
        {
            "target_id": np.repeat([f"p{number:05}" for number in range(count)], reports),
            "ref_date": dates * count,
            "value": cumulated.astype(float).ravel(),
            "n": [answers] * cumulated.size,
            "is_over_a_year": [False] * cumulated.size,
            "is_month_over": [True] * cumulated.size,
            "doubt_nl": [None] * cumulated.size,
        },
        schema=dict(VALUE_SCHEMA),
    )


def levels(kind: str, end: float, count: int, generator: np.random.Generator, error: float) -> np.ndarray:
    """A level that moves along its way as such a programme would; each figure has an error of its own."""
    name, _, number = kind.partition(" ")
    weights = SHAPES[name](count, generator, float(number or 0))
    truth = end * np.cumsum(weights / weights.sum(1, keepdims=True), axis=1)
    return truth + generator.normal(0, error, truth.shape)


def answered(levels: np.ndarray, n: int, count: int, generator: np.random.Generator) -> np.ndarray:
    """Percentages on time of n answers a month; what is true differs somewhat from month to month."""
    logits = np.log(levels / (1 - levels)) + generator.normal(0, 0.15, (count, MONTHS))
    return 100 * generator.binomial(n, 1 / (1 + np.exp(-logits))) / n
