"""Measures whether the judgement method is right, on programmes of which the end is known.

`python -m tests.verdicts.calibration` measures at full size, prints each kind beside its limits and ends with 1
outside them. Each limit is of one property of one kind; a kind whose shape nobody can know from its figures has none,
and its figures are printed all the same.
"""

import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
from rich.console import Console
from rich.table import Table

from tests.verdicts.kinds import KINDS, RELIABLE, Kind, paths_of, values_of
from tests.verdicts.method import compiled, judged

FULL_SIZE = 400
SEED = 2026
Z_80 = 1.2816
ENDS = (1.0, 0.85, 0.6)
BUCKETS = (0, 0.05, 0.15, 0.35, 0.5, 0.65, 0.85, 0.95, 1.01)
_RANKS = {"behind": 0, "at_risk": 1, "on_track": 2, "reached": 2}
_NEVER = 999
# the month in which it is counted how many intervals say too little, and that after which a falling share falls
_VAGUE_MONTH, _FALL_MONTH = 36, 36


@dataclass(frozen=True)
class Told:
    """What the method said of every report of the programmes of one kind that end at one share."""

    months: np.ndarray
    status: np.ndarray
    chance: np.ndarray
    low: np.ndarray
    high: np.ndarray
    is_vague: np.ndarray
    end: float

    def since(self, month: int) -> np.ndarray:
        """The statuses from a month on."""
        return self.status[:, self.months >= month]

    def first_behind(self, month: int) -> np.ndarray:
        """The month in which each programme was first behind, from a month on."""
        behind = self.since(month) == 0
        return np.where(behind.any(1), self.months[self.months >= month][behind.argmax(1)], _NEVER)


@dataclass(frozen=True)
class Measured:
    """One kind: its figures by name, and those that lie outside its limits."""

    kind: Kind
    figures: Mapping[str, float] = field(default_factory=dict)

    @property
    def outside(self) -> Sequence[str]:
        """The properties that do not hold."""
        return [name for name, (low, high) in self.kind.limits.items() if not low <= self.figures[name] <= high]


def calibrate(code: Mapping[str, str], count: int, kinds: Sequence[Kind] = KINDS) -> Sequence[Measured]:
    """The figures of every kind.

    Args:
        code: the compiled method.
        count: how many programmes of each kind and end.
        kinds: which.
    """
    return [Measured(kind, figures(kind, {end: told(code, kind, end, count) for end in kind.ends})) for kind in kinds]


def told(code: Mapping[str, str], kind: Kind, end: float, count: int) -> Told:
    """What the method says of programmes of a kind that end at a share of the way."""
    generator = np.random.default_rng([SEED, sum(map(ord, kind.name)), round(100 * end)])
    values = values_of(kind, end, count, generator)
    evaluations = judged(code, paths_of(kind, count), values)
    return _as_told(evaluations, count, kind.size * end)


def _as_told(evaluations: pl.DataFrame, count: int, end: float) -> Told:
    """The columns of evaluations as programmes by reports."""
    months = (pl.col("ref_date").dt.year() - 2024) * 12 + pl.col("ref_date").dt.month()
    spread = Z_80 * pl.col("deviation")
    low = pl.col("forecast") - spread
    rows = evaluations.select(
        months=months,
        status=pl.col("status").replace_strict(_RANKS, default=None, return_dtype=pl.Float64),
        chance="p_reach",
        # those too that are too wide, or too young, to be published
        low=pl.when(pl.col("is_sticky")).then(pl.max_horizontal(low, "value")).otherwise(low),
        high=pl.col("forecast") + spread,
        is_vague="is_vague",
    )
    shaped = {name: rows[name].to_numpy().astype(float).reshape(count, -1) for name in rows.columns}
    unsure = np.isnan(shaped["high"])
    return Told(
        months=shaped["months"][0].astype(int),
        status=shaped["status"],
        chance=shaped["chance"],
        low=np.where(unsure, np.nan, shaped["low"]),
        high=shaped["high"],
        is_vague=shaped["is_vague"],
        end=end,
    )


