"""The door: nothing that names a person is written anywhere behind it.

Belongs here: the allow-list of columns, keyed pseudonyms, and the second net over text. Does not belong
here: whether a value is right (that is the gate).
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial

import phonenumbers
import polars as pl
from stdnum import iban
from stdnum.be import bis, nn

from contracts.vocabulary import LINE, Column, Received, SourceContract, TableContract
from ingestion.delivery import Delivery, Secret
from ingestion.errors import PermanentSupplierError

REDACTED = "[verwijderd]"
_FEWEST_ROWS = 5
_SHARE_OF_ROWS = 0.005
_LONGEST_NAME = 60
_LONGEST_CELL = 32_767
"""What a cell of a workbook can hold; more is no cell but a document."""
# whatever names a person holds a mail sign or seven digits, so only such cells are looked at closely
_SUSPECT = r"@|\d(?:[^\d]{0,3}\d){6}"
# numbers, dates and times as suppliers write them, but for the eleven digits of a national number; a telephone
# number starts with a zero or a plus, or has other signs between
_FIGURE = (
    r"^\s*(?:[+-]?(?:0|[1-9]\d{0,9}|[1-9]\d{11,})(?:[.,]\d+)?(?:[eE][+-]?\d{1,3})?"
    r"|\d{4}-?\d{2}-?\d{2}(?:[T ]\d{2}:?\d{2}(?::?\d{2}(?:[.,]\d{1,9})?)?)?(?:Z|[+-]\d{2}:?\d{2})?"
    r"|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}(?: \d{1,2}:\d{2}(?::\d{2})?)?)\s*$"
)
_KEY_DOMAIN = b"ademruimte:"
# bounded as RFC 5321 bounds it, so that a long text takes no quadratic time
_E_MAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_IBAN_START = re.compile(r"\b[A-Za-z]{2}\d{2}(?=[ A-Za-z0-9]{8})")
_IBAN_LONGEST = 42  # 34 characters and the blanks between groups of four
# not the decimals of a figure
_NATIONAL_NUMBER = re.compile(r"(?<!\d)(?<!\d[.,])\d{2}[.\s-]?\d{2}[.\s-]?\d{2}[.\s-]?\d{3}[.\s-]?\d{2}(?!\d)")
_BELGIAN_PHONE = re.compile(
    r"(?<!\d)(?<!\d[.,])(?:(?:\+|00)32[\s./-]?4\d{2}(?:[\s./-]?\d){6}|04\d{2}(?:[\s./-]?\d){6}"
    r"|0[1-9]\d?[\s./-]\d{2,3}(?:[\s./-]\d{2}){2})(?!\d)"
)
# how the identifiers of a person look; a pattern that takes one of them says nothing about its values
_PERSONS = ("85.07.30-033.28", "85-07-30-033-28", "0471/23.45.67", "0471-23-45-67", "a@b.be", "BE71 0961 2345 6769")
# a word that looks like a key or a token rather than the name of a column
_CODE = re.compile(r"(?=\S*\d)\S{12,}")
_BLANKS = re.compile(r"\s+")
_PSEUDONYM = re.compile(r"[0-9a-f]{64}")
_DECIMALS = re.compile(r"\d[.,]$")
_DIGITS = re.compile(r"\d+")
_MOST_NUMBERS = 300


@dataclass(frozen=True, slots=True)
class Admitted:
    """What came through the door.

    Attributes:
        tables: per table the allowed text columns and `line`.
        dropped_columns: per table the names, never the values, of columns no contract names.
        redactions: cells in which a direct identifier was replaced.
        key_id: of the newest key behind its pseudonyms; None where the contract has none.
    """

    tables: dict[str, pl.DataFrame]
    dropped_columns: dict[str, tuple[str, ...]]
    redactions: int
    key_id: str | None = None


class TooPersonalError(PermanentSupplierError):
    """A file in which direct identifiers are no slip."""


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys of the pseudonyms, oldest first: each is applied to what the one before it made.

    So a new key is applied to the old pseudonyms without knowing who they are, and a dwelling that comes in
    later gets the same pseudonym as before.
    """

    keys: tuple[Secret, ...]

    @property
    def key_id(self) -> str:
        """Names the newest key without telling it."""
        return key_id(self.keys[-1])

    def pseudonym(self, value: str, purpose: str) -> str | None:
        """64 hexadecimal digits for a value; None for an empty one."""
        normal = _BLANKS.sub(" ", value).strip().casefold()
        return _chained(normal, purpose, self.keys) if normal else None

    def renewed(self, pseudonym: str, purpose: str, since: str) -> str:
        """A pseudonym of an older key under the newest one.

        Args:
            pseudonym: what the key named `since` made.
            purpose: that of its column.
            since: the id of the newest key behind it.

        Raises:
            KeyMissingError: that key is not in the ring.
        """
        known = [key_id(key) for key in self.keys]
        if since not in known:
            raise KeyMissingError(f"the key {since} is not in the ring; restore the key file from its copy")
        return _chained(pseudonym, purpose, self.keys[known.index(since) + 1 :])

    def pseudonym_once(self, value: str, purpose: str, since: str | None) -> str | None:
        """The pseudonym of a value that may be one already: then the same one under the newest key.

        Args:
            value: a cell.
            purpose: that of its column.
            since: the id of the newest key behind the pseudonyms of its batch; None where it holds none.

        Raises:
            KeyMissingError: that key is not in the ring.
        """
        if since is None or not _PSEUDONYM.fullmatch(value):
            return self.pseudonym(value, purpose)
        return self.renewed(value, purpose, since)

    def holds(self, key: str | None) -> bool:
        """Whether the key of that id is in the ring."""
        return key in {key_id(each) for each in self.keys}


