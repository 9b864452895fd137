"""Programmes of which the truth is known: seven years of counts, on pace or a known share too slow."""

from calendar import monthrange
from collections.abc import Sequence
from datetime import date

import numpy as np
import polars as pl

from tests.verdicts.method import VALUE_SCHEMA

MONTHS = 84
SURVEYS = 10
PER_MONTH = 8.0
# the variance of a month's count over its mean: Poisson, as in most services, and heavily uneven
DISPERSIONS = (1.0, 2.5, 6.0)
MONTH_ENDS: Sequence[date] = [
    date(year, month, monthrange(year, month)[1]) for year in range(2024, 2031) for month in range(1, 13)
]


def counts(pace: float, programmes: int, seed: int) -> np.ndarray:
    """Cumulative counts at the end of every month.

    Args:
        pace: share of the pace that the target asks.
        programmes: how many; each dispersion takes an equal part.
        seed: of the generator.

    Returns:
        An array of programmes by months.
    """
    generator = np.random.default_rng(seed)
    parts = [
        _increments(generator, pace * PER_MONTH, dispersion, programmes // len(DISPERSIONS))
        for dispersion in DISPERSIONS
    ]
    return np.cumsum(np.concatenate(parts), axis=1)


def _increments(generator: np.random.Generator, mean: float, dispersion: float, programmes: int) -> np.ndarray:
    size = (programmes, MONTHS)
    if dispersion == 1:
        return generator.poisson(mean, size)
    return generator.negative_binomial(mean / (dispersion - 1), 1 / dispersion, size)


def as_values(cumulated: np.ndarray) -> pl.DataFrame:
    """One row per programme and month, as the method reads them."""
    programmes, months = cumulated.shape
    return pl.DataFrame(
        {
            "target_id": np.repeat([f"p{number:05}" for number in range(programmes)], months),
            "ref_date": list(MONTH_ENDS[:months]) * programmes,
            "value": cumulated.astype(float).ravel(),
            "n": [None] * cumulated.size,
            "is_over_a_year": [False] * cumulated.size,
            "is_month_over": [True] * cumulated.size,
            "doubt_nl": [None] * cumulated.size,
        },
        schema=dict(VALUE_SCHEMA),
    )


def surveys(programmes: int, seed: int) -> tuple[pl.DataFrame, float]:
    """Ten yearly surveys of a share that rises one point a year, each with an error of its own.

    Returns:
        The values, and what the share truly is on the last day of 2030.
    """
    errors = np.random.default_rng(seed).normal(0, 1, (programmes, SURVEYS))
    values = pl.DataFrame(
        {
            "target_id": np.repeat([f"p{number:05}" for number in range(programmes)], SURVEYS),
            "ref_date": [date(2016 + year, 12, 31) for year in range(SURVEYS)] * programmes,
            "value": (50 + np.arange(1, SURVEYS + 1) + errors).ravel(),
            "n": [None] * errors.size,
            "is_over_a_year": [False] * errors.size,
            "is_month_over": [True] * errors.size,
            "doubt_nl": [None] * errors.size,
        },
        schema=dict(VALUE_SCHEMA),
    )
    return values, 65.0
