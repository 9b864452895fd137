"""What a build says that the log does not hold yet. The log is output only: no verdict is made from it."""

import hashlib
from collections.abc import Iterable

import polars as pl

from orchestration.loop.changes import with_change
from orchestration.settings import Settings
from warehouse.engine import connect, frame
from warehouse.lake import Lake

# what was said, and on which input: a row that agrees on all of these says nothing new
SAID = (
    "target_id",
    "ref_date",
    "status",
    "value",
    "required_value",
    "target_value",
    "definition_version",
    "dq_verdict",
)
KEY = "decision_key"


def newly_said(settings: Settings, lake: Lake) -> pl.DataFrame:
    """The verdict rows of the warehouse that differ from what was last said of their target.

    Returns:
        The columns of `verdicts.fct_target_verdicts`, `decision_key`, `change`: why the row differs from what was
        last said, and `is_restatement`: whether a value back in time changed the status.
    """
    with connect(settings.layout.warehouse, read_only=True) as con:
        now_said = with_key(frame(con, "select * from verdicts.fct_target_verdicts order by target_id"))
        history = frame(con, "select * from verdicts.fct_target_status_history")
    before = last_said(lake.said(decision) for decision in lake.decisions())
    known = before.select("target_id", KEY) if before.height else before.with_columns(pl.lit("").alias(KEY))
    return with_change(before, now_said, history).join(known, on=["target_id", KEY], how="anti", maintain_order="left")


def last_said(rows: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """The newest row of every target.

    Args:
        rows: what each build added to the log, oldest first.
    """
    # a column that a later version of the pipeline added is empty in what was said before
    every = pl.concat([pl.DataFrame(schema={"target_id": pl.String}), *rows], how="diagonal_relaxed")
    return every.unique("target_id", keep="last", maintain_order=True)


def with_key(verdicts: pl.DataFrame) -> pl.DataFrame:
    """Adds `decision_key`, the sha256 of what a row says."""
    said = pl.concat_str([pl.col(name).cast(pl.String).fill_null("∅") for name in SAID], separator="|")
    return verdicts.with_columns(said.map_elements(_sha256, return_dtype=pl.String).alias(KEY))


def _sha256(said: str) -> str:
    return hashlib.sha256(said.encode()).hexdigest()
