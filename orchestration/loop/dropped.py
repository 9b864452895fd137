"""The files in a drop folder: which are complete, which stand refused, and taking them away.

Belongs here: what can be said of a dropped file without reading its rows. Does not belong here: landing it.
"""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache, lru_cache
from pathlib import Path

from contracts.vocabulary import SourceContract
from ingestion.delivery import DroppedFile
from ingestion.door import without_identifiers
from ingestion.protocols.weekly_drop import MANIFEST
from orchestration.settings import Settings
from warehouse.state import Refusal, State

READY = ".ready"
LARGEST_FILE = 200 * 1024 * 1024
_MOST_REMEMBERED = 1000
_ROOT = Path(__file__).parents[2]
# what decides whether a file can be read at all
_RULES = ("contracts", "ingestion")


def waiting_files(settings: Settings, contract: SourceContract, now: datetime) -> list[DroppedFile]:
    """The complete files in a source's drop folder, by name.

    Complete is a file with a `.ready` beside it, or one that nobody touched for a moment.
    """
    if not contract.endings:
        return []
    folder = settings.layout.drop(contract.name)
    found = sorted(path for path in folder.glob("*") if path.name.lower().endswith(contract.endings))
    return [_dropped(path) for path in found if _is_complete(path, settings, now)]


def _is_complete(path: Path, settings: Settings, now: datetime) -> bool:
    if not path.is_file():
        return False
    return _ready_file(path).exists() or now - _last_written(path) >= settings.stable_for


def _last_written(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _ready_file(path: Path) -> Path:
    return path.with_name(path.name + READY)


def _dropped(path: Path) -> DroppedFile:
    ready = _ready_file(path)
    written = ready.read_text("utf-8", errors="replace").strip() if ready.is_file() else ""
    return DroppedFile(path, _instant(written) or _last_written(path))


def _instant(written: str) -> datetime | None:
    """The time named in a `.ready` file; an empty or other content names none."""
    try:
        named = datetime.fromisoformat(written)
        return named.astimezone(UTC) if named.tzinfo else named.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def shown_name(path: Path) -> str:
    """The name of a file without the person in it, as any terminal and database takes it."""
    return shown(without_identifiers(path.name))


def shown(text: str) -> str:
    """Text that any terminal and database takes, also where a file name is no proper text."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def digest_of(path: Path) -> str:
    """The SHA-256 by which a file is recognised: of its bytes, or of size and time where it is too large to read.

    A file that nobody touched since is not read again: a sensor asks every few seconds, for days.
    """
    told = path.stat()
    return _hashed_once(path, told.st_size, told.st_mtime_ns, told.st_ctime_ns)


def _hashed(path: Path, size: int, written_ns: int, _: int) -> str:
    if size > LARGEST_FILE:
        return hashlib.sha256(f"{size} bytes of {written_ns}".encode()).hexdigest()
    return hashlib.sha256(path.read_bytes()).hexdigest()


_hashed_once = lru_cache(maxsize=_MOST_REMEMBERED)(_hashed)


def refused_before(state: State, contract: SourceContract, file: DroppedFile) -> Refusal | None:
    """The refusal that still stands for a file: nothing changed since in it, its manifest, the contract or the code."""
    path, name = file.path, shown_name(file.path)
    # a file of which nothing is remembered is not read to look for it
    if name not in {refusal.origin for refusal in state.refusals() if refusal.source == contract.name}:
        return None
    refusal = state.refused(contract.name, name, digest_of(path))
    if refusal is None or refusal.rules != rules_of(contract):
        return None
    return None if _is_newer(path.with_name(path.name + MANIFEST), refusal.refused_at) else refusal


def _is_newer(manifest: Path, moment: datetime) -> bool:
    # when it came here: a copied file may bear an older time of writing
    return manifest.is_file() and datetime.fromtimestamp(manifest.stat().st_ctime, UTC) > moment


def rules_of(contract: SourceContract) -> str:
    """Names what a file was refused by: the version of the contract, and the code that reads it."""
    return f"{contract.version}-{_code_version()[:12]}"


@cache
def _code_version() -> str:
    """A hash of the contracts and the readers; a process runs one version of them."""
    digest = hashlib.sha256()
    for path in sorted(path for room in _RULES for path in (_ROOT / room).rglob("*.py")):
        digest.update(path.relative_to(_ROOT).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def identified(files: Iterable[DroppedFile]) -> Iterator[tuple[str, str]]:
    """Shown name and digest of the files that still lie there and can be read."""
    for file in files:
        with suppress(OSError):
            yield shown_name(file.path), digest_of(file.path)


def take(file: DroppedFile, sha256: str) -> None:
    """Removes a landed file: a second copy would be one more place that holds a person's data.

    A file that was replaced while it was read stays: that is another delivery.
    """
    # read, and not remembered: what is removed here must be what was landed
    if not file.path.exists() or hashlib.sha256(file.path.read_bytes()).hexdigest() != sha256:
        return
    # the mark first: one that outlives its file would call the next one of that name complete before it is
    _ready_file(file.path).unlink(missing_ok=True)
    file.path.unlink()
    file.path.with_name(file.path.name + MANIFEST).unlink(missing_ok=True)