class KeyMissingError(LookupError):
    """A pseudonym was made with a key that is not there."""


def _chained(value: str, purpose: str, keys: tuple[Secret, ...]) -> str:
    for key in keys:
        purpose_key = hmac.digest(key.value.encode(), _KEY_DOMAIN + purpose.encode(), "sha256")
        value = hmac.digest(purpose_key, value.encode(), "sha256").hex()
    return value


def admit(delivery: Delivery, contract: SourceContract, ring: KeyRing, *, is_dropped: bool = False) -> Admitted:
    """Lets the columns of a contract in and everything else out.

    Args:
        delivery: what a source module brought.
        contract: whose tables and columns may pass; a table it does not promise is dropped whole.
        ring: the city's pseudonym keys; each purpose gets a key of its own.
        is_dropped: whether someone sent it as a file, who can send a better one.

    Raises:
        TooPersonalError: it was dropped, and over 0.5 % of its rows (at least 5) hold a direct identifier.
    """
    nets = _through(delivery.tables, contract, ring.pseudonym)
    if is_dropped:
        _require_few(list(nets.values()), delivery.origin)
    return _admitted(nets, _outside(delivery.tables, contract), contract, ring)


def readmit(kept: Admitted, contract: SourceContract, ring: KeyRing) -> Admitted:
    """Lets what came through the door of an older contract through today's.

    What holds a pseudonym keeps it, under the newest key; what was kept as it was and joins by a pseudonym today
    gets one.

    Args:
        kept: the text of a batch, with what its manifest says of it.
        contract: today's.
        ring: the city's pseudonym keys.

    Raises:
        KeyMissingError: the key of the batch is not in the ring.
    """
    nets = _through(kept.tables, contract, partial(ring.pseudonym_once, since=kept.key_id))
    outside = _outside(kept.tables, contract)
    dropped = {
        name: tuple(dict.fromkeys((*map(_shown, kept.dropped_columns.get(name, ())), *outside.get(name, ()))))
        for name in kept.dropped_columns | outside
    }
    admitted = _admitted(nets, dropped, contract, ring)
    return replace(admitted, redactions=kept.redactions + admitted.redactions)


