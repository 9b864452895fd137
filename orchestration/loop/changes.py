"""Why a verdict differs from the one before it: one word per target, from the figures of both."""

from enum import StrEnum

import polars as pl

CHANGE = "change"
RESTATEMENT = "is_restatement"
METHOD_CHANGED = "method_changed"
FORMER = "former_status_nl"
_BEFORE = "_before"
_RETOLD, _STANDS = "value_retold", "past_stands"
_COMPARED = (
    "ref_date",
    "value",
    "required_value",
    "target_value",
    "definition_version",
    "method_version",
    "dq_verdict",
    "status",
    "last_status",
    "as_of_date",
    "recent_pace_per_year",
    "history_hash",
    "is_disputed",
)
_SCORES = ("on_track", "at_risk", "behind")
_FIRST_METHOD = 1
_BY_REGISTRY = ("cancelled", "contested")
_HELD = frozenset({"ref_date", "value", "history_hash"})


class Change(StrEnum):
    """The first that applies.

    A status that changes together with the version of the rules is their doing, whatever else came in that day.
    A status that changes through `CORRECTED` or `NEW_AND_CORRECTED` is a restatement of the past, not news of today.
    `PACE` is new data that moved a score and the pace with it. Only `TIME` rests on the day of the build: the
    judgement of the data stayed. What nothing else explains is the registry's doing, or that of the rules.
    """

    FIRST = "first"
    DEFINITION = "changed definition"
    METHOD = "changed method"
    NEW_AND_CORRECTED = "new and corrected data"
    NEW = "new data"
    CORRECTED = "corrected data"
    QUALITY = "other data quality"
    PACE = "changed pace"
    TIME = "time passed"
    NONE = "same"


def with_change(before: pl.DataFrame, after: pl.DataFrame, history: pl.DataFrame | None = None) -> pl.DataFrame:
    """Adds to verdict rows why each differs from the row of its target in `before`.

    That is `change`; `is_restatement`, whether a value back in time changed the status; `method_changed`, whether
    another method or definition did, which is no news of the city; and `former_status_nl`.

    Args:
        before: verdict rows, at most one per target; may be empty and may lack columns.
        after: verdict rows, one per target.
        history: rows of `fct_target_status_history` of the build of `after`: what it holds of the time before.
            Without them a correction is seen only where both rows speak of one day.
    """
    before = _with_what_was_not_said(before, after)
    given = frozenset(name for name in _COMPARED if name in before.columns and name in after.columns)
    former = pl.col("status_nl") if "status_nl" in before.columns else pl.lit(None, pl.String)
    compared = (pl.col(name).alias(name + _BEFORE) for name in _COMPARED if name in given)
    then = before.select("target_id", *compared, former.alias(FORMER), pl.lit(value=True).alias("was_said"))
    joined = after.join(then, on="target_id", how="left", maintain_order="left")
    retold = pl.lit(value=False)
    if given >= _HELD:
        joined = _with_retold(joined, after if history is None else history)
        retold = _is_retold(is_whole=history is not None)
    explained = joined.with_columns(_explained(given, retold).alias(CHANGE))
    marked = explained.with_columns(
        _changes_status(given, Change.CORRECTED, Change.NEW_AND_CORRECTED).alias(RESTATEMENT),
        _changes_status(given, Change.DEFINITION, Change.METHOD).alias(METHOD_CHANGED),
    )
    return marked.select(*after.columns, CHANGE, RESTATEMENT, METHOD_CHANGED, FORMER)


