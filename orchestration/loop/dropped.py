"""The files in a drop folder: which are complete, which stand refused, and taking them away.

Belongs here: what can be said of a dropped file without reading its rows. Does not belong here: landing it.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from stat import S_ISREG

from contracts.vocabulary import SourceContract
from ingestion.delivery import DroppedFile
from ingestion.door import name_to_show
from ingestion.errors import TransientSupplierError, UnreadableFileError
from ingestion.protocols.weekly_drop import MANIFEST
from orchestration.settings import Settings
from warehouse.durable import hash_of, hash_of_files
from warehouse.state import Refusal, State

READY = ".ready"
LARGEST_FILE = 200 * 1024 * 1024
_LOCK = "~$"
# what belongs to a file, hides, or is still on its way
_COMPANION = re.compile(
    rf"^\.|{re.escape(READY)}$|{re.escape(MANIFEST)}$|\.(part|filepart|crdownload|tmp)$", re.IGNORECASE
)
_ROOT = Path(__file__).parents[2]
# what decides whether a file can be read at all
_RULES = ("contracts", "ingestion")
_RULES_LETTERS = 12


def waiting_files(settings: Settings, contract: SourceContract, now: datetime) -> list[DroppedFile]:
    """What lies complete in a source's drop folder, by name, also what is not read: somebody must hear of it.

    Complete is a file with a `.ready` beside it, or one that nobody touched for a moment.
    """
    if not contract.endings:
        return []
    folder = settings.layout.drop(contract.name)
    found = sorted(path for path in folder.glob("*") if not _COMPANION.search(path.name))
    return [file for path in found if (file := _complete(path, settings, now)) is not None]


def _complete(path: Path, settings: Settings, now: datetime) -> DroppedFile | None:
    """The file; None while it may still be written, or when it was taken away meanwhile."""
    try:
        if _ready_file(path).exists() or now - _last_written(path) >= settings.stable_for:
            return DroppedFile(path, supplied_at(path) or _last_written(path))
    except FileNotFoundError:
        pass
    return None


def supplied_at(path: Path) -> datetime | None:
    """The moment that the `.ready` beside a file names; None where it names none."""
    return _instant(_written(_ready_file(path)))


def _last_written(path: Path) -> datetime:
    return datetime.fromtimestamp(path.lstat().st_mtime, UTC)


def read_whole(path: Path, contract: SourceContract) -> bytes:
    """The bytes of a file, where they are of a kind and a size that is read.

    Raises:
        UnreadableFileError: they are not; it is not opened.
        OSError: it cannot be opened.
    """
    size = path.lstat().st_size
    _require_a_kind_that_is_read(path, contract.endings)
    if size > LARGEST_FILE:
        raise UnreadableFileError("too_large", shown_name(path), size=size // 2**20, most=LARGEST_FILE // 2**20)
    return path.read_bytes()


@contextmanager
def opening(path: Path) -> Iterator[None]:
    """Tells of a file that cannot be opened, or is taken away meanwhile: it may be there again at the next look.

    Raises:
        TransientSupplierError: so it is.
    """
    try:
        yield
    except OSError as broken:
        raise TransientSupplierError("cannot_open", shown_name(path), why=broken.strerror) from None


def _require_a_kind_that_is_read(path: Path, endings: tuple[str, ...]) -> None:
    name = shown_name(path)
    if path.is_symlink():
        raise UnreadableFileError("link", name)
    if path.is_dir():
        raise UnreadableFileError("folder", name)
    if not path.is_file():
        raise UnreadableFileError("no_plain_file", name)
    if path.name.startswith(_LOCK):
        raise UnreadableFileError("open_in_excel", name)
    if not path.name.lower().endswith(endings):
        raise UnreadableFileError("unread_kind", name, endings=", ".join(endings))


def _written(ready: Path) -> str:
    """What a `.ready` file says; one that cannot be read, or is gone, says nothing."""
    with suppress(OSError):
        return ready.read_text("utf-8", errors="replace").strip() if ready.is_file() else ""
    return ""


def _ready_file(path: Path) -> Path:
    return path.with_name(path.name + READY)


def _instant(written: str) -> datetime | None:
    """The time named in a `.ready` file; an empty or other content names none."""
    try:
        named = datetime.fromisoformat(written)
        return named.astimezone(UTC) if named.tzinfo else named.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def shown_name(path: Path) -> str:
    """The name of a file without the person in it, as any terminal and database takes it."""
    return shown(name_to_show(path.name))


def shown(text: str) -> str:
    """Text that any terminal and database takes, also where a file name is no proper text."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def digest_of(path: Path) -> str:
    """The SHA-256 by which a file is recognised: of its bytes, or of size and time where it is too large to read."""
    told = path.lstat()
    # what is no file cannot be read, and a queue would wait for ever
    if told.st_size > LARGEST_FILE or not S_ISREG(told.st_mode):
        return hashlib.sha256(f"{told.st_size} bytes of {told.st_mtime_ns}".encode()).hexdigest()
    return hash_of(path)


