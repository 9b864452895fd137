"""What is kept of words that a stranger chose: the name of a file or of a column, a value outside its list.

Any of them may be somebody's name, and no list holds all names. So the other way round: words that we know are kept,
with all figures and signs, and of the words between them only a tag, by which the same words are known again.
Belongs here: which words those are, and the form that is left. Does not belong here: numbers and addresses of persons
(`door`).
"""

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import cache

from contracts.registry import all_cities, all_contracts
from contracts.vocabulary import SourceContract

# consonants alone: no name looks so, and the door finds no number in it
_SIGNS = "bcdfghjklmnpqrst"
_IN_SIGNS = str.maketrans("0123456789abcdef", _SIGNS)
_TAG = rf"~[{_SIGNS}]{{4,12}}(?![^\W\d_])"
_WORD = re.compile(rf"{_TAG}|[^\W\d_]+")
_LETTERS_OF_A_NAME = 4
_LETTERS_OF_A_VALUE = 12
_OFFICE = """
aantal aardgas adres afdeling afgewerkt afname alle alles april archief augustus backup bak bestaat bestand
bestanden bevestigd bijlage blad blok bomen bron caloric cijfers code column concept consumption controle copy
correctie csv dag dagtotalen data date datum day december deel def definitief doc docx doel doelen dood dossier
dossiers downloads eandata een einde elders electricity elektriciteit email en energie excel export exported exports
februari file final first fluvius fout from full gas gebied gebouw gebouwen gecorrigeerd gegevens gemeente geocode
goed groen gz half het historiek history hour id indicator indicatoren info injectie injection invoer jaar jaarlijks
jaartotalen januari jpg json juli juni kantoor klimaat kolom kopie koppeling kpi kwartaal kwartier kwartieren
kwartiertotalen kwh laadpalen laadpunten leeg leesmij lege levering lijst line maand maandelijks maandtotalen maart
maatregel maatregelen macro mail map meldingen meter meters meting metingen min minutes mobiliteit month naam name
namen niet nieuw nieuwe november nr nummer october ods offtake oktober onbekend oost opmerking opmerkingen oud oude
overzicht pagina part pdf periode png postcode publicatie rapport readme regel register registratie renovatie report
rij rijen rijksregisternummer second september sheet sjabloon slecht stad stand straat submeter submeting swing
tabel table tekst telefoon template test text tickets time tm tmp toelichting totaal total tussen txt type uit until
update upper utc uur uurtotalen validation value van verbruik verbruikshistoriek verbruikt versie version verwijderd
volume voorbeeld voorlopig voornaam vragen waarde week weg weken werkblad wijk wijziging xls xlsm xlsx xml year zip
zomaar zone
"""


def without_strange_words(text: str) -> str:
    """A name with a tag for each stretch of words that we do not know.

    The tag is short: of the people of a city several have the same one, so that it tells a file from the next and
    proves about nobody that it bears their name.
    """
    return tagged(text, lambda words: hashlib.sha256(words.encode()).hexdigest(), _LETTERS_OF_A_NAME)


def tagged(text: str, digest: Callable[[str], str], letters: int = _LETTERS_OF_A_VALUE) -> str:
    """A text with a tag for each stretch of words that we do not know.

    Args:
        text: what a stranger wrote.
        digest: hexadecimal digits for the words of a stretch.
        letters: how long a tag is.
    """
    told, strange, end = "", list[str](), 0
    written = unicodedata.normalize("NFC", text)

    def tag() -> str:
        return tag_of("_".join(strange), digest, letters) if strange else ""

    for found in _WORD.finditer(written):
        between, word = written[end : found.start()], found[0]
        goes_on = bool(strange) and not any(map(str.isdigit, between))
        end = found.end()
        if not _is_known(word) and goes_on:
            strange.append(word)
            continue
        told += tag() + between
        told, strange = (told + word, []) if _is_known(word) else (told, [word])
    return told + tag() + written[end:]


def tag_of(words: str, digest: Callable[[str], str], letters: int = _LETTERS_OF_A_VALUE) -> str:
    """What stands for a stretch of words, whatever their capitals and what stands between them."""
    joined = "_".join(_WORD.findall(words)).casefold()
    return f"~{digest(joined)[:letters].translate(_IN_SIGNS)}"


def is_known(text: str) -> bool:
    """Whether no word of a text is a stranger's."""
    return all(map(_is_known, _WORD.findall(unicodedata.normalize("NFC", text))))


def _is_known(word: str) -> bool:
    return len(word) == 1 or word.startswith("~") or word.casefold() in _known()


@cache
def _known() -> frozenset[str]:
    """The words of every promise, of the cities, and those that are written on any file of an office."""
    promised = " ".join(text for contract in all_contracts().values() for text in _written_in(contract))
    return frozenset((*_OFFICE.split(), *_words(promised), *_words(" ".join(all_cities()))))


def _words(text: str) -> Iterator[str]:
    return (word.casefold() for word in _WORD.findall(text))


def _written_in(contract: SourceContract) -> Iterator[str]:
    yield from (contract.name, *contract.endings)
    for table in contract.tables:
        yield table.name
        for each in table.fields:
            yield from (each.name, each.wire, each.spelt, *each.listed)
