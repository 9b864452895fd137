"""What was said of the targets on a day, and what today's rules would have said on what was known then.

Belongs here: reading the log of decisions and judging again in a scratch warehouse. Does not belong here:
deciding a status (dbt), or adding to the log (`verdicts`).
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from contracts.registry import all_contracts
from orchestration.loop.changes import CHANGE, with_change
from orchestration.loop.exit_gate import judge_exit
from orchestration.loop.selection import JUDGE, MEASURE
from orchestration.loop.transform import build_models
from orchestration.loop.verdicts import last_said
from orchestration.settings import Settings
from warehouse import load as loader
from warehouse.batch import Manifest
from warehouse.engine import connect, frame
from warehouse.lake import Decision, Lake
from warehouse.withdrawals import Withdrawal

_log = logging.getLogger("ademruimte.history")
_VERDICTS = "select * from verdicts.fct_target_verdicts order by target_id"
_SHOWN = ("target_id", "title_nl", "department_id")
_THEN, _NOW = "before", "after"


def said(lake: Lake, as_of: date, known_at: datetime, withdrawn: Withdrawal | None = None) -> pl.DataFrame:
    """The last verdict row of every target in the log: builds for `as_of` or earlier, committed by `known_at`.

    A build that repeated an earlier day may have spoken of a figure of after it: that says nothing of the day. Nor does
    a build that was withdrawn then, or that was made while readers were held at an earlier one.

    Args:
        lake: that holds the log.
        as_of: the day that is asked about.
        known_at: the moment.
        withdrawn: the withdrawal that stood at that moment.

    Returns:
        What the log holds of each target (see `verdicts.newly_said`); empty when nothing was said by then.
    """
    shown = lake.decisions()
    build_ids = lake.build_ids()
    # a log that a restore brought back may lack the build that readers were put back to
    if withdrawn is not None and withdrawn.shown in build_ids:
        shown = shown[: build_ids.index(withdrawn.shown) + 1]
    then = (lake.said(decision) for decision in shown if _is_then(decision, as_of, known_at))
    return last_said(rows.filter(pl.col("ref_date").is_null() | (pl.col("ref_date") <= as_of)) for rows in then)


def recomputed(settings: Settings, as_of: date, known_at: datetime) -> pl.DataFrame:
    """What today's definitions say on the rows that were known by `known_at`, judged as on `as_of`.

    What was known later than `as_of` may correct a figure of before it; a figure of after it is not looked at.

    Of a batch that was replaced later, by a replay for instance, those are the rows that were accepted then. Where
    they were erased, the log says so, and those among what replaced them count that were known. The lake is read;
    everything else happens in a scratch folder that is gone afterwards.

    Returns:
        The columns of `verdicts.fct_target_verdicts`.

    Raises:
        TransformError: dbt failed.
    """
    lake = Lake(settings.layout.lake)
    known = [manifest for manifest in lake.counting() if manifest.known_at <= known_at]
    _log.info("judging again on the %d batches known by %s", len(known), known_at.isoformat(timespec="minutes"))
    with TemporaryDirectory(prefix="ademruimte-") as folder:
        scratch = settings.model_copy(update={"home": Path(folder), "fixed_as_of": as_of})
        scratch.layout.create()
        return _judged(scratch, as_of, _load(scratch, lake, known, known_at))


def compared(before: pl.DataFrame, after: pl.DataFrame, history: pl.DataFrame | None = None) -> pl.DataFrame:
    """Two answers side by side.

    Args:
        before: verdict rows, at most one per target.
        after: verdict rows, one per target.
        history: see `changes.with_change`.

    Returns:
        target_id, title_nl, department_id, change, and status, value and ref_date each `_before` and `_after`;
        in the order of `after`.
    """
    explained = with_change(before, after, history)
    then = before.select("target_id", *_of(before, _THEN)) if before.height else before
    return explained.select(*_SHOWN, *_of(explained, _NOW), CHANGE).join(
        then, on="target_id", how="left", maintain_order="left"
    )


def _of(verdicts: pl.DataFrame, when: str) -> Sequence[pl.Expr]:
    answer = ("status", "value", "ref_date")
    return [pl.col(name).alias(f"{name}_{when}") for name in answer if name in verdicts.columns]


def _is_then(decision: Decision, as_of: date, known_at: datetime) -> bool:
    judged_for = decision.facts.get("as_of_date", "")
    return decision.committed_at <= known_at and judged_for <= as_of.isoformat()


def _load(scratch: Settings, lake: Lake, known: Sequence[Manifest], known_at: datetime) -> dict[str, str]:
    """Fills the scratch warehouse.

    Returns:
        By source why a batch of it could not be loaded.
    """
    as_of = scratch.as_of(known_at)
    with connect(scratch.layout.warehouse, room=scratch.room) as con:
        loaded = loader.load_known(con, lake, all_contracts(), known_at)
        loader.write_status(con, _progress([lake.stood(manifest, known_at) for manifest in known]))
        loader.write_profile(con, scratch.city)
        loader.write_build(con, scratch.layout.root.name, as_of, scratch.city.name, is_synthetic=False)
    for each in loaded:
        for note in (*each.drift, *([each.error] if each.error else [])):
            _log.warning("%s %s: %s", each.source, each.batch_id, note)
    return {each.source: each.error for each in loaded if each.error}


def _progress(known: Sequence[Manifest]) -> list[loader.StatusRow]:
    """Up to where each source spoke, as its batches say."""
    sources = sorted({manifest.source for manifest in known})
    of = {name: [manifest for manifest in known if manifest.source == name] for name in sources}
    return [
        (
            name,
            max((each.complete_until for each in own if each.complete_until), default=None),
            max(each.known_at for each in own),
        )
        for name, own in of.items()
    ]


def _judged(scratch: Settings, as_of: date, not_loaded: Mapping[str, str]) -> pl.DataFrame:
    measured = build_models(scratch, as_of, MEASURE)
    with connect(scratch.layout.warehouse) as con:
        con.execute("delete from marts.fct_kpi_observations where ref_date > ?", [as_of])
        judge_exit(con, measured, scratch.layout, scratch.layout.root.name, not_loaded)
    build_models(scratch, as_of, JUDGE)
    with connect(scratch.layout.warehouse, read_only=True) as con:
        return frame(con, _VERDICTS)
