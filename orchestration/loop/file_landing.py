"""Land a dropped file: known by its content, remembered where it is refused, taken away once it is committed."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

from contracts.faults import SchemaFaultError
from contracts.vocabulary import Delivers
from ingestion.delivery import DroppedFile
from ingestion.errors import SupplierError, TransientSupplierError
from ingestion.source import source_named
from orchestration.loop.dropped import (
    RULES_OF_THIS_PROCESS,
    digest_of,
    opening,
    read_whole,
    refused_before,
    shown_name,
    stamp_of,
    take,
)
from orchestration.loop.earlier import lines_closed_by
from orchestration.loop.landed import Landed, Landing, Outcome, counts_in_words
from orchestration.loop.passage import NOT_ITS_FAULT, commit
from orchestration.loop.replay import replayed
from orchestration.loop.revision import revise
from warehouse.batch import LakeError, Manifest
from warehouse.state import Refusal


def land_file(landing: Landing, file: DroppedFile, refusals: Iterable[Refusal]) -> Landed:
    """Lands a file that lies complete in its drop folder.

    Args:
        landing: of its source.
        file: where it lies, and since when.
        refusals: those of its source that stand while nothing changed.
    """
    name, stamp = shown_name(file.path), ""
    try:
        with opening(file.path):
            stands = refused_before(landing.state, refusals, file, RULES_OF_THIS_PROCESS)
            if stands is not None:
                return landing.tell(name, Outcome.STANDS, stands.reason)
            stamp = stamp_of(file.path)
            file = replace(file, content=read_whole(file.path, landing.contract))
        return _Read(landing, file, _digest(file)).land()
    # what may work later, as when a register it needs has landed, is asked again
    except TransientSupplierError as fault:
        return landing.refuse(name, _named(file, fault))
    except (SupplierError, SchemaFaultError) as fault:
        refused = landing.refuse(name, _named(file, fault))
        _keep_refusal(landing, file, stamp, refused.message)
        return refused


def _named(file: DroppedFile, fault: Exception) -> str:
    """The message of a fault, with the file it lies in."""
    name = shown_name(file.path)
    said = str(fault).replace(file.path.name, name)
    return said if name in said else f"{name}: {said}"


def _keep_refusal(landing: Landing, file: DroppedFile, stamp: str, reason: str) -> None:
    """Remembers what is wrong with a file, so that it is not tried again until something changed."""
    name, rules = shown_name(file.path), RULES_OF_THIS_PROCESS
    landing.state.refuse(Refusal(landing.contract.name, name, _digest(file), stamp, rules, reason, landing.now))


def _digest(file: DroppedFile) -> str:
    return digest_of(file.path) if file.content is None else hashlib.sha256(file.content).hexdigest()


@dataclass(frozen=True, slots=True)
class _Read:
    """A file whose bytes were read, and where it lands."""

    landing: Landing
    file: DroppedFile
    sha256: str

    def land(self) -> Landed:
        landing, name = self.landing, shown_name(self.file.path)
        known = self._known()
        manifest = self._committed(known)
        follows = self._follow_up(manifest)
        if manifest.is_refused:
            return landing.refuse_whole(name, manifest, follows)
        if manifest is known:
            return landing.tell(name, Outcome.KNOWN, f"already landed as {manifest.batch_id}{follows}", manifest)
        told = counts_in_words(manifest) + self._closing(manifest) + follows
        return landing.tell(name, Outcome.LANDED, told, manifest)

    def _identity(self, name: str) -> str:
        """By what a file is recognised: its bytes, and what its name says where the name is content too."""
        said = source_named(self.landing.contract.name).said_by_name(name)
        return self.sha256 if said is None else hashlib.sha256(f"{self.sha256} {said}".encode()).hexdigest()

    def _known(self) -> Manifest | None:
        """The batch that holds the file already, unless it puts back what another file replaced meanwhile."""
        lake, contract, identity = self.landing.lake, self.landing.contract, self._identity(self.file.path.name)
        known = lake.find(contract.name, identity)
        # a batch from before names were part of it bears the hash of its bytes alone
        before = None if known else lake.find(contract.name, self.sha256)
        if before is not None and self._identity(before.origin) == identity:
            known = before
        if known is None or any(table.delivers is Delivers.CHANGES for table in contract.tables):
            return known
        last = max((each.supplied_at for each in lake.counting(contract.name)), default=known.supplied_at)
        return known if known.supplied_at == last or self.file.supplied_at <= last else None

    def _committed(self, known: Manifest | None) -> Manifest:
        """The batch that holds the file: the known one, unless today's rules say something else of it.

        What the door withheld was kept nowhere, so only the file itself can bring it; what was kept is replayed.
        """
        landing, passage = self.landing, self.landing.passage()
        if known is None or (known.withheld and known.original is None):
            entered = passage.enter(passage.read(self.file), is_dropped=True)
            if known is None or not entered.is_held_in(landing.lake, known):
                identity = self._identity(self.file.path.name)
                manifest = commit(passage.judge(entered), landing.lake, landing.now, identity, known)
                if not manifest.is_refused:
                    landing.remember(entered.delivery, manifest)
                return manifest
        return replayed(landing.settings, landing.contract, known.batch_id, landing.now) or known

    def _follow_up(self, manifest: Manifest) -> str:
        """What follows a commit; where it fails, or after a crash, the next landing of the same file does it.

        Returns:
            What to say of what it forbids to keep, or of a file that was left behind.
        """
        landing = self.landing
        try:
            forbidden = revise(landing.settings, landing.contract, landing.now)
            if not manifest.is_refused:
                landing.note_asked(manifest.complete_until, manifest)
            take(self.file, self.sha256)
        except (SupplierError, SchemaFaultError, *NOT_ITS_FAULT) as broken:
            # whose words these are is not known: they may quote a path
            return f"; its file stays until the next landing ({type(broken).__name__})"
        return forbidden

    def _closing(self, manifest: Manifest) -> str:
        landing = self.landing
        try:
            closed = lines_closed_by(landing.lake, landing.contract, landing.settings.city, manifest)
        # the batch is committed, whatever an older one holds
        except LakeError as torn:
            return f"; what it closes is not known: {torn}"
        return f"; closes {closed} refused earlier" if closed else ""
