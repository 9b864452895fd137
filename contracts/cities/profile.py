"""What the pipeline must know of a city that its data does not say."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True, slots=True)
class City:
    """A city profile.

    Attributes:
        name: folder and command-line name.
        area_id: code of the municipality (NIS code in Belgium).
        time_zone: IANA name; every `_date` is a calendar date in it.
        country: ISO 3166 alpha-2 code under which `holidays` knows the legal holidays.
        subdivision: its subdivision, where holidays differ.
        closing_days: days on which the city's services are closed although they are no legal holiday.
        restricted: by published table the column of the department that alone sees a row in PostgreSQL.
        sources: the only sources this city receives; None for every source there is a contract for.
        contact_nl: whom a department can ask about a message, as it stands below it: an office and how to reach it.
    """

    name: str
    title_nl: str
    area_id: str
    time_zone: str
    country: str
    sources: tuple[str, ...] | None = None
    subdivision: str | None = None
    closing_days: Mapping[date, str] = field(default_factory=dict)
    restricted: Mapping[str, str] = field(default_factory=dict)
    contact_nl: str | None = None
