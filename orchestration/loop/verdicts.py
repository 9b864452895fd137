"""What a build says that the log does not hold yet. The log is output only: no verdict is made from it."""

import hashlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import polars as pl

from orchestration.loop.changes import with_change
from orchestration.settings import Settings
from warehouse.durable import replace_derived
from warehouse.engine import connect, frame
from warehouse.frames import read_frame, with_texts
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
# of how many builds, and of which, a file holds what was last said
_BUILDS, _OF = "builds", "builds_sha256"


def newly_said(settings: Settings, lake: Lake) -> pl.DataFrame:
    """The verdict rows of the warehouse that differ from what was last said of their target.

    Returns:
        The columns of `verdicts.fct_target_verdicts`, `decision_key`, and why the row differs from what was last said:
        see `changes.with_change`.
    """
    with connect(settings.layout.warehouse, read_only=True) as con:
        now_said = with_key(frame(con, "select * from verdicts.fct_target_verdicts order by target_id"))
        history = frame(con, "select * from verdicts.fct_target_status_history")
    before = said_so_far(lake, settings.layout.last_said)
    known = before.select("target_id", KEY) if before.height else before.with_columns(pl.lit("").alias(KEY))
    return with_change(before, now_said, history).join(known, on=["target_id", KEY], how="anti", maintain_order="left")


def said_so_far(lake: Lake, kept_in: Path) -> pl.DataFrame:
    """The newest row of every target in the log: what was kept of earlier builds, and what was said since.

    Args:
        lake: that holds the log.
        kept_in: a file that follows from the log; it is made where it is gone, torn or of another log.
    """
    builds = lake.build_ids()
    read, before = _kept(kept_in, builds)
    if read == len(builds):
        return before
    now = last_said([before, *(lake.said(lake.decision(build_id)) for build_id in builds[read:])])
    content = BytesIO()
    now.write_parquet(content, metadata={_BUILDS: str(len(builds)), _OF: _sha256("|".join(builds))})
    replace_derived(kept_in, content.getvalue())
    return now


def _kept(kept_in: Path, builds: Sequence[str]) -> tuple[int, pl.DataFrame]:
    """Of how many of the oldest builds a file holds what was last said, and that."""
    with suppress(OSError, pl.exceptions.PolarsError, KeyError, ValueError):
        of = pl.read_parquet_metadata(kept_in)
        read = int(of[_BUILDS])
        if of[_OF] == _sha256("|".join(builds[:read])):
            return read, with_texts(read_frame(kept_in))
    return 0, last_said([])


def last_said(rows: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """The newest row of every target.

    Args:
        rows: what each build added to the log, oldest first.
    """
    # a column that a later version of the pipeline added is empty in what was said before
    every = pl.concat([pl.DataFrame(schema={"target_id": pl.String}), *rows], how="diagonal_relaxed")
    return every.unique("target_id", keep="last", maintain_order=True)


def with_key(verdicts: pl.DataFrame) -> pl.DataFrame:
    """Adds `decision_key`, the sha256 of what a row says; of a judgement in dispute that is what every reading says."""
    said = pl.concat_str([pl.col(name).cast(pl.String).fill_null("∅") for name in SAID], separator="|")
    if "is_disputed" in verdicts.columns:
        # a row without a dispute keeps the key it had before there were readings
        said = said + pl.when("is_disputed").then("|" + pl.col("readings_nl")).otherwise(pl.lit(""))
    return verdicts.with_columns(said.map_elements(_sha256, return_dtype=pl.String).alias(KEY))


def _sha256(said: str) -> str:
    return hashlib.sha256(said.encode()).hexdigest()