def _through(
    tables: Mapping[str, pl.DataFrame], contract: SourceContract, pseudonym: Callable[[str, str], str | None]
) -> dict[str, "_Net"]:
    """The promised tables with their allowed columns, pseudonymised and through the second net."""
    promised = {table.name: table for table in contract.tables if table.name in tables}
    allowed = {
        name: frame.drop(_not_allowed(frame, promised[name])) for name, frame in tables.items() if name in promised
    }
    return {
        name: _netted(_pseudonymised(frame, promised[name].received, pseudonym), promised[name])
        for name, frame in allowed.items()
    }


def _not_allowed(frame: pl.DataFrame, table: TableContract) -> list[str]:
    return [column for column in frame.columns if column not in (*table.received.columns, LINE)]


def _outside(tables: Mapping[str, pl.DataFrame], contract: SourceContract) -> dict[str, tuple[str, ...]]:
    """Per table the columns that may not pass, by a name that may be shown."""
    promised = {table.name: table for table in contract.tables}
    outside = {
        name: _not_allowed(frame, promised[name]) if name in promised else frame.drop(LINE, strict=False).columns
        for name, frame in tables.items()
    }
    return {name: tuple(map(_shown, columns)) for name, columns in outside.items()}


def _admitted(
    nets: Mapping[str, "_Net"], dropped: dict[str, tuple[str, ...]], contract: SourceContract, ring: KeyRing
) -> Admitted:
    has_pseudonyms = any(table.received.pseudonyms for table in contract.tables)
    return Admitted(
        {name: net.frame for name, net in nets.items()},
        dropped,
        sum(net.cells for net in nets.values()),
        ring.key_id if has_pseudonyms else None,
    )


def _require_few(nets: list["_Net"], origin: str) -> None:
    """A few identifiers are a slip and are taken out; many are a column that should not have been sent."""
    rows, hit = sum(net.frame.height for net in nets), sum(net.rows for net in nets)
    if hit < _FEWEST_ROWS or hit <= _SHARE_OF_ROWS * rows:
        return
    columns = ", ".join(sorted({column for net in nets for column in net.columns}))
    raise TooPersonalError(
        f"{without_identifiers(origin)}: {hit} of {rows} rows hold a national number, telephone number, mail address "
        f"or account number (in {columns}); nothing of it was stored. Take them out and send it again"
    )


def _shown(column: str) -> str:
    """The name of a column nobody asked for: a file without a header puts a person there."""
    name = _CODE.sub(REDACTED, without_identifiers(column))
    return name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…"


def without_identifiers_in(content: object) -> object:
    """JSON of which every text went through `without_identifiers`, the names in it too."""
    if isinstance(content, str):
        return without_identifiers(content) if re.search(_SUSPECT, content) else content
    if isinstance(content, Mapping):
        return {without_identifiers_in(str(name)): without_identifiers_in(below) for name, below in content.items()}
    if isinstance(content, list | tuple):
        return [without_identifiers_in(below) for below in content]
    return content


def without_identifiers(text: str) -> str:
    """The text without mail addresses, account numbers, national numbers and telephone numbers.

    A text with hundreds of numbers is replaced whole: it is a list, and takes seconds to look through.
    """
    if sum(1 for _ in _DIGITS.finditer(text)) > _MOST_NUMBERS:
        return REDACTED
    for find in (_e_mails, _ibans, _national_numbers, _phones, _belgian_phones):
        # from the end, so that earlier positions stay true
        for start, end in sorted(find(text), reverse=True):
            text = text[:start] + REDACTED + text[end:]
    return text


def key_id(key: Secret) -> str:
    """Names a key without telling it: the first 8 hex digits of a hash of its own domain."""
    return hashlib.sha256(b"key id" + key.value.encode()).hexdigest()[:8]


