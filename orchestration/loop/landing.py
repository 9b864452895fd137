"""Land one source: pull, door, gate, commit. No warehouse is opened here, and no other source is touched."""

import hashlib
import logging
import sqlite3
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from pathlib import Path

import polars as pl

from contracts.faults import SchemaFaultError
from contracts.vocabulary import Delivers, Sensitivity, SourceContract
from ingestion.clocks import not_past
from ingestion.delivery import Context, Delivery, DroppedFile
from ingestion.door import Admitted, KeyMissingError, admit, without_identifiers, without_identifiers_in
from ingestion.errors import SupplierError, TransientSupplierError
from orchestration.loop.dropped import (
    LARGEST_FILE,
    RULES_OF_THIS_PROCESS,
    digest_of,
    forget_what_is_gone,
    refused_before,
    shown,
    shown_name,
    stamp_of,
    take,
    waiting_files,
    why_unread,
)
from orchestration.loop.earlier import lines_closed_by, recognised, with_known_at
from orchestration.loop.passage import (
    complete_until,
    content_sha256,
    context_of,
    is_refused_whole,
    one_at_a_time,
    run_gate,
    source_module,
)
from orchestration.loop.replay import replayed
from orchestration.loop.revision import revise
from orchestration.settings import SettingMissingError, Settings
from warehouse.lake import Arrival, Lake, LakeError, Manifest
from warehouse.state import Refusal, RefusedPull, State

_log = logging.getLogger("ademruimte.landing")
_LONGEST_WHY = 300
_CLOCKS_DIFFER = timedelta(days=1)
_MOST_READ = 10_000
# the disk, the memory, the lake, the state or the ring of keys is at fault, and may be well again at the next try
_NOT_OF_THE_FILE = (OSError, MemoryError, LakeError, sqlite3.Error, KeyMissingError)


class _TrippedError(Exception):
    """A reader, the door or the gate tripped over something that nobody foresaw: `over`."""

    def __init__(self, over: Exception) -> None:
        super().__init__()
        self.over = over


@contextmanager
def _of_the_file() -> Iterator[None]:
    """What breaks in here is the file's own fault: what trips over it today, trips over it tomorrow."""
    try:
        yield
    except (SupplierError, SchemaFaultError, *_NOT_OF_THE_FILE):
        raise
    except Exception as broken:
        raise _TrippedError(broken) from broken


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


def land(settings: Settings, contract: SourceContract, now: datetime, *, is_asked: bool = True) -> list[Landed]:
    """Lands everything a source has to offer now.

    A refused delivery never stops another: its reason is in its own result.

    Args:
        settings: of the profile.
        contract: of the source.
        now: when this is.
        is_asked: whether a person asks, who wants to see every file tried; else a file that was refused stands
            refused until it, its manifest, the contract or the code changed.
    """
    settings.layout.create()
    with one_at_a_time(settings, contract.name), State(settings.layout.state) as state:
        lake = Lake(settings.layout.lake)
        lake.sweep()
        landing = _Landing(settings, contract, now, lake, state, is_asked)
        return [*landing.files(), *landing.pull()]


