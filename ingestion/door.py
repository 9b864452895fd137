"""The door: nothing that names a person is written anywhere behind it.

Belongs here: the allow-list of columns, keyed pseudonyms, and the second net over text. Does not belong
here: whether a value is right (that is the gate).
"""

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial

import phonenumbers
import polars as pl
from pydantic import SecretStr
from stdnum import iban
from stdnum.be import bis, nn, vat

from contracts.reading import left_by_spreadsheet
from contracts.vocabulary import LINE, Column, Field, Received, SourceContract, TableContract
from ingestion.delivery import Delivery
from ingestion.errors import PermanentSupplierError
from ingestion.known_words import is_known, tag_of, tagged, without_strange_words

REDACTED = "[verwijderd]"
_FEWEST_ROWS = 5
_SHARE_OF_ROWS = 0.005
_LONGEST_NAME = 60
_LONGEST_CELL = 32_767
"""What a cell of a workbook can hold; more is no cell but a document."""
# whatever names a person holds a mail sign or seven digits, so only such cells are looked at closely
_SUSPECT = r"[@\uFF20\uFE6B]|%40|(?i:[(\[]at[)\]])|\d(?:[^\d]{0,5}\d){6}"
# numbers, dates and times as suppliers write them, but for the eleven digits of a national number; a telephone
# number starts with a zero or a plus, or has other signs between
_FIGURE = (
    r"^\s*(?:[+-]?(?:0|[1-9]\d{0,9}|[1-9]\d{11,})(?:[.,]\d+)?(?:[eE][+-]?\d{1,3})?"
    r"|\d{4}-?\d{2}-?\d{2}(?:[T ]\d{2}:?\d{2}(?::?\d{2}(?:[.,]\d{1,9})?)?)?(?:Z|[+-]\d{2}:?\d{2})?"
    r"|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}(?: \d{1,2}:\d{2}(?::\d{2})?)?)\s*$"
)
_KEY_DOMAIN = b"ademruimte:"
# what stands between the digits of a number that a person wrote; dashes of every length are folded into one
_GAP = r"[\s./_-]{0,3}"
# bounded as RFC 5321 bounds it, so that a long text takes no quadratic time; with blanks around the sign the end must
# be a word, for "3 @ 5.5 kW" is no address
_E_MAIL = re.compile(
    r"[\w.+%'-]{1,64}(?:@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}"
    r"|\s{0,3}@\s{0,3}[\w-]{1,63}(?:\.[\w-]{1,63}){0,7}\.[^\W\d_]{2,63}\b)"
)
_IBAN_START = re.compile(r"(?:(?<![a-z0-9])|(?<=iban))[a-z]{2}\d{2}(?=[\W_a-z0-9]{8})", re.IGNORECASE)
_IBAN_LONGEST = 42  # 34 characters and the blanks between groups of four
_NO_LETTER = re.compile(r"[^A-Za-z0-9]+")
# not the decimals of a figure; looked for at every digit, for the digits before it may fit too. What stands between
# may be anything: the check digits tell
_NATIONAL_NUMBER = re.compile(
    r"(?<!\d)(?<!\d[.,])(?=(\d{2}[\W_]{0,3}\d{2}[\W_]{0,3}\d{2}[\W_]{0,3}\d{3}[\W_]{0,3}\d{2})(?!\d))"
)
# bare digits between letters are more likely part of a code
_BELGIAN_PHONE = re.compile(
    rf"(?<!\d)(?<!\d[.,])(?:(?:(?:\+|00)32|(?<![A-Za-z])32){_GAP}4\d{{2}}(?:{_GAP}\d){{6}}|04\d{{2}}(?:{_GAP}\d){{6}}"
    rf"|(?<![A-Za-z])0[1-9]\d{{7}}(?![A-Za-z])|0[1-9]\d?[\s./_-]{{1,3}}\d{{2,3}}(?:[\s./_-]{{1,3}}\d{{2}}){{2}})(?!\d)"
)
# an enterprise number has the length of a mobile one; only as the register of enterprises writes it
_ENTERPRISE = re.compile(r"BE[ .]?[01]\d{3}[ .]?\d{3}[ .]?\d{3}(?!\d)|(?<!\d)[01]\d{3}\.\d{3}\.\d{3}(?!\d)")
# the name of a charge point (eMI3), of which the last part may be any number
_CHARGE_POINT = re.compile(r"\s*[A-Z]{2}\*?[A-Z0-9]{3}\*?E[A-Z0-9*]{1,31}\s*")
# how the identifiers of a person look, with signs and bare; a pattern that takes one of them says nothing about its
# values
_PERSONS = (
    *("85.07.30-033.28", "85-07-30-033-28", "85/07/30-033.28", "85 07 30 033 28", "85073003328"),
    *("0471/23.45.67", "0471-23-45-67", "0471 23 45 67", "0471234567", "471234567"),
    *("32471234567", "+32471234567", "0032471234567", "+32 471 23 45 67"),
    *("056277840", "056 27 78 40", "056/27.78.40", "+3256277840"),
    *("a@b.be", "jan.peeters@mail.be", "jan @ mail.be"),
    *("BE71 0961 2345 6769", "BE71-0961-2345-6769", "BE71096123456769", "be71096123456769"),
    *("https://x.be/0471234567", "https://x.be/0471234567/85073003328.pdf", "https://x.be/?q=a%40b.be"),
)
# a word that looks like a key or a token rather than the name of a column
_CODE = re.compile(r"(?=\S*\d)\S{12,}")
_BLANKS = re.compile(r"\s+")
_PSEUDONYM = re.compile(r"[0-9a-f]{64}")
# letters alone, so that the net takes nothing in it for a number when it is read again
_IN_LETTERS = str.maketrans("0123456789", "ghijklmnop")
_NAME_PURPOSE = "name"
_WORD_PURPOSE = "word"
# two letters in a row: a single one names nobody
_HAS_WORDS = r"\p{L}\p{M}*\p{L}"
_BY_CHANCE = 0.1
"""Of numbers of eleven digits that count up one in fifty passes for a national number; of those of persons all do."""
_DECIMALS = re.compile(r"\d[.,]$")
_NO_DIGIT = re.compile(r"[^\d+]+")
_NO_FIGURE = re.compile(r"\D+")
_DIGITS = re.compile(r"\d+")
_MOST_NUMBERS = 300
# as an address of the web or a careful person writes a sign
_WRITTEN_OUT = re.compile(r"%(?:40|2[0BDEF])|[(\[]at[)\]]|.", re.IGNORECASE | re.DOTALL)
_LOOK_ALIKES = {"\u2212": "-", "\u2043": "-", "\u02d7": "-", "\u2044": "/", "\u00b7": ".", "\u30fb": "."}
_SIGNS = {"%40": "@", "%20": " ", "%2B": "+", "%2D": "-", "%2E": ".", "%2F": "/", "(AT)": "@", "[AT]": "@"}