def _pseudonymised(
    frame: pl.DataFrame, received: Received, pseudonym: Callable[[str, str], str | None]
) -> pl.DataFrame:
    for column, purpose in received.pseudonyms.items():
        if column in frame.columns:
            frame = _replaced(frame, column, {value: pseudonym(value, purpose) for value in _distinct(frame[column])})
    return frame


@dataclass(frozen=True, slots=True)
class _Net:
    """A table after the second net: how many cells and rows it changed, and in which columns."""

    frame: pl.DataFrame
    cells: int
    rows: int
    columns: tuple[str, ...]


def _netted(frame: pl.DataFrame, table: TableContract) -> _Net:
    """Looks through every column: a slip does not keep to the columns meant for text."""
    hit = pl.repeat(value=False, n=frame.height, dtype=pl.Boolean, eager=True)
    cells, columns = 0, []
    for name in frame.columns:
        if name == LINE or name in table.received.pseudonyms:
            continue
        suspects = _suspects(frame[name], _reading(table, name))
        is_key = any(column.name in table.key for column in _reading(table, name))
        changes = {old: new for old, new in _each(suspects, _without_key if is_key else _short).items() if old != new}
        if changes:
            changed = frame[name].is_in(list(changes)).fill_null(value=False)
            cells, hit = cells + int(changed.sum()), hit | changed
            columns.append(name)
            frame = _replaced(frame, name, changes)
    return _Net(frame, cells, int(hit.sum()), tuple(columns))


def _reading(table: TableContract, received: str) -> list[Column]:
    """The typed columns that are read from a received one."""
    return [column for column in table.columns if (column.reads or column.name) == received]


def _suspects(values: pl.Series, columns: list[Column]) -> pl.Series:
    """The cells worth a close look: not those that are what their own column asks for."""
    suspect = values.str.contains(_SUSPECT) | (values.str.len_bytes() > _LONGEST_CELL)
    typed = [column for column in columns if column.dtype != pl.String]
    if columns and len(typed) == len(columns):
        suspect &= ~values.str.contains(_FIGURE)
    for column in columns:
        if column.pattern and _vouches(column.pattern):
            suspect &= ~values.str.contains(rf"^(?:{column.pattern})$")
    return values.filter(suspect.fill_null(value=False))


@cache
def _vouches(pattern: str) -> bool:
    """Whether a pattern tells its own values from persons; one that takes any text does not."""
    return not any(re.search(pattern, person) for person in _PERSONS)


def _short(value: str) -> str:
    return without_identifiers(value[:_LONGEST_CELL])


def _without_key(value: str) -> str | None:
    """A key with an identifier in it is no key: emptied, its row is refused instead of taken for another."""
    return None if without_identifiers(value) != value else value


def _each(values: pl.Series, change: Callable[[str], str | None]) -> dict[str, str | None]:
    """The change of every distinct value; a hash or a phone search per row would cost minutes."""
    return {value: change(value) for value in _distinct(values)}


def _distinct(values: pl.Series) -> list[str]:
    return values.drop_nulls().unique().to_list()


def _replaced(frame: pl.DataFrame, column: str, changes: Mapping[str, str | None]) -> pl.DataFrame:
    if not changes:
        return frame
    old, new = list(changes), pl.Series(list(changes.values()), dtype=pl.String)
    return frame.with_columns(pl.col(column).replace(old, new))


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
    for found in phonenumbers.PhoneNumberMatcher(value, "BE"):
        if not _DECIMALS.search(value[max(found.start - 2, 0) : found.start]):
            yield found.start, found.end


def _belgian_phones(value: str) -> Iterator[tuple[int, int]]:
    """Those that the library overlooks because figures stand before them."""
    for found in _BELGIAN_PHONE.finditer(value):
        if phonenumbers.is_valid_number(phonenumbers.parse(found.group(), "BE")):
            yield found.span()
