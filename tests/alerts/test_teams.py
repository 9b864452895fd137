"""Cards in Teams: by the rules of Adaptive Cards 1.5, in both envelopes, and never with the address in a message."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import SecretStr

from orchestration.alerts.card import card, notice
from orchestration.alerts.channels import DeliveryError, HeldError, LineBrokenError, RefusedError
from orchestration.alerts.digest import Digest, notes
from orchestration.alerts.facts import facts
from orchestration.alerts.teams import Envelope, Teams, Webhook, Webhooks, webhooks
from tests.alerts.servers import Flow, flowing, free_port
from warehouse.state import OutboxMessage

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
# what the schema of 1.5 says of the elements that we use; it forbids every other property
TEXT_BLOCK = {
    "type": {"const": "TextBlock"},
    "text": {"type": "string", "minLength": 1},
    "wrap": {"type": "boolean"},
    "isSubtle": {"type": "boolean"},
    "size": {"enum": ["Default", "Small", "Medium", "Large", "ExtraLarge"]},
    "weight": {"enum": ["Default", "Lighter", "Bolder"]},
    "color": {"enum": ["Default", "Dark", "Light", "Accent", "Good", "Warning", "Attention"]},
    "spacing": {"enum": ["Default", "None", "Small", "Medium", "Large", "ExtraLarge", "Padding"]},
    "style": {"enum": ["default", "heading"]},
}
CONTAINER = {
    "type": {"const": "Container"},
    "items": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/element"}},
    "separator": {"type": "boolean"},
    "spacing": TEXT_BLOCK["spacing"],
}


FACT = {"title": {"type": "string", "minLength": 1}, "value": {"type": "string", "minLength": 1}}
OPEN_URL = {
    "type": {"const": "Action.OpenUrl"},
    "title": {"type": "string", "minLength": 1},
    "url": {"type": "string", "pattern": "^https?://"},
}


def _closed(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": ["type", *required], "additionalProperties": False}


def _list_of(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    item = {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}
    return {"type": "array", "minItems": 1, "items": item}


RULES = {
    **_closed(
        {
            "$schema": {"const": "http://adaptivecards.io/schemas/adaptive-card.json"},
            "type": {"const": "AdaptiveCard"},
            "version": {"const": "1.5"},
            "lang": {"enum": ["nl", "en"]},
            "fallbackText": {"type": "string", "minLength": 1},
            "body": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/element"}},
        },
        "version",
        "body",
    ),
    "$defs": {
        "element": {
            "oneOf": [
                _closed(TEXT_BLOCK, "text"),
                _closed(CONTAINER, "items"),
                _closed({"type": {"const": "FactSet"}, "facts": _list_of(FACT, "title", "value")}, "facts"),
                _closed(
                    {"type": {"const": "ActionSet"}, "actions": _list_of(OPEN_URL, "type", "title", "url")}, "actions"
                ),
            ]
        }
    },
}


def checked(content: bytes) -> dict[str, Any]:
    """A card by the rules of 1.5, without Teams' own key, which they do not know."""
    read: dict[str, Any] = json.loads(content)
    assert read.pop("msteams") == {"width": "Full"}
    jsonschema.validate(read, RULES)
    return read


def texts(element: dict[str, Any]) -> list[str]:
    below = [text for each in (*element.get("body", ()), *element.get("items", ())) for text in texts(each)]
    below += [f"{fact['title']}: {fact['value']}" for fact in element.get("facts", ())]
    return [element["text"], *below] if "text" in element else below


def a_card(department: str = "mobiliteit") -> OutboxMessage:
    content = notice("test", ["een regel"], "Kortrijk", is_synthetic=False)
    return OutboxMessage(f"k:{department}", department, "2026-W48", "b", "s", content, NOW, channel="teams")


def teams(url: str, envelope: Envelope = Envelope.MESSAGE, **more: Any) -> Teams:  # noqa: ANN401 - those of the class
    return Teams(Webhooks({"mobiliteit": Webhook(SecretStr(url), envelope)}), **more)


def fault_of(channel: Teams, row: OutboxMessage | None = None) -> DeliveryError:
    with channel.open() as deliver, pytest.raises(DeliveryError) as caught:
        deliver(row or a_card())
    assert "GEHEIM" not in str(caught.value) + repr(channel)
    return caught.value


# --- the card ----------------------------------------------------------------------------------------------------


