"""What became of a delivery at its landing, and what every landing of a source needs."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from contracts.vocabulary import SourceContract
from ingestion.delivery import Delivery
from ingestion.door import without_identifiers_in
from orchestration.loop.context import context_of
from orchestration.loop.dropped import shown
from orchestration.loop.passage import Passage
from orchestration.settings import Settings
from warehouse.batch import Manifest
from warehouse.lake import Lake
from warehouse.state import State

_MOST_REASONS = 5


class Outcome(StrEnum):
    """What became of one delivery."""

    LANDED = "landed"
    KNOWN = "already landed"
    UNCHANGED = "nothing new"
    REFUSED = "refused"
    STANDS = "stands refused"


@dataclass(frozen=True, slots=True)
class Landed:
    """The outcome of one delivery.

    Attributes:
        message: what became of it, its warnings included.
        manifest: the batch that holds it, where there is one.
        warnings: what somebody should know although everything came.
    """

    source: str
    origin: str
    outcome: Outcome
    message: str
    manifest: Manifest | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Landing:
    """One landing of a source, of however many deliveries.

    Attributes:
        clock: our own time, which went on since it began.
        is_asked: whether a person asks, who wants to see every file tried.
    """

    settings: Settings
    contract: SourceContract
    now: datetime
    lake: Lake
    state: State
    clock: Callable[[], datetime | None]
    is_asked: bool

    def passage(self) -> Passage:
        """What the next delivery passes; the source remembers the last one that was committed."""
        context = context_of(self.settings, self.lake, self._memory())
        return Passage(self.contract, replace(context, now=self.clock), self.settings.pseudonym_keys)

    def _memory(self) -> dict[str, object]:
        """What the source remembers; nothing where the lake does not hold what it counts on, as after a restore."""
        content, batch_id = self.state.memory(self.contract.name)
        return content if batch_id is None or self.lake.counts(self.contract.name, batch_id) else {}

    def remember(self, delivery: Delivery, batch: Manifest | None) -> None:
        """Only after the commit: a pull that died in between is asked for again in full."""
        if delivery.memory is not None:
            # what a source module remembers has not been through the door
            content = {name: without_identifiers_in(value) for name, value in delivery.memory.items()}
            self.state.remember(self.contract.name, content, batch.batch_id if batch else None)

    def note_asked(self, complete_until: datetime | None, batch: Manifest | None) -> None:
        """That the source was heard, and up to where it speaks with what this batch holds."""
        self.state.asked(self.contract.name, complete_until, self.now, batch.batch_id if batch else None)

    def tell(self, origin: str, outcome: Outcome, message: str, manifest: Manifest | None = None) -> Landed:
        """The outcome of a delivery, in words that any terminal and database takes."""
        return Landed(self.contract.name, origin, outcome, message, manifest)

    def refuse(self, origin: str, why: str) -> Landed:
        """A delivery of which nothing was landed."""
        return self.tell(origin, Outcome.REFUSED, shown(f"{self.contract.name}: {why}"))

    def refuse_whole(self, origin: str, manifest: Manifest, follows: str = "") -> Landed:
        """A delivery of which no row was accepted: kept to give back and to replay, but nothing of it counts."""
        why = "; ".join(filter(None, (reasons_in_words(self.lake, manifest, table) for table in manifest.tables)))
        reason = (
            f"{self.contract.name}: {origin}: every row was refused ({counts_in_words(manifest)}): {why}. They wait "
            f"with their reasons in batch {manifest.batch_id}: have it delivered again, or `ademruimte replay` the "
            f"batch once the contract is right{follows}"
        )
        return self.tell(origin, Outcome.REFUSED, reason, manifest)


def reasons_in_words(lake: Lake, manifest: Manifest, table: str) -> str:
    """Why rows of a table were refused, and how many times, most often first."""
    if not manifest.tables[table].quarantined:
        return ""
    reasons = lake.read(manifest, table, "quarantine")["reasons"].explode()
    counted = reasons.value_counts(sort=True, name="rows").head(_MOST_REASONS)
    return "; ".join(f"{reason} × {times}" for reason, times in counted.iter_rows())


def counts_in_words(manifest: Manifest) -> str:
    """One line: what was received and what became of it."""
    tables = manifest.tables.values()
    received, accepted, quarantined, duplicate, superseded = (
        sum(getattr(table, name) for table in tables)
        for name in ("received", "accepted", "quarantined", "duplicate", "superseded")
    )
    withheld = sum(manifest.withheld.values())
    known = sum(table.recognised for table in tables)
    clamped, noted = (sum(getattr(table, name) for table in tables) for name in ("clamped", "noted"))
    return (
        f"{received} rows received: {accepted} accepted"
        + (f" ({accepted - known} new, {known} recognised)" if known else "")
        + f", {quarantined} refused, {duplicate} duplicate, {superseded} superseded"
        + (f"; {withheld} not let in" if withheld else "")
        + (f"; {clamped} moments past the delivery taken back to it" if clamped else "")
        + (f"; {noted} values outside their limits replaced" if noted else "")
    )
