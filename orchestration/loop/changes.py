"""Why a verdict differs from the one before it: one word per target, from the figures of both."""

from enum import StrEnum

import polars as pl

CHANGE = "change"
_BEFORE = "_before"
_COMPARED = ("ref_date", "value", "required_value", "target_value", "definition_version", "dq_verdict", "status")


class Change(StrEnum):
    """The first that applies.

    A status that changes through `CORRECTED` or `PACE` is a restatement of the past, not news of today.
    """

    FIRST = "first"
    DEFINITION = "changed definition"
    NEW = "new data"
    CORRECTED = "corrected data"
    QUALITY = "other data quality"
    PACE = "changed pace"
    TIME = "time passed"
    NONE = "same"


def with_change(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """Adds `change` to verdict rows: why each differs from the row of its target in `before`.

    Args:
        before: verdict rows, at most one per target; may be empty and may lack columns.
        after: verdict rows, one per target.
    """
    given = [name for name in (*_COMPARED, "recent_pace_per_year") if name in before.columns and name in after.columns]
    then = before.select("target_id", *(pl.col(name).alias(name + _BEFORE) for name in given))
    joined = after.join(
        then.with_columns(was_said=pl.lit(value=True)), on="target_id", how="left", maintain_order="left"
    )
    change = _explained(frozenset(given)).alias(CHANGE)
    return joined.with_columns(change).select(*after.columns, CHANGE)


def _explained(given: frozenset[str]) -> pl.Expr:
    """The first explanation that holds, in the order of `Change`."""

    def differs(name: str) -> pl.Expr:
        return pl.col(name).ne_missing(pl.col(name + _BEFORE)) if name in given else pl.lit(value=False)

    later = (pl.col("ref_date") > pl.col("ref_date_before")) if "ref_date" in given else pl.lit(value=False)
    spoke_first = pl.col("ref_date_before").is_null() if "ref_date" in given else pl.lit(value=False)
    return (
        pl.when(pl.col("was_said").is_null())
        .then(pl.lit(Change.FIRST.value))
        .when(differs("definition_version"))
        .then(pl.lit(Change.DEFINITION.value))
        .when(later | (spoke_first & differs("ref_date")))
        .then(pl.lit(Change.NEW.value))
        .when(differs("ref_date") | differs("value"))
        .then(pl.lit(Change.CORRECTED.value))
        .when(differs("dq_verdict"))
        .then(pl.lit(Change.QUALITY.value))
        .when(differs("target_value") | differs("required_value"))
        .then(pl.lit(Change.DEFINITION.value))
        .when(differs("status") & differs("recent_pace_per_year"))
        .then(pl.lit(Change.PACE.value))
        .when(differs("status"))
        .then(pl.lit(Change.TIME.value))
        .otherwise(pl.lit(Change.NONE.value))
    )
