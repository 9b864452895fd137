"""What a file holds once it is unpacked: a gzip, an ordinary ZIP, and a workbook, which is a ZIP too.

What unpacks is bounded here before anything else opens it: a few kilobytes may promise gigabytes. Does not belong here:
what is in the parts of a workbook (`workbook_census`).
"""

import io
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import NoReturn

from ingestion.door import name_to_show
from ingestion.errors import UnreadableFileError
from ingestion.inflating import GZIP_START, GZIP_WINDOW, RAW_WINDOW, BrokenPackingError, inflated, most_unpacked

WORKBOOK = "xl/workbook.xml"
_ZIP_START = b"PK\x03\x04"
_ZIP_ENTRY = b"PK\x01\x02"
_MOST_FILES = 50
_MOST_PARTS = 1000
_ENCRYPTED = 0x1
_LOCAL_HEADER = 30


def is_workbook(original: bytes) -> bool:
    """Whether the bytes are a ZIP, which an XLSX is; the ending of a name proves nothing."""
    return original.startswith(_ZIP_START)


def unpacked(original: bytes, name: str) -> bytes | list[tuple[str, bytes]]:
    """What a file holds once it is unpacked: the content of a .gz, the files of a .zip, else itself.

    What the bytes are decides, not the ending of the name. A workbook, which is a ZIP too, stays whole.

    Returns:
        The bytes; for a .zip, of every file in it its name without folder and its bytes.

    Raises:
        UnreadableFileError: damaged, encrypted, an archive in an archive, or more than 50 files, 200 MB, or
            100 times its size.
    """
    allowance = Allowance(name, len(original))
    if original.startswith(GZIP_START):
        return _no_archive(b"".join(_inflated(original, GZIP_WINDOW, allowance)), name)
    if not is_workbook(original):
        return original
    entries = [entry for entry in entries_of(original, name) if not entry.is_dir()]
    if any(entry.filename == WORKBOOK for entry in entries):
        return original
    if len(entries) > _MOST_FILES:
        raise UnreadableFileError("too_many_files", name, count=len(entries), most=_MOST_FILES)
    return [_file_in(original, entry, allowance) for entry in entries]


@dataclass(slots=True)
class Allowance:
    """How much may still be unpacked of one file."""

    name: str
    packed: int
    taken: int = 0

    def take(self, size: int) -> None:
        """Notes what was unpacked.

        Raises:
            UnreadableFileError: it is more than a file of that size may hold.
        """
        self.taken += size
        most = most_unpacked(self.packed)
        if self.taken > most:
            raise UnreadableFileError("too_large_unpacked", self.name, most=most // 2**20)

    def damaged(self, why: str) -> NoReturn:
        """Refuses the file as damaged."""
        raise UnreadableFileError("damaged", self.name, why=why)


def entries_of(original: bytes, name: str) -> list[zipfile.ZipInfo]:
    """What the directory of a ZIP promises."""
    parts = original.count(_ZIP_ENTRY)
    if parts > _MOST_PARTS:
        raise UnreadableFileError("too_many_parts", name, parts=parts)
    try:
        with zipfile.ZipFile(io.BytesIO(original)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
        entries = []
    if not entries:
        raise UnreadableFileError("damaged_archive", name)
    if any(entry.flag_bits & _ENCRYPTED for entry in entries):
        raise UnreadableFileError("locked", name)
    return entries


def content_of(original: bytes, entry: zipfile.ZipInfo, allowance: Allowance) -> Iterator[bytes]:
    """The bytes of an entry as they really are: readers differ in how far they believe its declared size."""
    head = original[entry.header_offset : entry.header_offset + _LOCAL_HEADER]
    if len(head) < _LOCAL_HEADER or not head.startswith(_ZIP_START):
        allowance.damaged("an entry has no header")
    start = entry.header_offset + _LOCAL_HEADER
    start += int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")
    packed = original[start : start + entry.compress_size]
    if entry.compress_type == zipfile.ZIP_STORED:
        allowance.take(len(packed))
        chunks: Iterator[bytes] = iter([packed])
    elif entry.compress_type == zipfile.ZIP_DEFLATED:
        chunks = _inflated(packed, RAW_WINDOW, allowance)
    else:
        raise UnreadableFileError("unknown_packing", allowance.name)
    size = crc = 0
    for chunk in chunks:
        size, crc = size + len(chunk), zlib.crc32(chunk, crc)
        yield chunk
    if size != entry.file_size or crc != entry.CRC:
        allowance.damaged("an entry is not what it promises")


def _inflated(packed: bytes, window: int, allowance: Allowance) -> Iterator[bytes]:
    try:
        yield from inflated(packed, window, allowance.take)
    except BrokenPackingError as broken:
        allowance.damaged(str(broken))


def _file_in(original: bytes, entry: zipfile.ZipInfo, allowance: Allowance) -> tuple[str, bytes]:
    own_name = name_to_show(PurePosixPath(entry.filename.replace("\\", "/")).name)
    return own_name, _no_archive(b"".join(content_of(original, entry, allowance)), f"{allowance.name}: {own_name}")


def _no_archive(content: bytes, name: str) -> bytes:
    is_archive = content.startswith(GZIP_START) or (
        is_workbook(content) and WORKBOOK not in {entry.filename for entry in entries_of(content, name)}
    )
    if is_archive:
        raise UnreadableFileError("nested_archive", name)
    return content
