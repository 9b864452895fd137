"""What the last pull of an operator saw, so that the next one brings only what changed, and misses what is gone.

Belongs here: the memory as it is kept, and of which charge points a session may be told. Does not belong here: what may
be concluded from a pull, and so remembered of it (the source module).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from ingestion.delivery import digest_of
from ingestion.protocols import ocpi, ocpi_sessions

LATEST_CREDIT = timedelta(days=400)
"""How old a session may be that a credit note still changes."""


@dataclass(frozen=True, slots=True)
class Known:
    """The charge points of which a session may be told.

    Attributes:
        evses: digests of those that are public.
        gone: by the digest of one that was public and is no longer named, the city date on which that was seen.
    """

    evses: frozenset[str]
    gone: Mapping[str, str]

    def holds(self, evse: str, day: date) -> bool:
        """Whether a session at an EVSE on a city date may be told."""
        # who charges at a post that is gone does so at home, for all we know
        return evse in self.evses or day.isoformat() < self.gone.get(evse, "")


@dataclass(frozen=True, slots=True)
class Memory:
    """What the last pull left behind (JSON); with less of it the next pull only asks more.

    Attributes:
        until: the operator's clock when the last pull began.
        full_at: the same of the last pull of everything.
        evses: digests of the public EVSEs known since then.
        gone: see `Known`, as long ago as a credit note may reach.
        locations: how many locations the last pull of everything named.
        is_bounded: whether boundaries said in which municipality a location lies.
        sessions_on: the city date on which sessions were last read whole.
        credited: digests of the credit notes that were read together with the day they change.
    """

    until: datetime | None = None
    full_at: datetime | None = None
    evses: frozenset[str] = frozenset()
    locations: int = 0
    shape: str = ocpi.Shape.PAGED
    is_bounded: bool = False
    sessions_on: str = ""
    credited: frozenset[str] = frozenset()
    gone: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, said: Mapping[str, object]) -> "Memory":
        """The memory that a pull left."""
        # under its first name, `locations`, a location that two pages showed counted twice
        locations, gone = said.get("distinct_locations"), said.get("gone_on")
        return cls(
            ocpi.moment(said.get("until")),
            ocpi.moment(said.get("full_at")),
            _texts(said.get("evse_digests")),
            locations if isinstance(locations, int) else 0,
            str(said.get("shape", ocpi.Shape.PAGED)),
            said.get("is_bounded") is True,
            str(said.get("sessions_on", "")),
            _texts(said.get("credited")),
            {str(evse): str(day) for evse, day in gone.items()} if isinstance(gone, dict) else {},
        )

    def written(self) -> dict[str, object]:
        """What the state keeps."""
        return {
            "until": self.until and self.until.isoformat(),
            "full_at": self.full_at and self.full_at.isoformat(),
            "evse_digests": sorted(self.evses),
            "distinct_locations": self.locations,
            "shape": self.shape,
            "is_bounded": self.is_bounded,
            "sessions_on": self.sessions_on,
            "credited": sorted(self.credited),
            "gone_on": dict(sorted(self.gone.items())),
        }


def _texts(said: object) -> frozenset[str]:
    return frozenset(map(str, said)) if isinstance(said, list) else frozenset()


def evse_digest(evse: ocpi_sessions.EvseKey) -> str:
    """How an EVSE is remembered, for thousands are: one that clashes only hides one missing EVSE."""
    return digest_of(*evse)