def _with_what_was_not_said(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """What was said before there were versions was said by the first, and before there were readings by one."""
    for name, value in (("method_version", _FIRST_METHOD), ("is_disputed", False)):
        if name in after.columns:
            known = pl.col(name) if name in before.columns else pl.lit(None)
            before = before.with_columns(known.fill_null(value).alias(name))
    return before


def _with_retold(joined: pl.DataFrame, history: pl.DataFrame) -> pl.DataFrame:
    """Adds whether the past that each target was judged on stands in `history`, and the value it has for that day."""
    hashes = history.select("target_id", pl.col("history_hash").alias("history_hash" + _BEFORE)).unique()
    values = history.select("target_id", pl.col("ref_date").alias("ref_date" + _BEFORE), pl.col("value").alias(_RETOLD))
    stands = hashes.with_columns(pl.lit(value=True).alias(_STANDS))
    found = joined.join(stands, on=["target_id", "history_hash" + _BEFORE], how="left", maintain_order="left")
    return found.join(values, on=["target_id", "ref_date" + _BEFORE], how="left", maintain_order="left")


def _is_retold(*, is_whole: bool) -> pl.Expr:
    """Whether the values that the verdict of then rested on are told otherwise now.

    On another day only a past that no longer begins as it did is another one: months are added to it all the time.
    """
    same_day = pl.col("ref_date") == pl.col("ref_date" + _BEFORE)
    known = pl.col("history_hash" + _BEFORE)
    others = pl.when(same_day).then(known != pl.col("history_hash")).otherwise(pl.col(_STANDS).is_null() & is_whole)
    its_own = pl.col(_RETOLD) != pl.col("value" + _BEFORE)
    return (known.is_not_null() & others.fill_null(value=False)) | its_own.fill_null(value=False)


def _explained(given: frozenset[str], retold: pl.Expr) -> pl.Expr:
    """The first explanation that holds."""

    def differs(name: str) -> pl.Expr:
        return pl.col(name).ne_missing(pl.col(name + _BEFORE)) if name in given else pl.lit(value=False)

    later = (pl.col("ref_date") > pl.col("ref_date_before")) if "ref_date" in given else pl.lit(value=False)
    spoke_first = pl.col("ref_date_before").is_null() if "ref_date" in given else pl.lit(value=False)
    other_pace = differs("status") & differs("recent_pace_per_year")
    time_passed = differs("as_of_date") & ~differs("last_status") & ~_either(given, _BY_REGISTRY)
    reasons = (
        (pl.col("was_said").is_null(), Change.FIRST),
        (differs("definition_version"), Change.DEFINITION),
        (differs("method_version") & differs("status"), Change.METHOD),
        (later & retold, Change.NEW_AND_CORRECTED),
        (later & other_pace & _both(given, _SCORES), Change.PACE),
        (later | (spoke_first & differs("ref_date")), Change.NEW),
        (differs("ref_date") | differs("value") | retold, Change.CORRECTED),
        (differs("dq_verdict"), Change.QUALITY),
        (differs("target_value") | differs("required_value"), Change.DEFINITION),
        (other_pace, Change.PACE),
        (differs("status") & time_passed, Change.TIME),
        (differs("status") | differs("is_disputed"), Change.DEFINITION),
    )
    return pl.coalesce(*(pl.when(holds).then(pl.lit(why.value)) for holds, why in reasons), pl.lit(Change.NONE.value))


def _both(given: frozenset[str], statuses: tuple[str, ...]) -> pl.Expr:
    return _among(given, "status", statuses) & _among(given, "status" + _BEFORE, statuses)


def _either(given: frozenset[str], statuses: tuple[str, ...]) -> pl.Expr:
    return _among(given, "status", statuses) | _among(given, "status" + _BEFORE, statuses)


def _among(given: frozenset[str], column: str, statuses: tuple[str, ...]) -> pl.Expr:
    return pl.col(column).is_in(statuses).fill_null(value=False) if "status" in given else pl.lit(value=False)


def _changes_status(given: frozenset[str], *why: Change) -> pl.Expr:
    """Whether one of these is what changed the status."""
    if "status" not in given:
        return pl.lit(value=False)
    is_why = pl.col(CHANGE).is_in([each.value for each in why])
    return is_why & pl.col("status").ne_missing(pl.col("status" + _BEFORE))
