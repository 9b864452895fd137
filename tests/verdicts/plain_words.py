"""What no reader may find in a sentence, a mail or a table: words that do not fit the day or the figure beside them."""

import re
from collections.abc import Iterator
from datetime import date

_ASKED_TODAY = re.compile(r"[Oo]p (\d\d/\d\d/\d{4}) vraagt het pad|[Pp]ad vraagt op (\d\d/\d\d/\d{4})")
_REACHED = re.compile(r"doel van (\S+)[^.]* is behaald")
_FORBIDDEN = {
    r"\bnu\b": "a figure has a day, and it is not now",
    r"(?<![\w/])-\d": "a hyphen is no minus",
    r"\{|\}": "a template was not filled",
    r" [.,;:](?!\w)": "a figure is missing",
    r"[Oo]ver tijd|\(bijna\)|[Dd]e laatste tijd|[Vv]anaf nu": "not how it is said",
}


def faults(text: str, as_of: date) -> Iterator[str]:
    """What is wrong with Dutch words of a build for `as_of`, whatever they are about."""
    for pattern, why in _FORBIDDEN.items():
        if found := re.search(pattern, text):
            yield f"{why}: {found.group()!r}"
    for asked in _ASKED_TODAY.finditer(text):
        if (asked[1] or asked[2]) != f"{as_of:%d/%m/%Y}":
            yield f"asks today what it asked on another day: {asked.group()!r}"
    if re.search(r"(?<!\d{4} vraagt )het pad vraagt(?! op)", text):
        yield "the path asks, and nobody knows when"
    if "nog niet achter" in text.casefold() and "achterstand" in text.casefold():
        yield "not behind, and behind"


def direction_faults(text: str, direction_sign: int) -> Iterator[str]:
    """What is wrong for a target of which more is better (1) or less is (-1)."""
    if direction_sign > 0 and re.search(r"te veel|te hoog|gedaald", text):
        yield "too much of what there should be more of"
    if direction_sign < 0 and re.search(r"te weinig(?! gedaald| om dit oordeel)|meer dan gevraagd", text):
        yield "too little of what there should be less of"


def number(words: str) -> float:
    """The figure that Dutch words begin with."""
    found = re.match(r"(−?)([\d.]+(?:,\d+)?)", words)
    if found is None:
        raise ValueError(f"no figure in {words!r}")
    return float(found[2].rstrip(".").replace(".", "").replace(",", ".")) * (-1 if found[1] else 1)


def reached_faults(text: str, direction_sign: int) -> Iterator[str]:
    """A target that is said to be reached names the figure that reached it, and that figure does."""
    if (said := _REACHED.search(text)) is None:
        return
    by = re.search(r"met (\S+)", text) or re.search(r": (\S+)[^:]* op ", text)
    if by is None or direction_sign * (number(by[1]) - number(said[1])) < 0:
        yield "reached, beside a figure that does not reach it"