@dataclass(frozen=True, slots=True)
class Admitted:
    """What came through the door.

    Attributes:
        tables: per table the allowed text columns and `line`.
        dropped_columns: per table the names, never the values, of columns no contract names.
        redactions: cells in which a direct identifier was replaced, or that were replaced because they look like one.
        strange: cells of a column of listed words in which others were replaced.
        key_id: of the newest key behind its pseudonyms; None where the contract has none.
    """

    tables: dict[str, pl.DataFrame]
    dropped_columns: dict[str, tuple[str, ...]]
    redactions: int
    key_id: str | None = None
    strange: int = 0

    @property
    def is_as_sent(self) -> bool:
        """Whether all that was sent may be kept."""
        return not self.redactions and not self.strange and not any(self.dropped_columns.values())


class TooPersonalError(PermanentSupplierError):
    """A file in which direct identifiers are no slip."""


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys of the pseudonyms, oldest first: each is applied to what the one before it made.

    So a new key is applied to the old pseudonyms without knowing who they are, and a dwelling that comes in
    later gets the same pseudonym as before.
    """

    keys: tuple[SecretStr, ...]

    @property
    def key_id(self) -> str:
        """Names the newest key without telling it."""
        return key_id(self.keys[-1])

    def pseudonym(self, value: str, purpose: str) -> str | None:
        """64 hexadecimal digits for a value; None for an empty one.

        What a spreadsheet left in place of a name is nobody's: a pseudonym would hide from the gate that it is so.
        """
        if (left := left_by_spreadsheet(value)) is not None:
            return left
        normal = _BLANKS.sub(" ", value).strip().casefold()
        return _chained(normal, purpose, self.keys) if normal else None

    def name(self, value: str) -> str:
        """64 letters for a cell that names a row and looks personal, by the oldest key.

        A row must keep its name when a key is added: nobody makes the rows of every source again.
        """
        normal = _BLANKS.sub(" ", value).strip().casefold()
        return _chained(normal, _NAME_PURPOSE, self.keys[:1]).translate(_IN_LETTERS)

    def word(self, words: str) -> str:
        """Hexadecimal digits for words that stand where a listed one belongs, by the oldest key, as a name."""
        return _chained(words, _WORD_PURPOSE, self.keys[:1])

    def renewed(self, pseudonym: str, purpose: str, since: str) -> str:
        """A pseudonym of an older key under the newest one.

        Args:
            pseudonym: what the key named `since` made.
            purpose: that of its column.
            since: the id of the newest key behind it.

        Raises:
            KeyMissingError: that key is not in the ring.
        """
        if (left := left_by_spreadsheet(pseudonym)) is not None:
            return left
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


def _chained(value: str, purpose: str, keys: tuple[SecretStr, ...]) -> str:
    for key in keys:
        purpose_key = hmac.digest(key.get_secret_value().encode(), _KEY_DOMAIN + purpose.encode(), "sha256")
        value = hmac.digest(purpose_key, value.encode(), "sha256").hex()
    return value


def admit(
    delivery: Delivery,
    contract: SourceContract,
    ring: KeyRing,
    *,
    is_dropped: bool = False,
    is_for_its_sender: bool = False,
) -> Admitted:
    """Lets the columns of a contract in and everything else out.

    Args:
        delivery: what a source module brought.
        contract: whose tables and columns may pass; a table it does not promise is dropped whole.
        ring: the city's pseudonym keys; each purpose gets a key of its own.
        is_dropped: whether someone sent it as a file, who can send a better one.
        is_for_its_sender: whether nobody but who wrote it sees what comes of it: then his own words stay.

    Raises:
        TooPersonalError: it was dropped, and over 0.5 % of its rows (at least 5) hold a direct identifier. A bare
            number that names a row does not count, unless the numbers of its column are those of persons.
    """
    nets = _through(delivery.tables, contract, ring)
    if is_dropped:
        _require_few(list(nets.values()), delivery.origin)
    if is_for_its_sender:
        return _admitted(nets, _outside(delivery.tables, contract, _without_codes), contract, ring)
    return _admitted(_in_listed_words(nets, contract, ring), _outside(delivery.tables, contract), contract, ring)


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
    nets = _in_listed_words(_through(kept.tables, contract, ring, kept.key_id), contract, ring)
    outside = _outside(kept.tables, contract)
    dropped = {
        name: tuple(dict.fromkeys((*map(_shown, kept.dropped_columns.get(name, ())), *outside.get(name, ()))))
        for name in kept.dropped_columns | outside
    }
    admitted = _admitted(nets, dropped, contract, ring)
    return replace(admitted, redactions=kept.redactions + admitted.redactions)


def _through(
    tables: Mapping[str, pl.DataFrame], contract: SourceContract, ring: KeyRing, since: str | None = None
) -> dict[str, "_Net"]:
    """The promised tables with their allowed columns, pseudonymised and through the second net."""
    pseudonym = partial(ring.pseudonym_once, since=since)
    promised = {table.name: table for table in contract.tables if table.name in tables}
    allowed = {
        name: frame.drop(_not_allowed(frame, promised[name])) for name, frame in tables.items() if name in promised
    }
    return {
        name: _netted(_pseudonymised(frame, promised[name].received, pseudonym), promised[name], ring)
        for name, frame in allowed.items()
    }


def _not_allowed(frame: pl.DataFrame, table: TableContract) -> list[str]:
    return [column for column in frame.columns if column not in (*table.received.columns, LINE)]


def _outside(
    tables: Mapping[str, pl.DataFrame], contract: SourceContract, shown: Callable[[str], str] | None = None
) -> dict[str, tuple[str, ...]]:
    """Per table the columns that may not pass, by a name that may be shown."""
    promised = {table.name: table for table in contract.tables}
    outside = {
        name: _not_allowed(frame, promised[name]) if name in promised else frame.drop(LINE, strict=False).columns
        for name, frame in tables.items()
    }
    return {name: tuple(map(shown or _shown, columns)) for name, columns in outside.items()}


def _admitted(
    nets: Mapping[str, "_Net"], dropped: dict[str, tuple[str, ...]], contract: SourceContract, ring: KeyRing
) -> Admitted:
    has_pseudonyms = any(table.received.pseudonyms for table in contract.tables)
    return Admitted(
        {name: net.frame for name, net in nets.items()},
        dropped,
        sum(net.cells for net in nets.values()),
        ring.key_id if has_pseudonyms else None,
        sum(net.strange for net in nets.values()),
    )


def _require_few(nets: list["_Net"], origin: str) -> None:
    """A few identifiers are a slip and are taken out; many are a column that should not have been sent."""
    rows, hit = sum(net.frame.height for net in nets), sum(net.rows for net in nets)
    if hit < _FEWEST_ROWS or hit <= _SHARE_OF_ROWS * rows:
        return
    columns = ", ".join(sorted({column for net in nets for column in net.columns}))
    raise TooPersonalError("personal", without_identifiers(origin), hit=hit, rows=rows, columns=columns)


def _shown(column: str) -> str:
    """The name of a column nobody asked for: a file without a header puts a person there."""
    return without_strange_words(_without_codes(column))


def _without_codes(column: str) -> str:
    name = _CODE.sub(REDACTED, without_identifiers(column[:_LONGEST_CELL]))
    return name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…"


def name_to_show(name: str) -> str:
    """The name of a file or a column without the person in it: its figures, signs and the words that we know."""
    return without_strange_words(without_identifiers(name))


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
    # from the end, so that earlier positions stay true
    for start, end in reversed(_identifiers(text)):
        text = text[:start] + REDACTED + text[end:]
    return text


def _identifiers(text: str) -> list[tuple[int, int]]:
    """Where identifiers stand in a text, in order; those that touch are one."""
    folded, places = _folded(text)
    spans = {span for find in (_e_mails, _ibans, _national_numbers, _numbers_to_call) for span in find(folded)}
    joined: list[tuple[int, int]] = []
    for first, last in sorted((places[start], places[end - 1] + 1) for start, end in spans):
        if joined and first < joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], last)
        else:
            joined.append((first, last))
    return joined


def _folded(text: str) -> tuple[str, range | list[int]]:
    """The text as one would type it, and for each of its characters where it stood.

    Digits of other scripts become ours, dashes and blanks of every width one of each; what has no width is left out.
    """
    if text.isascii() and text.isprintable() and not any(sign in text for sign in "%(["):
        return text, range(len(text))
    letters, places = [], []
    for token in _WRITTEN_OUT.finditer(text):
        for letter in _SIGNS.get(token.group().upper()) or _plain(token.group()):
            letters.append(letter)
            places.append(token.end() - 1)
    return "".join(letters), places


def _plain(letter: str) -> str:
    """What a character is typed as; nothing for one without width."""
    if letter.isascii():
        return letter if letter >= " " or letter.isspace() else ""
    kind = unicodedata.category(letter)
    if kind == "Nd":
        return str(unicodedata.digit(letter))
    if kind in ("Cf", "Cc", "Mn", "Me"):
        return ""
    return "-" if kind == "Pd" else _LOOK_ALIKES.get(letter) or unicodedata.normalize("NFKC", letter)


def key_id(key: SecretStr) -> str:
    """Names a key without telling it: the first 8 hex digits of a hash of its own domain."""
    return hashlib.sha256(b"key id" + key.get_secret_value().encode()).hexdigest()[:8]


def _pseudonymised(
    frame: pl.DataFrame, received: Received, pseudonym: Callable[[str, str], str | None]
) -> pl.DataFrame:
    for column, purpose in received.pseudonyms.items():
        if column in frame.columns:
            frame = _replaced(frame, column, {value: pseudonym(value, purpose) for value in _distinct(frame[column])})
    return frame


@dataclass(frozen=True, slots=True)
class _Net:
    """A table after the second net.

    Attributes:
        cells: how many were changed.
        rows: how many hold what cannot be there by chance.
        columns: in which.
        strange: how many cells of columns of listed words held others.
    """

    frame: pl.DataFrame
    cells: int
    rows: int
    columns: tuple[str, ...]
    strange: int = 0


def _netted(frame: pl.DataFrame, table: TableContract, ring: KeyRing) -> _Net:
    """Looks through every column: a slip does not keep to the columns meant for text.

    In a column that names rows, or things of another table, a cell that looks personal is replaced by a keyed
    pseudonym: of ordinary numbers of ten digits one in two hundred passes for a telephone number, of those that begin
    with 047 all do. So the row stays, joins as before, and nothing in it can be dialled. The cell decides, not the
    column: one number must have one name in every delivery.
    """
    hit = pl.repeat(value=False, n=frame.height, dtype=pl.Boolean, eager=True)
    cells, columns = 0, []
    for name in frame.columns:
        if name == LINE or name in table.received.pseudonyms:
            continue
        is_name = _names_things(table, name)
        suspects = _suspects(frame[name], _reading(table, name))
        changes = _changes(suspects, ring.name if is_name else None)
        if changes:
            cells += int(frame[name].is_in(list(changes)).sum())
            certain = changes.keys() - (_by_chance(suspects, changes) if is_name else set())
            if certain:
                hit |= frame[name].is_in(list(certain)).fill_null(value=False)
                columns.append(name)
            frame = _replaced(frame, name, changes)
    return _Net(frame, cells, int(hit.sum()), tuple(columns))


def _in_listed_words(nets: Mapping[str, _Net], contract: SourceContract, ring: KeyRing) -> dict[str, _Net]:
    """The tables in which columns of listed words hold no other words."""
    return {name: _listed(net, contract.table(name), ring) for name, net in nets.items()}


def _listed(net: _Net, table: TableContract, ring: KeyRing) -> _Net:
    """A column of a list is read by its words alone, so any others say nothing of the row, and may name somebody.

    What the gate makes of a cell does not change by it.
    """
    frame, strange = net.frame, 0
    for name, fields in table.listed.items():
        if name in frame.columns:
            wordy = frame[name].filter(frame[name].str.contains(_HAS_WORDS).fill_null(value=False))
            changes = {old: new for old, new in _told(_distinct(wordy), fields, ring).items() if old != new}
            strange += int(frame[name].is_in(list(changes)).sum()) if changes else 0
            frame = _replaced(frame, name, changes)
    return replace(net, frame=frame, strange=strange)


def _told(cells: Iterable[str], fields: list[Field], ring: KeyRing) -> dict[str, str]:
    """What is kept of each cell: what was read of it, where it is read; else a tag for the words that are not known."""
    strange = [cell for cell in cells if "~" in cell or not is_known(cell)]
    read = _read_as(strange, fields[0])
    words = (word for each in fields for word in each.listed) if any("~" in cell for cell in strange) else ()
    # what was no word of the list when it was kept may be one today
    learnt = {tag_of(word, ring.word): word for word in words}
    return {
        cell: left_by_spreadsheet(cell) or read.get(cell) or learnt.get(cell) or tagged(cell, ring.word)
        for cell in strange
    }


def _read_as(cells: list[str], field: Field) -> dict[str, str]:
    """The word of its list as which each cell is read, where that is not looked up but looked for in the cell."""
    if not cells or field.read is None or not field.allowed:
        return {}
    reading = field.read(field.wire)
    if set(reading.meta.root_names()) != {field.wire}:
        return {}
    given = pl.DataFrame({field.wire: cells}, schema={field.wire: pl.String})
    read = given.select(reading).to_series()
    again = pl.DataFrame({field.wire: read}).select(reading).to_series()
    return {
        cell: word
        for cell, word, same in zip(cells, read, again, strict=True)
        if word in field.allowed and word == same
    }


def _names_things(table: TableContract, received: str) -> bool:
    """Whether a received column holds names of rows: those of the key, or others that look as they do."""
    keys = [column for column in table.columns if column.name in table.key]
    patterns = {column.pattern for column in keys if column.pattern}
    return any(column in keys or column.pattern in patterns for column in _reading(table, received))


def _changes(suspects: pl.Series, name: Callable[[str], str] | None) -> dict[str, str]:
    """The change of every distinct value; a hash or a phone search per row would cost minutes."""
    cleaned = {value: _short(value) for value in _distinct(suspects)}
    return {old: name(old) if name else new for old, new in cleaned.items() if old != new}


def _by_chance(suspects: pl.Series, changes: Iterable[str]) -> set[str]:
    """The cells that may be numbers of the supplier's own: nothing but digits looks personal in them.

    None where a tenth of the numbers of eleven digits passes for a national number: then they are just that.
    """
    long = [value for value in _distinct(suspects) if _NATIONAL_NUMBER.search(value)]
    if sum(1 for value in long if any(_national_numbers(value))) > _BY_CHANCE * len(long):
        return set()
    return {old for old in changes if all(old[start:end].isdigit() for start, end in _identifiers(old))}


def _reading(table: TableContract, received: str) -> list[Column]:
    """The typed columns that are read from a received one."""
    return [column for column in table.columns if column.wire == received]


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


def _distinct(values: pl.Series) -> list[str]:
    return values.drop_nulls().unique().to_list()


def _replaced(frame: pl.DataFrame, column: str, changes: Mapping[str, str] | Mapping[str, str | None]) -> pl.DataFrame:
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
        ends = (end for end in range(longest, found.end(), -1) if value[end - 1].isalnum())
        valid = (end for end in ends if iban.is_valid(_NO_LETTER.sub("", value[found.start() : end])))
        if end := next(valid, None):
            yield found.start(), end


def _national_numbers(value: str) -> Iterator[tuple[int, int]]:
    for found in _NATIONAL_NUMBER.finditer(value):
        digits = _NO_FIGURE.sub("", found[1])
        if nn.is_valid(digits) or bis.is_valid(digits):
            yield found.span(1)


def _numbers_to_call(value: str) -> Iterator[tuple[int, int]]:
    """Telephone numbers, but for what has their length and another meaning."""
    if _CHARGE_POINT.fullmatch(value):
        return
    companies = [found.span() for found in _ENTERPRISE.finditer(value) if vat.is_valid(found.group())]
    for find in (_phones, _belgian_phones):
        for start, end in find(value):
            if not any(first <= start and end <= last for first, last in companies):
                yield start, end


def _phones(value: str) -> Iterator[tuple[int, int]]:
    for found in phonenumbers.PhoneNumberMatcher(value, "BE"):
        if not _DECIMALS.search(value[max(found.start - 2, 0) : found.start]):
            yield found.start, found.end


def _belgian_phones(value: str) -> Iterator[tuple[int, int]]:
    """Those that the library overlooks because figures stand before them."""
    for found in _BELGIAN_PHONE.finditer(value):
        if phonenumbers.is_valid_number(phonenumbers.parse(_NO_DIGIT.sub("", found.group()), "BE")):
            yield found.span()
