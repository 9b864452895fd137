"""What is decided of every target for whoever it belongs to, also where that is silence: each leaves a row.

Belongs here: the words for why. Does not belong here: choosing what is told (`digest`), keeping it (`warehouse.state`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from orchestration.alerts.digest import Digest
from warehouse.state import Alert, Fate

TOLD, SILENT = "told", "silent"
REASONS: Mapping[str, str] = {
    "behind": "behind",
    "overdue": "its deadline has passed",
    "mentioned": "asks for attention, beside what is behind",
    "awaiting_figure": "its figure is asked",
    "rejudged": "judged otherwise by new rules",
    "already_told": "told in this period already",
    "not_made": "the message could not be made; it follows",
    "data_in_doubt": "the data is too old or not verified; the data team knows",
    "only_at_risk": "at risk; told along with something that is behind",
    "asked_elsewhere": "its figure is asked of the department that supplies it",
    "same_story": "another promise on the same figure is told",
    "disputed": "its judgement hangs on an open question",
    "no_owner": "no department is responsible",
    "nothing_wrong": "nothing to tell",
}
"""Why a target is told or not."""

_OF_A_STORY = ("behind", "overdue", "at_risk")
_SILENT = {
    "behind": "disputed",
    "overdue": "disputed",
    "stale": "data_in_doubt",
    "unverified": "data_in_doubt",
    "no_data": "data_in_doubt",
    "at_risk": "only_at_risk",
    "awaiting_figure": "asked_elsewhere",
}


@dataclass(frozen=True, slots=True)
class Found:
    """What a build has to tell on a day.

    Attributes:
        verdicts: rows of `fct_target_verdicts`.
        digests: everything there is to tell, told earlier or not.
        known: by department the key of the message of this period that is there already.
    """

    verdicts: pl.DataFrame
    digests: Sequence[Digest]
    known: Mapping[str, str]

    def decided(self, fresh: Mapping[str, str], build_id: str, at: datetime) -> Iterator[Alert]:
        """One row per target and reader.

        Args:
            fresh: by department the key of the message that is made now.
            build_id: the build.
            at: when it is decided.
        """
        said = {(digest.department_id, target): why for digest in self.digests for target, why in _told_in(digest)}
        verdicts = {row["target_id"]: row for row in self.verdicts.iter_rows(named=True)}
        owned = {(row["department_id"] or "", target) for target, row in verdicts.items()}
        for department, target in sorted({*said, *owned}):
            why, key, is_told = said.get((department, target)), None, False
            status = verdicts[target]["status"]
            if why is None:
                why = _silence(status, department, is_first=verdicts[target]["is_first_of_story"])
            elif department in fresh:
                key, is_told = fresh[department], True
            else:
                key = self.known.get(department)
                why = "already_told" if key else "not_made"
            outcome = TOLD if is_told else SILENT
            yield Alert(department, target, status, outcome, why, key, build_id, at, build_id, at)


def _told_in(digest: Digest) -> Iterator[tuple[str, str]]:
    for line in (*digest.told, *digest.awaited):
        yield line.target_id, line.status
    for line in digest.mentioned:
        yield line.target_id, "mentioned"
    for line in digest.rejudged:
        yield line.target_id, "rejudged"


def _silence(status: str, department: str, *, is_first: bool) -> str:
    if not department:
        return "no_owner"
    if status in _OF_A_STORY and not is_first:
        return "same_story"
    return _SILENT.get(status, "nothing_wrong")


def fate_of(alert: Alert, fates: Mapping[str, Fate]) -> str:
    """What was decided and what became of its message, in English."""
    if alert.outcome == SILENT:
        return f"silent, {REASONS[alert.reason]}"
    fate = fates.get(alert.message_key or "")
    if fate is None:
        return f"taken back with its build before it left, {REASONS[alert.reason]}"
    if fate.sent_at is not None:
        return f"sent on {fate.sent_at:%Y-%m-%d %H:%M} UTC, {REASONS[alert.reason]}"
    why = fate.last_error or "not tried yet"
    return f"{'given up' if fate.is_dead else 'waits'}, {REASONS[alert.reason]}: {why}"
