"""What an Open311 server answers, as a list of rows: JSON or XML, whatever its address or header says.

Belongs here: the wire. What a field means for a city belongs in the source.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from ingestion.errors import PermanentSupplierError
from ingestion.http import Answer

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_BYTE_ORDER_MARK_AND_BLANKS = b"\xef\xbb\xbf \t\r\n"
_LARGEST_XML = 16 * 1024 * 1024
# an element takes a hundred bytes, also an empty one
_MOST_TAGS = 1_000_000
_DEEPEST = 4
# a code with leading zeros that was not quoted, as in the standard's own sample: 001 is no JSON number
_UNQUOTED_CODE = re.compile(rb'((?<!\\)":\s*)(-?0\d+)(?=\s*[,}\]])')
_LISTS = ("service_requests", "requests", "service_request_updates", "service_requests_updates", "updates")


def rows_of(answer: Answer) -> list[object]:
    """The rows of an answer, not necessarily objects.

    Raises:
        PermanentSupplierError: HTML, neither JSON nor XML, an entity or document type in it, or no list.
    """
    start = answer.body.lstrip(_BYTE_ORDER_MARK_AND_BLANKS)
    if start.startswith(b"<") and not start[:9].lower().startswith((b"<html", b"<!doctype")):
        return _rows_of_xml(answer)
    sent = _json(answer)
    if isinstance(sent, dict):
        # one request by its number comes alone; some wrap the list as the XML does
        lists = [sent[name] for name in _LISTS if isinstance(sent.get(name), list)]
        sent = lists[0] if lists else [sent] if "service_request_id" in sent else sent
    if not isinstance(sent, list):
        raise PermanentSupplierError("no_requests", answer.url_without_query)
    return sent


def _json(answer: Answer) -> object:
    try:
        return answer.json()
    except PermanentSupplierError:
        repaired = _UNQUOTED_CODE.sub(rb'\1"\2"', answer.body)
        if repaired == answer.body:
            raise
    return replace(answer, body=repaired).json()


def _rows_of_xml(answer: Answer) -> list[object]:
    shown = answer.url_without_query
    if len(answer.body) > _LARGEST_XML or answer.body.count(b"<") > _MOST_TAGS:
        raise PermanentSupplierError("xml_too_large", shown, size=len(answer.body) // 2**20)
    try:
        root = fromstring(answer.body, forbid_dtd=True)
    except DefusedXmlException as forbidden:
        raise PermanentSupplierError("xml_entities_answered", shown, why=type(forbidden).__name__) from None
    except (ParseError, ValueError, LookupError) as broken:
        raise PermanentSupplierError("no_xml", shown, size=len(answer.body), why=type(broken).__name__) from None
    if "service" not in _name(root) and "request" not in _name(root):
        raise PermanentSupplierError("no_xml_requests", shown)
    return [_content(row, _DEEPEST) for row in root]


def _content(element: "Element", depth: int) -> object:
    """Text, or the fields within; several of one name become a list."""
    if not len(element) or depth == 0:
        return (element.text or "").strip() or None
    fields: dict[str, object] = {}
    for name, value in _fields(element, depth):
        held = fields.get(name)
        fields[name] = value if name not in fields else [*held, value] if isinstance(held, list) else [held, value]
    return fields


def _fields(element: "Element", depth: int) -> Iterator[tuple[str, object]]:
    return ((_name(child), _content(child, depth - 1)) for child in element)


def _name(element: "Element") -> str:
    """The name without a namespace."""
    return str(element.tag).rpartition("}")[2].lower()
