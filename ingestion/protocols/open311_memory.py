"""What the last pull of an Open311 server saw, so that the next one brings only what changed.

GeoReport filters on the moment of asking, so a late answer is found only by reading again: the requests of the
last 120 days, and every older one that was still open. Losing the memory costs one full pull and nothing else.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from ingestion.door import REDACTED
from ingestion.errors import PermanentSupplierError

WINDOW = timedelta(days=120)
UPDATES_OVERLAP = timedelta(days=2)
CHANGE_OVERLAP = timedelta(hours=1)
_REREAD_EVERY = timedelta(days=1)
_MOST_MISSING_SHARE = 0.1
_MOST_MISSING = 20
_MISSES_UNTIL_GONE = 2


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as it was last seen.

    Attributes:
        digest: of everything of it that passes the door.
        asked: when the citizen asked (ISO, UTC); empty when that could not be read.
        missed: in how many full readings in a row it was not there.
    """

    digest: str
    asked: str
    is_open: bool
    missed: int = 0

    def lies_before(self, start: datetime) -> bool:
        """Whether a window from `start` cannot show it."""
        return not self.asked or datetime.fromisoformat(self.asked) < start


@dataclass(frozen=True, slots=True)
class Memory:
    """What one pull leaves to the next.

    Attributes:
        since: the first day in the settings; another one starts afresh.
        first_moment: from where the first pull read; an older request was never asked.
        complete_until: the server's time of the last pull of requests.
        reread_at: the server's time of the last full reading.
        requests: by service_request_id.
        updates: digest by update_id, of the last days only.
        updates_until: the server's time when the reply log was last read; None where it never was.
    """

    since: str | None = None
    first_moment: datetime | None = None
    complete_until: datetime | None = None
    reread_at: datetime | None = None
    requests: Mapping[str, Seen] = field(default_factory=dict)
    updates: Mapping[str, str] = field(default_factory=dict)
    updates_until: datetime | None = None

    def as_json(self) -> dict[str, object]:
        """What the state keeps."""
        return {
            "since": self.since,
            "first_moment": self.first_moment and self.first_moment.isoformat(),
            "complete_until": self.complete_until and self.complete_until.isoformat(),
            "reread_at": self.reread_at and self.reread_at.isoformat(),
            "requests": {key: list(asdict(seen).values()) for key, seen in self.requests.items()},
            "updates": dict(self.updates),
            "updates_until": self.updates_until and self.updates_until.isoformat(),
        }

    def must_reread(self, now: datetime) -> bool:
        """Whether all requests of the window are due again, even where the server tells its changes."""
        return self.reread_at is None or now - self.reread_at >= _REREAD_EVERY

    def older_and_open(self, start: datetime) -> list[str]:
        """The requests that were still open and that a window from `start` does not show."""
        return sorted(key for key, seen in self.requests.items() if seen.is_open and seen.lies_before(start))

    def expected(self, start: datetime) -> dict[str, Seen]:
        """The requests that a full reading from `start` should show, by itself or by their number."""
        return {
            key: seen for key, seen in self.requests.items() if key and (seen.is_open or not seen.lies_before(start))
        }

    def missing_from(self, found: Iterable[str], start: datetime) -> dict[str, Seen]:
        """The requests that a full reading from `start` should have shown and did not, missed once more.

        Raises:
            PermanentSupplierError: so many that the supplier rather than the requests must be at fault.
        """
        there = set(found)
        expected = self.expected(start)
        missing = {key: replace(seen, missed=seen.missed + 1) for key, seen in expected.items() if key not in there}
        fresh = sum(seen.missed == 1 for seen in missing.values())
        if fresh > max(_MOST_MISSING, _MOST_MISSING_SHARE * len(expected)):
            raise PermanentSupplierError("requests_gone", gone=fresh, known=len(expected))
        return missing

    def is_new(self, key: str, digest: str) -> bool:
        """Whether a request is not as it was last seen."""
        return key not in self.requests or self.requests[key].digest != digest

    def is_new_update(self, key: str, digest: str) -> bool:
        """Whether an update is not as it was last seen."""
        return self.updates.get(key) != digest


def remembered(content: Mapping[str, Any], since: date | None) -> Memory:
    """The memory that a pull left; an empty one at first, with another first day, or when it cannot be read."""
    named = since.isoformat() if since else None
    if content.get("since") != named or "requests" not in content:
        return Memory(since=named)
    try:
        return Memory(
            since=named,
            first_moment=_moment(content["first_moment"]),
            complete_until=_moment(content["complete_until"]),
            reread_at=_moment(content["reread_at"]),
            # a number that the door took for a telephone number is nobody's: it can be neither missed nor asked
            requests={key: _seen(*seen) for key, seen in content["requests"].items() if REDACTED not in key},
            updates=dict(content["updates"]),
            # an older memory tells that the log was read by what it holds of it
            updates_until=_moment(
                content.get("updates_until", content["complete_until"] if content["updates"] else None)
            ),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return Memory(since=named)


def is_gone(seen: Seen) -> bool:
    """Whether a request was missed so often that it is taken as withdrawn."""
    return seen.missed >= _MISSES_UNTIL_GONE


def _seen(digest: str, asked: str, is_open: bool, missed: int) -> Seen:  # noqa: FBT001 - in the order of as_json
    """A request as it was remembered; ValueError or TypeError where it cannot be that."""
    if asked:
        datetime.fromisoformat(asked)
    return Seen(str(digest), asked, bool(is_open), int(missed))


def _moment(written: str | None) -> datetime | None:
    return datetime.fromisoformat(written) if written else None
