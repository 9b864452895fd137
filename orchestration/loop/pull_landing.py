"""Land what a supplier answers: nothing where it brings what it brought before, and apart what it could not give."""

from dataclasses import replace

from contracts.faults import SchemaFaultError
from ingestion.delivery import Delivery
from ingestion.errors import SupplierError
from orchestration.loop.landed import Landed, Landing, Outcome, counts_in_words
from orchestration.loop.passage import Passage, commit
from orchestration.settings import SettingInvalidError, SettingMissingError


def land_pull(landing: Landing) -> list[Landed]:
    """Asks the supplier of a source, and lands the answer.

    Returns:
        What came of it, then every part of the supplier that failed while the rest came.
    """
    passage = landing.passage()
    try:
        delivery = passage.fetch(landing.settings.endpoint(landing.contract.name))
        landed = _land_when_new(landing, passage, delivery)
    except (SupplierError, SchemaFaultError, SettingMissingError, SettingInvalidError) as fault:
        return [landing.refuse(landing.contract.name, str(fault))]
    message = "; ".join((landed.message, *delivery.warnings))
    missed = [_tell_missed(landing, delivery, part, why) for part, why in delivery.faults.items()]
    return [replace(landed, message=message, warnings=delivery.warnings), *missed]


def _tell_missed(landing: Landing, delivery: Delivery, part: str, why: str) -> Landed:
    reason = f"{part} not read: {why}; the rest was landed, the next run asks {part} again"
    return landing.refuse(f"{delivery.origin} ({part})", reason)


def _land_when_new(landing: Landing, passage: Passage, sent: Delivery) -> Landed:
    """A pull that brings what the last one brought writes no batch; it only moves `complete_until`."""
    lake, entered = landing.lake, passage.enter(sent)
    delivery, sha256, last = entered.delivery, entered.content_sha256, lake.latest(landing.contract.name)
    if last is not None and last.is_refused and entered.is_held_in(lake, last):
        return landing.refuse_whole(delivery.origin, last)
    if entered.brings_nothing or (last is not None and last.content_sha256 == sha256):
        landing.remember(delivery, last)
        landing.note_asked(delivery.complete_until, last)
        message = f"nothing new since {last.batch_id}" if last else "nothing yet"
        return landing.tell(delivery.origin, Outcome.UNCHANGED, message, last)
    manifest = commit(passage.judge(entered), lake, landing.now, sha256)
    if manifest.is_refused:
        # the next pull asks for it again: a supplier may set right what was wrong with it
        return landing.refuse_whole(delivery.origin, manifest)
    landing.remember(delivery, manifest)
    landing.note_asked(manifest.complete_until, manifest)
    return landing.tell(delivery.origin, Outcome.LANDED, counts_in_words(manifest), manifest)
