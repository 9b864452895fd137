"""Builds that were shown and are shown no more, each with who reads what instead, and why.

A withdrawal lies beside the decisions, and while one stands publishing is held: builds go on, and readers keep what
they were put back to until a person releases it.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from warehouse.durable import make_synced, replace_synced

_PREFIX = "withdrawn="
_STAMP = "%Y%m%dT%H%M%S%fZ"
# the order of these texts is that of the moments
_MOMENT = "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A build that readers were taken away from.

    Attributes:
        shown: the build that they were put back to.
        released_at: when publishing went on; None while it is held.
    """

    build_id: str
    shown: str
    reason: str
    withdrawn_at: str
    released_at: str | None = None

    @property
    def told(self) -> str:
        """What happened, in a sentence."""
        return (
            f"build {self.build_id} was withdrawn on {self.withdrawn_at[:16]} UTC: {self.reason}. Readers see "
            f"{self.shown} until `ademruimte publish --release`"
        )


def withdrawal_files(decisions: Path) -> list[Path]:
    """The files of what was withdrawn, oldest first."""
    return sorted(decisions.glob(f"{_PREFIX}*.json"))


def withdraw(decisions: Path, build_id: str, shown: str, reason: str, now: datetime) -> Withdrawal:
    """Notes that a build is withdrawn; from here on publishing is held."""
    at = now.astimezone(UTC)
    withdrawal = Withdrawal(build_id, shown, reason, at.strftime(_MOMENT))
    make_synced(decisions)
    _write(decisions / f"{_PREFIX}{at.strftime(_STAMP)}-{build_id}.json", withdrawal)
    return withdrawal


def standing(decisions: Path, at: datetime | None = None) -> Withdrawal | None:
    """The newest withdrawal that nobody had released by a moment, by now where none is named.

    While there is one, no other build is shown.
    """
    held = [each for _, each in _read(decisions) if _stands(each, at)]
    return held[-1] if held else None


def release(decisions: Path, now: datetime) -> list[Withdrawal]:
    """Lets publishing go on.

    Returns:
        What was held until now.
    """
    released = []
    for path, withdrawal in _read(decisions):
        if withdrawal.released_at is None:
            _write(path, replace(withdrawal, released_at=now.astimezone(UTC).strftime(_MOMENT)))
            released.append(withdrawal)
    return released


def _stands(withdrawal: Withdrawal, at: datetime | None) -> bool:
    if at is None:
        return withdrawal.released_at is None
    moment = at.astimezone(UTC).strftime(_MOMENT)
    return withdrawal.withdrawn_at <= moment and (withdrawal.released_at is None or withdrawal.released_at > moment)


def _read(decisions: Path) -> Iterator[tuple[Path, Withdrawal]]:
    for path in withdrawal_files(decisions):
        yield path, Withdrawal(**json.loads(path.read_bytes()))


def _write(path: Path, withdrawal: Withdrawal) -> None:
    replace_synced(path, json.dumps(asdict(withdrawal), indent=1, ensure_ascii=False).encode())