def test_the_card_of_a_digest_keeps_the_rules_and_tells_what_the_mail_tells(
    told: Callable[..., list[Digest]],
) -> None:
    at_risk = {"status": "at_risk", "status_nl": "let op", "target_id": "shared_cars", "title_nl": "Deelwagens"}
    (digest,) = told({}, at_risk)
    read = checked(card(digest, "Kortrijk", is_synthetic=True))
    said = texts(read)
    assert said[0] == "SYNTHETISCHE GEGEVENS (demo)"
    assert said[1] == "1 doelstelling achter op schema, 1 doelstelling om op te letten – afdeling Mobiliteit"
    assert "Laadpunten (stand): achter op schema" in said
    assert "Deelwagens: let op" in said
    assert any(text.startswith("Laadpunten: 905 op 22/11/2026.") for text in said)
    assert read["lang"] == "nl"


def test_a_card_tells_every_fact_of_the_mail_and_has_one_button(told: Callable[..., list[Digest]]) -> None:
    (digest,) = told({}, {"target_id": "due", "status": "overdue", "is_disputed": True, "attention_nl": "Een vraag."})
    lines = tuple(replace(line, plan_nl="Een plan.", link="https://bord.stad.test/d/a") for line in digest.lines)
    content = card(replace(digest, lines=lines), "Kortrijk", is_synthetic=False)
    said = "\n".join(texts(checked(content))).replace("\\", "")
    for line in lines:
        for fact in facts(line, digest.as_of):
            assert f"{fact.label}: {fact.words}" in said
        assert all(words in said for words in notes(line))
    assert content.decode().count('"Action.OpenUrl"') == len(lines)


def test_real_data_is_not_called_synthetic_on_a_card(told: Callable[..., list[Digest]]) -> None:
    (digest,) = told({})
    assert "SYNTHET" not in card(digest, "Kortrijk", is_synthetic=False).decode()


def test_a_card_is_never_larger_than_teams_takes_and_says_how_many_are_left(told: Callable[..., list[Digest]]) -> None:
    long = {"sentence_nl": "Een zin met één letter van twee bytes. " * 60}
    (digest,) = told(*({"target_id": f"t{number}", **long} for number in range(30)))
    content = card(digest, "Kortrijk", is_synthetic=True)
    checked(content)
    assert len(content) < 25_000
    (digest,) = told(*({"target_id": f"t{number}"} for number in range(14)))
    assert "En nog 4: ze staan in de mail." in texts(checked(card(digest, "Kortrijk", is_synthetic=False)))


def test_signs_of_markdown_in_a_title_stay_what_they_are(told: Callable[..., list[Digest]]) -> None:
    (digest,) = told({"title_nl": "[klik](http://kwaad.test) *nu*"})
    assert "\\[klik\\](http://kwaad.test) \\*nu\\*: achter op schema" in texts(
        checked(card(digest, "Kortrijk", is_synthetic=False))
    )


@pytest.mark.parametrize(
    "broken",
    [{"version": "1.6"}, {"body": []}, {"body": [{"type": "TextBlock", "tekst": "a"}]}, {"body": [{"type": "Table"}]}],
)
def test_the_rules_see_a_card_that_breaks_them(broken: dict[str, Any]) -> None:
    right = json.loads(a_card().message)
    with pytest.raises(jsonschema.ValidationError):
        checked(json.dumps(right | broken).encode())


# --- the flow ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("envelope", list(Envelope))
def test_a_flow_gets_the_card_in_the_envelope_it_wants(envelope: Envelope) -> None:
    flow = Flow()
    with flowing(flow) as url, teams(url, envelope).open() as deliver:
        deliver(a_card())
    (sent,) = flow.cards()
    if envelope is Envelope.MESSAGE:
        assert sent["type"] == "message"
        (attachment,) = sent["attachments"]  # type: ignore[misc]
        assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
        sent = attachment["content"]
    assert sent == json.loads(a_card().message)
    assert flow.keys == ["k:mobiliteit"]


def test_a_flow_that_asks_to_wait_is_given_that_time_and_then_gets_the_card() -> None:
    flow, waits = Flow([(429, {"Retry-After": "7"}, b""), (429, {}, b""), (202, {}, b"")]), list[float]()
    with flowing(flow) as url, teams(url, sleep=waits.append).open() as deliver:
        deliver(a_card())
    assert (len(flow.got), waits) == (1, [7.0, 5.0])


def test_a_flow_that_asks_for_an_hour_is_left_alone_until_the_next_sending() -> None:
    waits: list[float] = []
    with flowing(Flow([(429, {"Retry-After": "3600"}, b"")])) as url:
        fault = fault_of(teams(url, sleep=waits.append))
    assert isinstance(fault, LineBrokenError)
    assert "asks us to wait" in str(fault)
    assert waits == []