def stamp_of(path: Path) -> str:
    """Names a file as it lies there, without reading it: a write, a copy or a rename makes it another."""
    told = path.lstat()
    return f"{told.st_size} bytes of {told.st_mtime_ns}, here since {told.st_ctime_ns}"


def refused_before(state: State, refusals: Iterable[Refusal], file: DroppedFile, rules: str) -> Refusal | None:
    """The refusal that still stands for a file: nothing changed since in it, its manifest or the code.

    Args:
        state: of the profile.
        refusals: those of its source, as the state holds them.
        file: in the drop folder.
        rules: what it would be refused by now.
    """
    refusal = _refusal_of(state, refusals, file.path)
    if refusal is None or refusal.rules != rules:
        return None
    return None if _is_newer(file.path.with_name(file.path.name + MANIFEST), refusal.refused_at) else refusal


def _refusal_of(state: State, refusals: Iterable[Refusal], path: Path) -> Refusal | None:
    """What is remembered of a file; it is read only when its name is known and it was touched since."""
    name = shown_name(path)
    of_that_name = [refusal for refusal in refusals if refusal.origin == name]
    if not of_that_name:
        return None
    stamp = stamp_of(path)
    untouched = next((refusal for refusal in of_that_name if refusal.stamp == stamp), None)
    if untouched is not None:
        return untouched
    sha256 = digest_of(path)
    touched = next((refusal for refusal in of_that_name if refusal.sha256 == sha256), None)
    if touched is not None:
        # so that it is not read again at the next look
        state.refuse(touched._replace(stamp=stamp))
    return touched


def forget_what_is_gone(state: State, settings: Settings, contract: SourceContract) -> None:
    """Forgives the refusals of files that no longer lie in the drop folder, complete or not.

    Of a folder that cannot be listed nothing is forgotten: its disk may come back.
    """
    refusals = state.refusals(contract.name)
    if not refusals:
        return
    with suppress(OSError):
        lying = (_remembered(state, refusals, path) for path in settings.layout.drop(contract.name).iterdir())
        kept = {(refusal.origin, refusal.sha256) for refusal in lying if refusal is not None}
        state.forgive(each for each in refusals if (each.origin, each.sha256) not in kept)


def _remembered(state: State, refusals: Iterable[Refusal], path: Path) -> Refusal | None:
    try:
        return _refusal_of(state, refusals, path)
    # taken away meanwhile, or a folder
    except OSError:
        return None


def _is_newer(manifest: Path, moment: datetime) -> bool:
    # when it came here: a copied file may bear an older time of writing
    return manifest.is_file() and datetime.fromtimestamp(manifest.stat().st_ctime, UTC) > moment


def rules_on_disk() -> str:
    """Names what a file is refused by: a hash of the contracts and the readers, as a run that starts now has them."""
    rules = sorted(path for room in _RULES for path in (_ROOT / room).rglob("*.py"))
    return hash_of_files(rules, _ROOT)[:_RULES_LETTERS]


RULES_OF_THIS_PROCESS = rules_on_disk()
"""What this process refuses by: an update after its start changes the files, not what it runs."""


def take(file: DroppedFile, sha256: str) -> None:
    """Removes a landed file: a second copy would be one more place that holds a person's data.

    A file that was replaced while it was read stays: that is another delivery.
    """
    if not file.path.exists() or digest_of(file.path) != sha256:
        return
    # the mark first: one that outlives its file would call the next one of that name complete before it is
    _ready_file(file.path).unlink(missing_ok=True)
    file.path.unlink()
    file.path.with_name(file.path.name + MANIFEST).unlink(missing_ok=True)
