"""The door: nothing that names a person is written anywhere behind it.

Belongs here: the allow-list of columns, keyed pseudonyms, and the second net over text. Does not belong
here: whether a value is right (that is the gate).
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import phonenumbers
import polars as pl
from stdnum import iban
from stdnum.be import bis, nn

from contracts.vocabulary import LINE, Received, SourceContract
from ingestion.delivery import Delivery, Secret

REDACTED = "[verwijderd]"
_KEY_DOMAIN = b"ademruimte:"
# bounded as RFC 5321 bounds it, so that a long text takes no quadratic time
_E_MAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_IBAN_START = re.compile(r"\b[A-Za-z]{2}\d{2}(?=[ A-Za-z0-9]{8})")
_IBAN_LONGEST = 42  # 34 characters and the blanks between groups of four
_NATIONAL_NUMBER = re.compile(r"(?<!\d)\d{2}[.\s-]?\d{2}[.\s-]?\d{2}[.\s-]?\d{3}[.\s-]?\d{2}(?!\d)")
_BLANKS = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Admitted:
    """What came through the door.

    Attributes:
        tables: per table the allowed text columns and `line`.
        dropped_columns: per table the names, never the values, of columns no contract names.
        redactions: cells in which a direct identifier was replaced.
    """

    tables: dict[str, pl.DataFrame]
    dropped_columns: dict[str, tuple[str, ...]]
    redactions: int


def admit(delivery: Delivery, contract: SourceContract, key: Secret) -> Admitted:
    """Lets the columns of a contract in and everything else out.

    Args:
        delivery: what a source module brought.
        contract: whose tables and columns may pass; a table it does not promise is dropped whole.
        key: the city's pseudonym key; each purpose gets a key of its own.
    """
    admitted: dict[str, pl.DataFrame] = {}
    dropped: dict[str, tuple[str, ...]] = {}
    redactions = 0
    promised = {table.name: table.received for table in contract.tables}
    for name, frame in delivery.tables.items():
        received = promised.get(name, Received(columns=(), required=()))
        dropped[name] = tuple(column for column in frame.columns if column not in (*received.columns, LINE))
        if name in promised:
            allowed = frame.select(column for column in frame.columns if column not in dropped[name])
            admitted[name], found = _redacted(_pseudonymised(allowed, received, key), received)
            redactions += found
    return Admitted(admitted, dropped, redactions)


def key_id(key: Secret) -> str:
    """Names a key without telling it: the first 8 hex digits of a hash of its own domain."""
    return hashlib.sha256(b"key id" + key.value.encode()).hexdigest()[:8]


def _pseudonymised(frame: pl.DataFrame, received: Received, key: Secret) -> pl.DataFrame:
    for column, purpose in received.pseudonyms.items():
        if column in frame.columns:
            purpose_key = hmac.digest(key.value.encode(), _KEY_DOMAIN + purpose.encode(), "sha256")
            frame = _replaced(frame, column, _each(frame[column], _pseudonym_with(purpose_key)))
    return frame


def _pseudonym_with(purpose_key: bytes) -> Callable[[str], str | None]:
    def pseudonym(value: str) -> str | None:
        normal = _BLANKS.sub(" ", value).strip().casefold()
        return hmac.new(purpose_key, normal.encode(), "sha256").hexdigest() if normal else None

    return pseudonym


def _redacted(frame: pl.DataFrame, received: Received) -> tuple[pl.DataFrame, int]:
    cells = 0
    for column in received.free_text:
        if column in frame.columns:
            changes = {old: new for old, new in _each(frame[column], _without_identifiers).items() if old != new}
            cells += int(frame[column].is_in(list(changes)).sum())
            frame = _replaced(frame, column, changes)
    return frame, cells


def _each(values: pl.Series, change: Callable[[str], str | None]) -> dict[str, str | None]:
    """The change of every distinct value; a hash or a phone search per row would cost minutes."""
    return {value: change(value) for value in values.drop_nulls().unique()}


def _replaced(frame: pl.DataFrame, column: str, changes: Mapping[str, str | None]) -> pl.DataFrame:
    if not changes:
        return frame
    old, new = list(changes), pl.Series(list(changes.values()), dtype=pl.String)
    return frame.with_columns(pl.col(column).replace(old, new))


def _without_identifiers(value: str) -> str:
    """The text without mail addresses, account numbers, national numbers and telephone numbers."""
    for find in (_e_mails, _ibans, _national_numbers, _phones):
        # from the end, so that earlier positions stay true
        for start, end in sorted(find(value), reverse=True):
            value = value[:start] + REDACTED + value[end:]
    return value


def _e_mails(value: str) -> Iterator[tuple[int, int]]:
    return (found.span() for found in _E_MAIL.finditer(value))


def _ibans(value: str) -> Iterator[tuple[int, int]]:
    for found in _IBAN_START.finditer(value):
        longest = min(found.start() + _IBAN_LONGEST, len(value))
        # words may follow the number, so the longest valid stretch is looked for
        ends = (end for end in range(longest, found.end(), -1) if iban.is_valid(value[found.start() : end]))
        if end := next(ends, None):
            yield found.start(), found.start() + len(value[found.start() : end].rstrip())


def _national_numbers(value: str) -> Iterator[tuple[int, int]]:
    for found in _NATIONAL_NUMBER.finditer(value):
        digits = re.sub(r"\D", "", found.group())
        if nn.is_valid(digits) or bis.is_valid(digits):
            yield found.span()


def _phones(value: str) -> Iterator[tuple[int, int]]:
    return ((found.start, found.end) for found in phonenumbers.PhoneNumberMatcher(value, "BE"))
