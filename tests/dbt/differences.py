"""What a reader can work out about 1777 from published tables: sums and differences over all of them and over builds.

The unknowns are the questions of every department and theme in every month. Each published count is an equation; what
they allow a hidden cell to be is what two linear programmes say.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
from scipy.optimize import linprog

Cell = tuple[str, str, date]


@dataclass
class Known:
    """What builds tell of sums of cells."""

    cells: set[Cell] = field(default_factory=set)
    sums: dict[frozenset[Cell], float] = field(default_factory=dict)

    def of(self, department: str | None, theme: str | None, months: Iterable[date]) -> frozenset[Cell]:
        """The cells of a department, a theme and months; None is all of them."""
        wanted = set(months)
        return frozenset(
            (owner, name, month)
            for owner, name, month in self.cells
            if month in wanted and department in {None, owner} and theme in {None, name}
        )

    def tell(self, cells: frozenset[Cell], count: float | None) -> None:
        if count is not None:
            self.sums[cells] = count

    def bounds(self, cells: Iterable[frozenset[Cell]]) -> dict[frozenset[Cell], tuple[float, float]]:
        """The least and the most each sum can be, beside everything that is told."""
        places = {cell: number for number, cell in enumerate(sorted(self.cells))}
        rows = np.array([_row(places, told) for told in self.sums])
        counts = np.array(list(self.sums.values()))
        return {asked: _between(_row(places, asked), rows, counts) for asked in cells}


def _row(places: Mapping[Cell, int], cells: frozenset[Cell]) -> np.ndarray:
    row = np.zeros(len(places))
    row[[places[cell] for cell in cells]] = 1
    return row


def _between(asked: np.ndarray, rows: np.ndarray, counts: np.ndarray) -> tuple[float, float]:
    least, most = (linprog(sign * asked, A_eq=rows, b_eq=counts, method="highs") for sign in (1, -1))
    assert least.status == 0, least.message
    # nothing bounds a sum of cells of which no total is told
    return least.fun, -most.fun if most.status == 0 else np.inf


@dataclass(frozen=True)
class Findings:
    """What was hidden, and what was found of it all the same."""

    hidden: int
    found: Sequence[tuple[frozenset[Cell], float, float]]


def attack(builds: Sequence[Path]) -> Findings:
    """Everything the published files of successive builds tell together, held against every cell that one hides."""
    known, hidden = Known(), set[frozenset[Cell]]()
    for build in builds:
        known.cells |= set(_cells(build))
    for build in builds:
        hidden |= set(_read(build, known))
    bounds = known.bounds(hidden - known.sums.keys())
    sure = [(cells, *of) for cells, of in bounds.items() if of[0] > 0.5 and of[1] < 4.5]
    return Findings(len(bounds), sure)


def _cells(build: Path) -> Iterator[Cell]:
    with duckdb.connect(str(build), read_only=True) as con:
        yield from con.execute(
            """select distinct quarters.department_id, theme_nl, month_start
            from marts.fct_ticket_service_quarterly as quarters cross join marts.fct_ticket_service_monthly as months
            where months.is_settled"""
        ).fetchall()


def _read(build: Path, known: Known) -> Iterator[frozenset[Cell]]:
    """Tells what a build tells, and yields what it hides."""
    with duckdb.connect(str(build), read_only=True) as con:
        months = con.execute(
            """select department_id, month_start, n from marts.fct_ticket_service_monthly where is_settled"""
        ).fetchall()
        themes = con.execute(
            """select department_id, theme_nl, quarter_start, n from marts.fct_ticket_service_quarterly
            where is_settled"""
        ).fetchall()
        windows = con.execute(
            """select department_id, period_start, n from marts.fct_ticket_service_rolling"""
        ).fetchall()
        city = con.execute(
            """select period_start, n from marts.fct_kpi_observations
            where kpi_id in ('tickets_1777_5wd', 'tickets_reopen_rate')"""
        ).fetchall()
    settled = {month for _, month, _ in months}
    told = [(known.of(department, None, [month]), n) for department, month, n in months]
    told += [(known.of(department, theme, _three(start)), n) for department, theme, start, n in themes]
    told += [(known.of(department, None, _three(start)), n) for department, start, n in windows]
    # a month that runs tells what was asked until now
    told += [(known.of(None, None, [month]), n) for month, n in city if month in settled]
    for cells, n in told:
        known.tell(cells, n)
        if n is None:
            yield cells


def _three(start: date) -> list[date]:
    months = (start.year * 12 + start.month - 1 + number for number in range(3))
    return [date(month // 12, month % 12 + 1, 1) for month in months]
