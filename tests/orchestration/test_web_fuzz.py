"""`ademruimte web` under whatever schemathesis thinks of: links that we signed, and addresses that nobody did."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from orchestration.alerts.answers import DISPUTE, DISPUTE_CLOSED, KINDS, PLAN, SNOOZE, checked
from orchestration.alerts.links import PAGE, SHOW, VALID_FOR, Link, keys_of
from orchestration.alerts.pages import BUTTON
from tests.orchestration.answering import TODAY, Web, serving
from tests.orchestration.profiles import copy_profile

# some hundreds of requests, for as long as it is asked to try
pytestmark = pytest.mark.chaos
LOOKED, ANSWERED = (200, 403, 404, 429), (200, 400, 403, 404, 413, 415, 422, 429)
WHY = {"reason": "De plantdagen zijn in maart."}
FIELDS = {
    SNOOZE: WHY | {"until": "2027-03-01"},
    DISPUTE: WHY,
    DISPUTE_CLOSED: WHY,
    PLAN: {"fact": "a", "cause": "b", "action": "c", "owner": "d", "due_date": "2027-03-01"},
}
TARGET = "co2_territory_2030"
SECONDS = 40


def described(web: Web, folder: Path) -> Path:
    """What the process takes, as an OpenAPI document: one operation for each button, with links that it signed."""
    looked = {f"/{PAGE}/{{{SHOW}}}": {"get": operation(web, SHOW, LOOKED)}}
    answered = {f"/{BUTTON}/{{{kind}}}": {"post": operation(web, kind, ANSWERED) | form(kind)} for kind in KINDS}
    front = {"/": {"get": {"responses": pages(200)}}}
    document = {"openapi": "3.1.0", "info": {"title": "answers", "version": "1"}, "paths": front | looked | answered}
    file = folder / "openapi.json"
    file.write_text(json.dumps(document), "utf-8")
    return file


def operation(web: Web, purpose: str, codes: tuple[int, ...]) -> dict[str, object]:
    keys = keys_of(web.settings)
    # of many messages, for one link may be used so often a minute
    weeks = [f"2026-W{week:02d}" for week in range(1, 53)]
    signed = [Link(purpose, TARGET, "klimaat", week, TODAY + VALID_FOR).signed(keys) for week in weeks]
    token = {"name": purpose, "in": "path", "required": True, "schema": {"type": "string", "enum": signed}}
    return {"parameters": [token], "responses": pages(*codes)}


def pages(*codes: int) -> dict[str, object]:
    return {str(code): {"description": "a page", "content": {"text/html": {}}} for code in codes}


def form(kind: str) -> dict[str, object]:
    fields = {name: {"type": "string"} for name in FIELDS.get(kind, {})}
    media = {"schema": {"type": "object", "properties": fields}, "example": FIELDS.get(kind, {})}
    return {"requestBody": {"content": {"application/x-www-form-urlencoded": media}}}


def test_schemathesis_finds_no_page_that_breaks_and_no_answer_that_is_not_in_order(
    demo_home: Path, tmp_path: Path
) -> None:
    command = shutil.which("schemathesis", path=str(Path(sys.executable).parent)) or shutil.which("schemathesis")
    assert command, "schemathesis is one of the packages of `dev`"
    checks = "not_a_server_error,status_code_conformance,content_type_conformance,unsupported_method"
    with serving(copy_profile(demo_home, tmp_path / "var")) as web:
        words = [command, "run", str(described(web, tmp_path)), "--url", web.address, "--checks", checks]
        words += ["--max-time", str(SECONDS), "--seed", "17", "--continue-on-failure", "--max-examples", "300"]
        words += ["--warnings", "off", "--suppress-health-check", "all"]
        told = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300)
        assert told.returncode == 0, told.stdout[-5000:] + told.stderr[-2000:]
        assert requests.get(web.address, timeout=30).status_code == 200
    # forms of every kind went through; what is kept is in order, and once for each link
    assert {each.kind for each in web.given} == set(KINDS)
    assert len({each.token_id for each in web.given}) == len(web.given)
    for each in web.given:
        assert checked(each, TODAY) == each
