"""What a build says that the log does not hold yet. The log is output only: no verdict is made from it."""

import hashlib

import polars as pl

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
        The columns of `verdicts.fct_target_verdicts` and `decision_key`.
    """
    with connect(settings.layout.warehouse, read_only=True) as con:
        now_said = with_key(frame(con, "select * from verdicts.fct_target_verdicts order by target_id"))
    return now_said.join(_last_said(lake), on=["target_id", KEY], how="anti", maintain_order="left")


def with_key(verdicts: pl.DataFrame) -> pl.DataFrame:
    """Adds `decision_key`, the sha256 of what a row says."""
    said = pl.concat_str([pl.col(name).cast(pl.String).fill_null("∅") for name in SAID], separator="|")
    return verdicts.with_columns(said.map_elements(_sha256, return_dtype=pl.String).alias(KEY))


def _sha256(said: str) -> str:
    return hashlib.sha256(said.encode()).hexdigest()


def _last_said(lake: Lake) -> pl.DataFrame:
    """The newest key of every target, over all committed builds."""
    nothing = pl.DataFrame(schema={"target_id": pl.String, KEY: pl.String})
    said = [lake.said(decision).select("target_id", KEY) for decision in lake.decisions()]
    return pl.concat([nothing, *said]).unique("target_id", keep="last", maintain_order=True)
