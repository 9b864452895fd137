"""What a source module hands over: text rows as the supplier sent them, and what the supplier said of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import polars as pl


@dataclass(frozen=True, slots=True)
class Secret:
    """A credential that no log, exception or repr can show."""

    value: str = field(repr=False)

    def __str__(self) -> str:
        """Hides the value."""
        return "***"


@dataclass(frozen=True, slots=True)
class DroppedFile:
    """A complete file in a source's drop folder.

    Attributes:
        supplied_at: the time named in its `.ready` file, else when it was last written (UTC).
        content: its bytes, read once: what is hashed is what is read, whatever happens to the file.
    """

    path: Path
    supplied_at: datetime
    content: bytes | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where and as whom a supplier is asked.

    Attributes:
        since: the first city date of interest, for suppliers that are asked by window.
    """

    url: str
    secret: Secret | None = None
    since: date | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery before the door.

    Attributes:
        origin: file name, or address without its query.
        tables: per table the text columns and `line` (1-based; the header of a file is line 1, over HTTP
            the position in the crawl).
        supplied_at: the supplier's own time of the delivery (UTC); its version where rows have none.
        complete_until: up to where it speaks (UTC); None when the rows themselves say so.
        original: the supplier's own bytes, where they came as one file.
    """

    origin: str
    tables: Mapping[str, pl.DataFrame]
    supplied_at: datetime
    complete_until: datetime | None = None
    original: bytes | None = None
