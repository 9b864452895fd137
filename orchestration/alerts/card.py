"""A message as a card in Teams: Adaptive Card 1.5, the newest that Teams shows.

Belongs here: what stands on a card. Does not belong here: where it goes (`teams`).
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from orchestration.alerts import facts
from orchestration.alerts.digest import SYNTHETIC_BANNER, Digest, Line, notes

_VERSION = "1.5"
# Teams takes 28 KB, with its envelope
_MOST_BYTES = 24_000
_MOST_LINES = 10

Element = Mapping[str, Any]


def card(digest: Digest, city_title: str, *, is_synthetic: bool) -> bytes:
    """The card of a digest: what its subject says, and per target what the mail says of it, but for the picture."""
    groups = [("", digest.told), *((section.title, section.lines) for section in digest.sections)]
    late = {line.target_id for line in digest.told}
    body = [_title(f"{digest.heading} – {digest.reader_nl}")]
    room = _MOST_LINES
    for title, lines in groups:
        if lines and title:
            body.append(_text(title, weight="Bolder", spacing="Large"))
        body += [_target(line, digest.as_of, is_late=line.target_id in late) for line in lines[:room]]
        room = max(room - len(lines), 0)
    left = sum(len(lines) for _, lines in groups) - _MOST_LINES
    if left > 0:
        body.append(_text(f"En nog {left}: ze staan in de mail.", isSubtle=True))
    return _written(body, f"Ademruimte {city_title}", digest.heading, "nl", SYNTHETIC_BANNER if is_synthetic else "")


def notice(title: str, lines: Sequence[str], city_title: str, *, is_synthetic: bool) -> bytes:
    """A card for the data team: a title, and one line each."""
    body = [_title(title), *(_text(line) for line in lines)]
    return _written(body, f"Ademruimte {city_title}", title, "en", "SYNTHETIC DATA (demo)" if is_synthetic else "")


def _target(line: Line, as_of: date, *, is_late: bool) -> Element:
    said = (line.what_nl if is_late else None) or line.sentence_nl
    told = facts.facts(line, as_of) if is_late else facts.about(line)
    items = [
        _text(f"{line.title_nl}: {line.status_nl}", weight="Bolder"),
        _text(" ".join([said, *notes(line)]), spacing="Small"),
        *([_facts(told)] if told else []),
        *([_button(line.link)] if line.link else []),
    ]
    return {"type": "Container", "separator": True, "spacing": "Medium", "items": items}


def _facts(told: Sequence[facts.Fact]) -> Element:
    return {
        "type": "FactSet",
        "facts": [{"title": _unmarked(each.label), "value": _unmarked(each.words)} for each in told],
    }


def _button(link: str) -> Element:
    return {"type": "ActionSet", "actions": [{"type": "Action.OpenUrl", "title": facts.BUTTON, "url": link}]}


def _title(text: str) -> Element:
    return _text(text, size="Large", weight="Bolder", style="heading")


def _text(text: str, **looks: object) -> Element:
    return {"type": "TextBlock", "text": _unmarked(text), "wrap": True, **looks}


def _unmarked(text: str) -> str:
    """A TextBlock reads Markdown: what a person typed stays what it is."""
    return "".join(f"\\{sign}" if sign in "\\*_[]`#" else sign for sign in text)


def _written(body: list[Element], source: str, said: str, language: str, banner: str) -> bytes:
    """The card, without its last lines where it would be too large for Teams."""
    above = [_text(banner, weight="Bolder", color="Attention")] if banner else []
    content = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": _VERSION,
        "lang": language,
        "fallbackText": said,
        "body": [*above, *body, _text(source, isSubtle=True, size="Small", spacing="Medium")],
        # no part of the standard: Teams' own, for the width of the channel
        "msteams": {"width": "Full"},
    }
    written = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    if len(written) > _MOST_BYTES and len(body) > 1:
        return _written(body[:-1], source, said, language, banner)
    return written