@dataclass(frozen=True, slots=True)
class _Landing:
    settings: Settings
    contract: SourceContract
    now: datetime
    lake: Lake
    state: State
    is_asked: bool
    began: float = field(default_factory=time.monotonic)

    def files(self) -> Iterator[Landed]:
        # a person who asks wants to see every file tried
        refusals = [] if self.is_asked else self.state.refusals(self.contract.name)
        for file in waiting_files(self.settings, self.contract, self.now):
            yield _told(self._bounded(shown_name(file.path), partial(self._file, file, refusals)))
        # what landed has landed, whatever becomes of the notes on what did not
        with suppress(OSError, sqlite3.Error):
            forget_what_is_gone(self.state, self.settings, self.contract)

    def pull(self) -> Iterator[Landed]:
        if not self.contract.crons or (self.contract.endings and not self.settings.is_pulled(self.contract.name)):
            return
        missed: list[Landed] = []
        pulled = [self._bounded(self.contract.name, partial(self._pulled, missed)), *missed]
        # what landed has landed, whatever becomes of the notes on what did not
        with suppress(OSError, sqlite3.Error):
            refused = [each for each in pulled if each.outcome is Outcome.REFUSED]
            self.state.note_pull(self.contract.name, (self._as_noted(each) for each in refused))
        yield from map(_told, pulled)

    def _as_noted(self, refused: Landed) -> RefusedPull:
        return RefusedPull(refused.source, refused.origin, shown(refused.message), self.now)

    def _bounded(self, origin: str, deliver: Callable[[], Landed]) -> Landed:
        """The boundary of one delivery: whatever breaks in it, the next delivery and source still land."""
        try:
            return deliver()
        except _TrippedError as tripped:
            return self._result(origin, Outcome.REFUSED, self._unforeseen(origin, tripped.over))
        # the one place where anything at all may break: a stranger's file or answer
        except Exception as broken:  # noqa: BLE001
            _log.debug("%s", origin)
            return self._result(origin, Outcome.REFUSED, self._unforeseen(origin, broken))

    def _unforeseen(self, origin: str, broken: Exception) -> str:
        return shown(f"{self.contract.name}: {origin}: {_why(broken, self.contract)}; nothing of it was landed")

    def _file(self, file: DroppedFile, refusals: list[Refusal]) -> Landed:
        name = shown_name(file.path)
        try:
            stands = refused_before(self.state, refusals, file, RULES_OF_THIS_PROCESS)
            if stands is not None:
                return self._result(name, Outcome.STANDS, stands.reason)
            stamp = stamp_of(file.path)
            unread = why_unread(file.path, self.contract.endings)
            if unread is not None:
                return self._refused(name, digest_of(file.path), stamp, f"{self.contract.name}: {name} {unread}")
            size = file.path.stat().st_size
            content = None if size > LARGEST_FILE else file.path.read_bytes()
        except OSError as broken:
            reason = f"{self.contract.name}: {name} cannot be opened ({broken.strerror}); drop it again"
            return self._result(name, Outcome.REFUSED, reason)
        if content is None:
            reason = f"{self.contract.name}: {name} is {size // 2**20} MB, over 200; drop it in parts"
            return self._refused(name, digest_of(file.path), stamp, reason)
        return self._content(replace(file, content=content), hashlib.sha256(content).hexdigest(), stamp)

    def _content(self, file: DroppedFile, sha256: str, stamp: str) -> Landed:
        name, identity = shown_name(file.path), self._identity(file.path.name, sha256)
        known = self._known(file, sha256, identity)
        try:
            manifest = self._landed(file, identity, known)
        except (SupplierError, SchemaFaultError) as fault:
            reason = f"{self.contract.name}: {_naming(name, str(fault).replace(file.path.name, name))}"
            # what may work later, as when a register it needs has landed, is asked again
            if isinstance(fault, TransientSupplierError):
                return self._result(name, Outcome.REFUSED, reason)
            return self._refused(name, sha256, stamp, reason)
        except _TrippedError as tripped:
            return self._refused(name, sha256, stamp, self._unforeseen(name, tripped.over))
        follows = self._done(file, sha256, manifest)
        if manifest.is_refused:
            return self._refused_whole(name, manifest, follows)
        if manifest is known:
            return self._result(name, Outcome.KNOWN, f"already landed as {manifest.batch_id}{follows}", manifest)
        told = counts_in_words(manifest) + self._closing(manifest) + follows
        return self._result(name, Outcome.LANDED, told, manifest)

    def _identity(self, name: str, sha256: str) -> str:
        """By what a file is recognised: its bytes, and what its name says where the name is content too."""
        says = getattr(source_module(self.contract.name), "said_by_name", None)
        return sha256 if says is None else hashlib.sha256(f"{sha256} {says(name)}".encode()).hexdigest()

    def _known(self, file: DroppedFile, sha256: str, identity: str) -> Manifest | None:
        """The batch that holds the file already, unless it puts back what another file replaced meanwhile."""
        known = self.lake.find(self.contract.name, identity)
        # a batch from before names were part of it bears the hash of its bytes alone
        before = None if known else self.lake.find(self.contract.name, sha256)
        if before is not None and self._identity(before.origin, sha256) == identity:
            known = before
        if known is None or any(table.delivers is Delivers.CHANGES for table in self.contract.tables):
            return known
        last = max((each.supplied_at for each in self.lake.counting(self.contract.name)), default=known.supplied_at)
        return known if known.supplied_at == last or file.supplied_at <= last else None

    def _refused(self, name: str, sha256: str, stamp: str, reason: str) -> Landed:
        """Remembers what is wrong with a file, so that it is not tried again until something changed."""
        refusal = Refusal(self.contract.name, name, sha256, stamp, RULES_OF_THIS_PROCESS, shown(reason), self.now)
        self.state.refuse(refusal)
        return self._result(name, Outcome.REFUSED, shown(reason))

    def _refused_whole(self, origin: str, manifest: Manifest, follows: str = "") -> Landed:
        """A delivery of which no row was accepted: kept to give back and to replay, but nothing of it counts."""
        reason = (
            f"{self.contract.name}: {origin}: every row was refused ({counts_in_words(manifest)}); they wait with "
            f"their reasons in batch {manifest.batch_id}: have it delivered again, or `ademruimte replay` the batch "
            f"once the contract is right{follows}"
        )
        return self._result(origin, Outcome.REFUSED, reason, manifest)

    def _landed(self, file: DroppedFile, sha256: str, known: Manifest | None) -> Manifest:
        """The batch that holds the file: the known one, unless today's rules say something else of it.

        What the door withheld was kept nowhere, so only the file itself can bring it; what was kept is replayed.
        """
        if known is None or (known.withheld and known.original is None):
            name = shown_name(file.path)
            with _of_the_file():
                delivery = replace(source_module(self.contract.name).read(file, self._context()), origin=name)
                admitted = self._admit(delivery, is_dropped=True)
            if known is None or not self._holds(known, admitted):
                manifest = self._commit(delivery, admitted, sha256, known)
                if not manifest.is_refused:
                    self._remember(delivery)
                return manifest
        return replayed(self.settings, self.contract, known.batch_id, self.now) or known

    def _holds(self, known: Manifest, admitted: Admitted) -> bool:
        """Whether a batch holds what a supplier sent now, whatever we noted of its delivery."""
        theirs = {table.name: admitted.tables[table.name] for table in self.contract.tables if not table.is_ours}
        return all(
            rows.is_empty() if name not in known.tables else self.lake.read(known, name, "received").equals(rows)
            for name, rows in theirs.items()
        )

    def _closing(self, manifest: Manifest) -> str:
        try:
            closed = lines_closed_by(self.lake, self.contract, self.settings.city, manifest)
        # the batch is committed, whatever an older one holds
        except LakeError as torn:
            return f"; what it closes is not known: {torn}"
        return f"; closes {closed} refused earlier" if closed else ""

    def _done(self, file: DroppedFile, sha256: str, manifest: Manifest) -> str:
        """What follows a commit; where it fails, or after a crash, the next landing of the same file does it.

        Returns:
            What to say of what it forbids to keep, or of a file that was left behind.
        """
        try:
            forbidden = revise(self.settings, self.contract, self.now)
            if not manifest.is_refused:
                self.state.asked(self.contract.name, manifest.complete_until, self.now)
            take(file, sha256)
        except (SupplierError, SchemaFaultError, *_NOT_OF_THE_FILE) as broken:
            # whose words these are is not known: they may quote a path
            return f"; its file stays until the next landing ({type(broken).__name__})"
        return forbidden

    def _pulled(self, missed: list[Landed]) -> Landed:
        """What came of a pull; every part of the supplier that failed while the rest came is added to `missed`."""
        origin = self.contract.name
        try:
            delivery = source_module(self.contract.name).fetch(
                self.settings.endpoint(self.contract.name), self._context()
            )
            landed = self._commit_when_new(delivery)
            missed += [self._missed(delivery, part, why) for part, why in delivery.faults.items()]
            message = "; ".join((landed.message, *delivery.warnings))
            return replace(landed, message=message, warnings=delivery.warnings)
        except (SupplierError, SchemaFaultError, SettingMissingError) as fault:
            return self._result(origin, Outcome.REFUSED, f"{self.contract.name}: {fault}")

    def _missed(self, delivery: Delivery, part: str, why: str) -> Landed:
        reason = f"{self.contract.name}: {part} not read: {why}; the rest was landed, the next run asks {part} again"
        return self._result(f"{delivery.origin} ({part})", Outcome.REFUSED, reason)

    def _commit_when_new(self, delivery: Delivery) -> Landed:
        """A pull that brings what the last one brought writes no batch; it only moves `complete_until`."""
        admitted = self._admit(delivery)
        # a clock that is set right would make later deliveries seem older than this one
        supplied_at = not_past(delivery.supplied_at, self._clock())
        spoken = delivery.complete_until and not_past(delivery.complete_until, supplied_at)
        delivery = replace(delivery, supplied_at=supplied_at, complete_until=spoken)
        sha256 = content_sha256(admitted.tables)
        last = self.lake.latest(self.contract.name)
        if last is not None and last.is_refused and self._holds(last, admitted):
            return self._refused_whole(delivery.origin, last)
        if _brings_nothing(admitted.tables, self.contract) or (last is not None and last.content_sha256 == sha256):
            self._remember(delivery)
            self.state.asked(self.contract.name, delivery.complete_until, self.now)
            message = f"nothing new since {last.batch_id}" if last else "nothing yet"
            return self._result(delivery.origin, Outcome.UNCHANGED, message, last)
        manifest = self._commit(delivery, admitted, sha256)
        if manifest.is_refused:
            # the next pull asks for it again: a supplier may set right what was wrong with it
            return self._refused_whole(delivery.origin, manifest)
        self._remember(delivery)
        self.state.asked(self.contract.name, manifest.complete_until, self.now)
        return self._result(delivery.origin, Outcome.LANDED, counts_in_words(manifest), manifest)

    def _context(self) -> Context:
        context = context_of(self.settings, self.lake, self.state.memory(self.contract.name))
        return replace(context, now=self._clock)

    def _clock(self) -> datetime | None:
        """Our own time, which went on since the landing began; None where it stands still."""
        if self.settings.fixed_as_of is not None:
            return None
        return self.now + timedelta(seconds=time.monotonic() - self.began)

    def _remember(self, delivery: Delivery) -> None:
        """Only after the commit: a pull that died in between is asked for again in full."""
        if delivery.memory is not None:
            # what a source module remembers has not been through the door
            self.state.remember(self.contract.name, {n: without_identifiers_in(v) for n, v in delivery.memory.items()})

    def _admit(self, delivery: Delivery, *, is_dropped: bool = False) -> Admitted:
        self._require_a_clock(delivery)
        return admit(delivery, self.contract, self.settings.pseudonym_keys(), is_dropped=is_dropped)

    def _require_a_clock(self, delivery: Delivery) -> None:
        """A supplier's time far ahead would outdate every later delivery, and keep the source fresh until then."""
        # where time stands still, a clock that runs is no fault
        if self.settings.fixed_as_of is None and delivery.supplied_at > self.now + _CLOCKS_DIFFER:
            raise TransientSupplierError(
                "time_to_come", delivery.origin, moment=f"{delivery.supplied_at:%Y-%m-%d %H:%M}"
            )

    def _commit(
        self, delivery: Delivery, admitted: Admitted, sha256: str, replaced: Manifest | None = None
    ) -> Manifest:
        with _of_the_file():
            splits = run_gate(admitted.tables, self.contract, self.settings.city, delivery.supplied_at, delivery.titles)
        known = recognised(self.lake, self.contract, splits)
        if replaced:
            tables = self.contract.tables
            splits = {t.name: with_known_at(self.lake, t, splits[t.name], replaced, self.now) for t in tables}
        arrival = Arrival(
            source=self.contract.name,
            origin=delivery.origin,
            supplied_at=delivery.supplied_at,
            complete_until=complete_until(delivery.complete_until, splits, self.contract, delivery.supplied_at),
            content_sha256=sha256,
            contract_version=self.contract.version,
            key_id=admitted.key_id,
            received=admitted.tables,
            original=_original(delivery, self.contract),
            splits=splits,
            dropped_columns=admitted.dropped_columns,
            redactions=admitted.redactions,
            event_dates={table.name: table.event_date for table in self.contract.tables},
            withheld=delivery.withheld,
            supersedes=replaced.batch_id if replaced else None,
            recognised=known,
            is_full=delivery.is_full,
            # rows that counted and are refused now do say something: they count no more
            is_refused=(replaced is None or replaced.is_refused)
            and is_refused_whole(splits, self.contract, delivery.withheld),
        )
        return self.lake.commit(arrival, self.now)

    def _result(self, origin: str, outcome: Outcome, message: str, manifest: Manifest | None = None) -> Landed:
        return Landed(self.contract.name, origin, outcome, message, manifest)


