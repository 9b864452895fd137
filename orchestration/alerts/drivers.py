"""What holds a target back, in words.

Belongs here: a row of `fct_gap_drivers` as a reader is told it. Does not belong here: what drives a gap (dbt).
"""

from collections.abc import Mapping
from typing import Any

import polars as pl

from orchestration.alerts import wording

_MOST = 3
_REST = "overige"
_KIND = ("driver_type", "unit")


def amount(row: Mapping[str, Any]) -> str:
    """How much a driver holds back, and how long it has been waiting where it waits."""
    held = wording.amount(row["contribution"], row["unit"])
    return held if row["median_days"] is None else f"{held}, al {round(row['median_days'])} dagen"


def with_drivers(verdicts: pl.DataFrame, drivers: pl.DataFrame) -> pl.DataFrame:
    """Verdicts with `drivers_nl`: the largest drivers of each target in words, empty where none is known."""
    told = [
        {"target_id": target, "drivers_nl": _told(rows.rows(named=True))}
        for (target,), rows in drivers.sort("rank_no").partition_by("target_id", as_dict=True).items()
    ]
    words = pl.DataFrame(told, schema={"target_id": pl.String, "drivers_nl": pl.String})
    return verdicts.join(words, on="target_id", how="left", maintain_order="left")


def _told(rows: list[dict[str, Any]]) -> str:
    first = rows[0]
    # shares of two kinds tell of the same twice: the kind with the largest driver is the one that is told
    kind = [row for row in rows if row["driver_key"] != _REST and all(row[name] == first[name] for name in _KIND)]
    words = "; ".join(f"{row['label_nl']}: {amount(row)}" for row in kind[:_MOST])
    if first["compared_with"] == "path":
        return f"{words}."
    return f"De laatste twaalf maanden tegenover de twaalf ervoor: {words}."