@pytest.mark.parametrize(
    ("status", "kind", "says"),
    [
        (400, RefusedError, 'set `envelope` of this line to "card"'),
        (413, RefusedError, "larger than the flow takes"),
        (401, LineBrokenError, "copy the address of its trigger again"),
        (403, LineBrokenError, "let anyone start it"),
        (404, LineBrokenError, "often because its owner left: make it again with two owners"),
        (302, LineBrokenError, "copy the address of its trigger again"),
        (502, LineBrokenError, "tried again by itself"),
    ],
)
def test_a_flow_that_refuses_says_what_to_do(status: int, kind: type[DeliveryError], says: str) -> None:
    # a flow may repeat the address it was called at
    headers = {"Location": "https://elders.test/?sig=GEHEIM-3"} if status == 302 else {}
    with flowing(Flow([(status, headers, b'{"error": "workflows/GEHEIM-1?sig=GEHEIM-2"}')])) as url:
        fault = fault_of(teams(url))
    assert type(fault) is kind
    assert says in str(fault)
    assert f"HTTP {status}" in str(fault)


def test_a_flow_that_says_nothing_is_not_waited_for_and_its_address_not_told() -> None:
    with flowing(Flow(silent_for=5)) as url:
        fault = fault_of(teams(url, deadline_seconds=0.3))
    assert isinstance(fault, LineBrokenError)
    assert "the Teams flow of mobiliteit could not be reached" in str(fault)


def test_a_flow_that_is_not_there_is_told_without_its_address() -> None:
    fault = fault_of(teams(f"http://127.0.0.1:{free_port()}/workflows/GEHEIM-1?sig=GEHEIM-2"))
    assert isinstance(fault, LineBrokenError)
    assert "the Teams flow of mobiliteit could not be reached" in str(fault)


def test_a_department_without_a_flow_is_held_and_nobody_is_called() -> None:
    assert isinstance(fault_of(Teams(Webhooks()), a_card("wonen")), HeldError)


# --- the file with addresses -------------------------------------------------------------------------------------

HEADER = "department_id;url;envelope\n"
GOOD = "https://default123.environment.api.powerplatform.com/workflows/GEHEIM-1/invoke?api-version=1&sig=GEHEIM-2"


def test_the_addresses_are_read_from_a_file_and_no_repr_shows_one(tmp_path: Path) -> None:
    path = tmp_path / "teams.csv"
    path.write_text(f"\ufeff{HEADER}mobiliteit;{GOOD};\nwonen; {GOOD} ;card\n", encoding="utf-8")
    found = webhooks(path)
    assert {name: hook.envelope for name, hook in found.known.items()} == {"mobiliteit": "message", "wonen": "card"}
    assert found.known["wonen"].address == SecretStr(GOOD)
    assert "GEHEIM" not in repr(found)
    assert found.faults == ()


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("wonen;http://stad.test/GEHEIM;", "holds no https address"),
        ("wonen;;", "holds no https address"),
        ("wonen;https://[GEHEIM;", "holds no address that can be read"),
        (
            "wonen;https://stad.webhook.office.com/webhookb2/GEHEIM;",
            "an Office 365 connector, which Microsoft has ended",
        ),
        ("wonen;https://prod-1.westeurope.logic.azure.com/workflows/GEHEIM;", "an address of before December 2025"),
        (f"wonen;{GOOD};envelop", "an envelope that is neither message nor card"),
        (f"mobiliteit;{GOOD};", "names a department a second time"),
    ],
)
def test_a_line_that_is_wrong_is_told_with_its_number_and_takes_no_other_with_it(
    tmp_path: Path, line: str, says: str
) -> None:
    path = tmp_path / "teams.csv"
    path.write_text(f"{HEADER}mobiliteit;{GOOD};\n{line}\n", encoding="utf-8")
    found = webhooks(path)
    assert list(found.known) == ["mobiliteit"]
    (fault,) = found.faults
    assert "teams.csv: line 3 " in fault
    assert says in fault
    assert "GEHEIM" not in fault


@pytest.mark.parametrize(("content", "says"), [(None, "cannot be read"), ("a;b\n", "lacks the column department_id")])
def test_a_file_that_cannot_be_used_is_told(tmp_path: Path, content: str | None, says: str) -> None:
    path = tmp_path / "teams.csv"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    (fault,) = webhooks(path).faults
    assert says in fault
    assert webhooks(path).known == {}
    assert webhooks(None) == Webhooks()
