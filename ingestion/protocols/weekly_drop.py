"""A table that a partner delivers week by week: the name of the file tells the week, a manifest may vouch for it.

Belongs here: the name, the manifest beside the file, and the refusal of a file from which too much vanished. Does not
belong here: what the rows mean, or which of two weeks counts (that is decided from the landed rows, never from the
order in which files arrive).
"""

import hashlib
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl

from contracts.cities.profile import City
from ingestion.door import without_identifiers
from ingestion.errors import UnreadableFileError

MANIFEST = ".manifest.json"
_NAME = re.compile(
    r"(?P<kind>[a-z]+)_(?P<year>20\d\d)-w(?P<week>\d{2})_(?P<team>[a-z]+)(?P<words>(_[a-z]+)*)( ?\(\d+\))?\.(csv|xlsx)",
    re.IGNORECASE,
)
_LEAST_KEPT = 0.9


@dataclass(frozen=True, slots=True)
class WeeklyName:
    """What the name of a weekly file says.

    Attributes:
        week: ISO week, as 2026-W47.
        team: who delivers, in lower case.
        words: what stands behind the team, in lower case.
    """

    week: str
    team: str
    words: tuple[str, ...]

    def require_begun(self, name: str, supplied_at: datetime, city: City) -> None:
        """Refuses a week that had not begun when its file was supplied: it would outdate all weeks until then.

        Raises:
            UnreadableFileError: it lies more than a day ahead, for clocks differ.
        """
        if self.end(city) - timedelta(weeks=1) > supplied_at + timedelta(days=1):
            raise UnreadableFileError("week_to_come", name)

    def end(self, city: City) -> datetime:
        """The Monday after the week, 00:00 in the city, as UTC."""
        monday = date.fromisocalendar(int(self.week[:4]), int(self.week[-2:]), 1)
        midnight = datetime.combine(monday + timedelta(weeks=1), time(), ZoneInfo(city.time_zone))
        return midnight.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class WeeklyManifest:
    """What a supplier vouches for in a file beside the delivery.

    Attributes:
        sha256: of the delivered file; None when not given.
        rows: number of rows by table; a file with one table may give a bare number, under the empty name.
        is_snapshot: whether the file holds everything.
        fewer_is_right: whether somebody looked at it and fewer rows than before are right.
    """

    sha256: str | None = None
    rows: Mapping[str, int] = field(default_factory=dict)
    is_snapshot: bool = False
    fewer_is_right: bool = False


def weekly_name(name: str, kind: str, teams: Collection[str]) -> WeeklyName:
    """The week and the team in a file name.

    Args:
        name: of the file; ` (1)` behind it, as a browser adds, is no part of it.
        kind: the word it begins with.
        teams: who may deliver.

    Raises:
        UnreadableFileError: it tells no ISO week, or another team.
    """
    found = _NAME.fullmatch(name)
    if found is None or found["kind"].lower() != kind or not _is_week(int(found["year"]), int(found["week"])):
        raise UnreadableFileError("no_week", name, kind=kind, team=next(iter(teams)))
    team = found["team"].lower()
    if team not in teams:
        raise UnreadableFileError("no_team", name, teams=", ".join(teams))
    return WeeklyName(f"{found['year']}-W{found['week']}", team, tuple(found["words"].lower().split("_")[1:]))


def _is_week(year: int, week: int) -> bool:
    try:
        date.fromisocalendar(year, week, 1)
    except ValueError:
        return False
    return True


def manifest_beside(path: Path, content: bytes) -> WeeklyManifest:
    """The manifest of a file, once it is sure that it is of these bytes; an empty one where there is none.

    Raises:
        UnreadableFileError: the manifest cannot be read, or vouches for another file.
    """
    beside = path.with_name(path.name + MANIFEST)
    if not beside.is_file():
        return WeeklyManifest()
    manifest = _manifest(beside)
    if manifest.sha256 is not None and manifest.sha256 != hashlib.sha256(content).hexdigest():
        raise UnreadableFileError("other_sha256", path.name, manifest=beside.name)
    return manifest


def _manifest(beside: Path) -> WeeklyManifest:
    try:
        said = json.loads(beside.read_text("utf-8-sig"))
        rows = said.get("rows", {})
        counts = {str(table): int(count) for table, count in (rows if isinstance(rows, dict) else {"": rows}).items()}
        sha256 = said.get("sha256")
        return WeeklyManifest(
            sha256=str(sha256).strip().lower() if sha256 is not None else None,
            rows=counts,
            is_snapshot=said.get("volledig") is True,
            fewer_is_right=said.get("minder_is_juist") is True,
        )
    except (OSError, ValueError, TypeError, AttributeError):
        raise UnreadableFileError("no_manifest", beside.name) from None


def require_rows(name: str, tables: Mapping[str, pl.DataFrame], rows: Mapping[str, int]) -> None:
    """Holds the number of rows against what the manifest says.

    Raises:
        UnreadableFileError: a table has another number of rows, as when only part of the file was written.
    """
    for table, said in rows.items():
        found = tables[table].height if table in tables else sum(frame.height for frame in tables.values())
        if found != said:
            shown = f"table {table} " if table in tables else ""
            raise UnreadableFileError(
                "other_count", name, sheet=shown, found=found, said=without_identifiers(str(said))
            )


def require_the_rest(name: str, delivered: int, known: int, what: str) -> None:
    """Refuses a file from which more than a tenth vanished of what must still be in it.

    Args:
        name: of the file.
        delivered: how many it names.
        known: how many it should name, by earlier deliveries.
        what: what is counted, for the message.

    Raises:
        UnreadableFileError: it is refused whole; the message says how to confirm that it is right.
    """
    if delivered < _LEAST_KEPT * known:
        raise UnreadableFileError("vanishing", name, delivered=delivered, what=what, known=known)


def still_expected(known: pl.DataFrame, name: WeeklyName, key: Collection[str], *, is_snapshot: bool) -> int:
    """How many keys a file should hold, by what was accepted of the same team before.

    A full file must hold what the last full file held and what came since; the renewed file of a week what that
    week's file held.

    Args:
        known: accepted rows with `file_team`, `delivery_week`, `is_snapshot`, `supplied_at` and `content_sha256`.
        name: of the file that is looked at.
        key: the columns that name one row.
        is_snapshot: whether the file says that it is full.
    """
    if "delivery_week" not in known.columns:
        return 0
    of_team = known.filter(pl.col("file_team") == name.team)
    if is_snapshot:
        until = of_team.filter(pl.col("delivery_week") <= name.week)
        last_full = until.filter(pl.col("is_snapshot"))["delivery_week"].max()
        due = until if last_full is None else until.filter(pl.col("delivery_week") >= last_full)
    else:
        due = _newest_file(of_team.filter(pl.col("delivery_week") == name.week))
    return due.select(*key).n_unique() if due.height else 0


def _newest_file(rows: pl.DataFrame) -> pl.DataFrame:
    last = rows.sort("supplied_at", "content_sha256").tail(1)
    return rows.join(last.select("supplied_at", "content_sha256"), on=["supplied_at", "content_sha256"], how="semi")