def _brings_nothing(tables: Mapping[str, pl.DataFrame], contract: SourceContract) -> bool:
    """Whether a pull of changes brought none; an empty snapshot says that everything is gone."""
    changes = all(table.delivers is Delivers.CHANGES for table in contract.tables)
    return changes and all(frame.is_empty() for frame in tables.values())


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


def _told(landed: Landed) -> Landed:
    _log.info("%s %s: %s (%s)", landed.source, landed.origin, landed.outcome, landed.message)
    return landed


def _original(delivery: Delivery, contract: SourceContract) -> tuple[str, bytes] | None:
    """The supplier's own bytes are kept only where no person is in them."""
    if delivery.original is None or contract.sensitivity is Sensitivity.PERSONAL:
        return None
    return delivery.origin, delivery.original


def _why(broken: Exception, contract: SourceContract) -> str:
    """What broke, as far as it may be told: nobody knows what a stranger's exception quotes of a person."""
    if contract.sensitivity is Sensitivity.PERSONAL and not isinstance(broken, OSError | LakeError | KeyMissingError):
        *_, last = traceback.extract_tb(broken.__traceback__)
        return f"{type(broken).__name__} in {Path(last.filename).name} line {last.lineno}"
    # cut last: half an address is no longer known for one
    return without_identifiers(f"{type(broken).__name__}: {broken}"[:_MOST_READ])[:_LONGEST_WHY]


def _naming(name: str, fault: str) -> str:
    """The message of a fault, with the file it lies in."""
    return fault if name in fault else f"{name}: {fault}"