def figures(kind: Kind, told_of: Mapping[float, Told]) -> Mapping[str, float]:
    """The figures of one kind: what its limits speak of and more."""
    on_target, first = told_of[kind.ends[0]], kind.first_month
    found = {
        f"{100 - round(100 * end)} % too slow, by {month}": float((told_.first_behind(first) <= month).mean())
        for end, told_ in told_of.items()
        if end < 1
        for month in (26, 30, 48, 60)
    }
    behind = on_target.since(first) == 0
    return {
        **{f"cover {month}": coverage(on_target, month) for month in (24, 36, 48, 60)},
        "wrongly behind": float(behind.mean()),
        "ever": float(behind.any(1).mean()),
        "changes": changes(on_target, first),
        "vague": float(on_target.is_vague[:, on_target.months == _VAGUE_MONTH].mean()),
        **found,
        "until found": float(np.median(on_target.first_behind(_FALL_MONTH + 1) - _FALL_MONTH)),
    }


def coverage(told_: Told, month: int) -> float:
    """The share of the intervals of 80 % in a month that hold the end; none where there is no interval."""
    low, high = told_.low[:, told_.months == month], told_.high[:, told_.months == month]
    if np.isnan(high).all():
        return float("nan")
    slack = 1e-6 * abs(told_.end)
    return float(((low <= told_.end + slack) & (high >= told_.end - slack))[~np.isnan(high)].mean())


def changes(told_: Told, month: int) -> float:
    """How often the status of a programme changes from a month on."""
    statuses = told_.since(month)
    return float((np.diff(statuses, axis=1) != 0).sum(1).mean())


def reliability(code: Mapping[str, str], count: int, kinds: Sequence[Kind] = RELIABLE) -> Sequence[tuple[float, int]]:
    """Of the forecasts with a chance in each bucket: the share that came to 95 % of the way, and how many they were."""
    said, came = [], []
    for kind in kinds:
        for end in (1.1, 1.05, 1.0, 0.97, 0.9, 0.85, 0.8, 0.6):
            told_ = told(code, kind, end, count)
            at = (told_.months >= 24) & (told_.months <= 72) & (told_.months % 6 == 0)
            chances = told_.chance[:, at]
            open_ = ~np.isnan(chances) & (told_.status[:, at] >= 0)
            said.append(chances[open_])
            came.append(np.full(open_.sum(), end >= 0.95))
    chances, reached = np.concatenate(said), np.concatenate(came)
    buckets = [(chances >= low) & (chances < high) for low, high in pairwise(BUCKETS)]
    return [(float(reached[bucket].mean()), int(bucket.sum())) for bucket in buckets]


def main() -> int:
    """Prints every kind beside its limits; 1 when one lies outside them."""
    console = Console(width=200)
    with tempfile.TemporaryDirectory() as folder:
        code = compiled(Path(folder))
        measured = calibrate(code, FULL_SIZE)
        table = Table(title="Of the forecasts that gave this chance, so many came to 95 % of the way")
        for low, high in pairwise(BUCKETS):
            table.add_column(f"{low:.2f}-{min(high, 1):.2f}")
        table.add_row(*(f"{100 * share:.0f} % of {n}" for share, n in reliability(code, FULL_SIZE // 10)))
    for group in dict.fromkeys(each.kind.group for each in measured):
        console.print(_table(group, [each for each in measured if each.kind.group == group]))
    console.print(table)
    return 1 if any(each.outside for each in measured) else 0


def _table(group: str, rows: Sequence[Measured]) -> Table:
    names = [name for name in rows[0].figures if any(_is_told(row.figures.get(name)) for row in rows)]
    table = Table(title=f"{group} ({FULL_SIZE} programmes of each kind and end, seed {SEED})")
    for heading in ("kind", *names):
        table.add_column(heading)
    for row in rows:
        table.add_row(row.kind.name, *(_cell(row, name) for name in names))
    return table


def _is_told(figure: float | None) -> bool:
    return figure is not None and not np.isnan(figure) and figure < _NEVER - _FALL_MONTH


def _cell(row: Measured, name: str) -> str:
    figure = row.figures.get(name)
    if figure is None or not _is_told(figure):
        return "–"
    scale = 1 if name in ("changes", "until found") else 100
    shown = f"{scale * figure:.1f}" if scale == 1 else f"{scale * figure:.0f}"
    if name not in row.kind.limits:
        return shown
    low, high = row.kind.limits[name]
    return f"{shown} ({scale * low:g}–{scale * high:g}{' OUTSIDE' if name in row.outside else ''})"


if __name__ == "__main__":
    sys.exit(main())
