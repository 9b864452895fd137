"""The page on which a head answers of a target, without a login: a link shows it, its buttons each give one answer.

Belongs here: what is shown and what becomes of what was filled in. Does not belong here: what an answer must say
(`answers`), who may give it (`links`), the process that serves this (`orchestration.web`).
"""

import asyncio
import logging
import sqlite3
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

import jinja2
import polars as pl
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from orchestration.alerts import wording
from orchestration.alerts.answering import answers_of, give
from orchestration.alerts.answers import (
    DISPUTE,
    DISPUTE_CLOSED,
    KINDS,
    LONGEST_TEXT,
    PLAN,
    SEEN,
    SNOOZE,
    SNOOZE_ENDED,
    AnswerRefusedError,
    Standing,
    day_written,
    standing_on,
)
from orchestration.alerts.digest import SYNTHETIC_BANNER
from orchestration.alerts.links import PAGE, SHOW, ForgedOrExpiredError, Link, keys_of, opened
from orchestration.alerts.rate import Rate
from orchestration.report import published_verdicts
from orchestration.settings import Settings
from warehouse.state import Answer, Plan

_log = logging.getLogger("ademruimte.web")
BUTTON = "antwoord"
MOST_BYTES: Final = 16 * 1024
PER_LINK, PER_MINUTE, OF_STRANGERS = 30, 600, 60
"""Requests a minute: of one link, of all links together, and of all that was never signed."""
_PATIENCE_SECONDS = 10
_MOST_FIELDS = 20
_FORM = "application/x-www-form-urlencoded"
_HEADS = (SEEN, SNOOZE, PLAN, DISPUTE)
_STYLE = Path(__file__).with_name("answers.css").read_text("utf-8")
_HASH = b64encode(sha256(_STYLE.encode()).digest()).decode()
HEADERS: Final = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
    "Content-Language": "nl-BE",
}
# what a page says that shows no target; which of several reasons it was is told to nobody
_SAID: Final[Mapping[int, str]] = {
    400: "Dit formulier kan niet gelezen worden. Open de link uit uw melding opnieuw.",
    403: "Deze link werkt niet of niet meer. Open de link uit uw nieuwste melding, of vraag het aan het datateam.",
    404: "Deze pagina bestaat niet, of deze doelstelling staat niet meer in het register.",
    405: "Deze pagina wordt niet op deze manier gebruikt. Open de link uit uw melding opnieuw.",
    408: "Het versturen duurde te lang. Probeer het opnieuw.",
    413: "Dit is te lang. Schrijf het korter.",
    415: "Dit formulier kan niet gelezen worden. Open de link uit uw melding opnieuw.",
    429: "Er kwamen te veel aanvragen tegelijk. Wacht een minuut en probeer het opnieuw.",
    500: "Er liep iets mis. Er is niets genoteerd. Probeer het later opnieuw.",
    503: "Uw antwoord kan nu niet genoteerd worden. Probeer het over een paar minuten opnieuw.",
}
_THANKS = "Genoteerd. Dank u wel."
_AGAIN = "Dit was al genoteerd. Er is niets veranderd."
_FAULTY = "Uw antwoord is nog niet genoteerd. Kijk het formulier hieronder na."


@dataclass(frozen=True, slots=True)
class _Fault:
    """What is wrong in which field of which form."""

    kind: str
    field: str
    told_nl: str


@dataclass(frozen=True, slots=True)
class Pages:
    """The pages of one profile."""

    settings: Settings
    per_link: Rate = field(default_factory=lambda: Rate(PER_LINK))
    all_links: Rate = field(default_factory=lambda: Rate(PER_MINUTE))
    strangers: Rate = field(default_factory=lambda: Rate(OF_STRANGERS))

    def app(self) -> Starlette:
        """What a server serves."""
        routes = [
            Route("/", self.front, methods=["GET"]),
            Route(f"/{PAGE}/{{token}}", self.show, methods=["GET"]),
            Route(f"/{BUTTON}/{{token}}", self.take, methods=["POST"]),
        ]
        faults = {HTTPException: _refused, OSError: _busy, sqlite3.Error: _busy, Exception: _broken}
        app = Starlette(routes=routes, exception_handlers=faults)
        # it would lead to whatever host the request names
        app.router.redirect_slashes = False
        return app

    async def front(self, request: Request) -> Response:  # noqa: ARG002 - as a route calls it
        """Says what this is."""
        return _page(200, "Hier antwoordt een afdeling op een melding. Open de link die in de melding staat.")

    async def show(self, request: Request) -> Response:
        """The story of a target and the buttons; it changes nothing, for mail scanners follow links too."""
        link, now = self._admitted(request, (SHOW,)), datetime.now(UTC)
        return await run_in_threadpool(self._shown, link, now)

    async def take(self, request: Request) -> Response:
        """One answer, by one button."""
        link, now = self._admitted(request, KINDS), datetime.now(UTC)
        return await run_in_threadpool(self._taken, link, await _form(request), now)

    def _admitted(self, request: Request, purposes: tuple[str, ...]) -> Link:
        """What the token of a request allows, unless there were too many.

        What was never signed is counted apart: a flood of it keeps no head out.
        """
        token, now = request.path_params["token"], time.monotonic()
        try:
            link = opened(token, purposes, keys_of(self.settings), self.settings.as_of(datetime.now(UTC)))
        except ForgedOrExpiredError:
            _held_to(self.strangers.wait("", now))
            raise HTTPException(403) from None
        _held_to(self.per_link.wait(link.to(SHOW).token_id, now) or self.all_links.wait("", now))
        return link

    def _taken(self, link: Link, said: Mapping[str, str], now: datetime) -> Response:
        if any(each.token_id == link.token_id for each in answers_of(self.settings)):
            return self._shown(link, now, _AGAIN)
        try:
            is_new = give(self.settings, _answer(link, said, now))
        except AnswerRefusedError as refused:
            fault = _Fault(link.purpose, refused.field, refused.fault.nl)
            return self._shown(link, now, _FAULTY, said=said, fault=fault, code=422)
        return self._shown(link, now, _THANKS if is_new else _AGAIN)

    def _shown(  # noqa: PLR0913 - what stands on a page is many things
        self,
        link: Link,
        now: datetime,
        notice: str = "",
        *,
        said: Mapping[str, str] | None = None,
        fault: _Fault | None = None,
        code: int = 200,
    ) -> Response:
        target = self._target(link.target_id)
        if target is None:
            return _page(404, _SAID[404])
        answers, today = answers_of(self.settings), self.settings.as_of(now)
        stands = standing_on(answers, today, ZoneInfo(self.settings.city.time_zone)).get(link.target_id, Standing())
        given = {each.token_id for each in answers}
        keys = keys_of(self.settings)
        buttons = {
            kind: link.to(kind).signed(keys)
            for kind in _kinds(link, target, stands)
            if link.to(kind).token_id not in given
        }
        layout = self.settings.layout
        return _page(
            code,
            notice,
            target=target,
            stands=stands,
            buttons=buttons,
            said=said or {},
            fault=fault,
            city=self.settings.city.title_nl,
            banner=SYNTHETIC_BANNER if layout.is_synthetic else "",
        )

    def _target(self, target_id: str) -> dict[str, Any] | None:
        try:
            verdicts = published_verdicts(self.settings)
        except LookupError:
            return None
        found = verdicts.filter(pl.col("target_id") == target_id)
        return None if found.is_empty() else found.row(0, named=True)


def _kinds(link: Link, target: Mapping[str, Any], stands: Standing) -> Iterator[str]:
    """What may be answered: by the head, and on a dispute by whoever supplies the figure."""
    supplies = link.department_id == target["data_owner_department_id"]
    if not supplies or link.department_id == target["department_id"]:
        yield from _HEADS
        if stands.snoozed_until:
            yield SNOOZE_ENDED
    if supplies and stands.dispute:
        yield DISPUTE_CLOSED


def _answer(link: Link, said: Mapping[str, str], now: datetime) -> Answer:
    answer = Answer(
        link.target_id,
        link.department_id,
        link.purpose,
        now,
        "web",
        reason=said.get("reason"),
        token_id=link.token_id,
    )
    if link.purpose == SNOOZE:
        return answer._replace(until=day_written("until", said.get("until", "")))
    if link.purpose == PLAN:
        fact, cause, action, owner = (said.get(name, "") for name in Plan._fields[:-1])
        due = day_written("due_date", said.get("due_date", ""))
        return answer._replace(plan=Plan(fact, cause, action, owner, due))
    return answer


def _held_to(seconds: int) -> None:
    if seconds:
        raise HTTPException(429, headers={"Retry-After": str(seconds)})


async def _form(request: Request) -> dict[str, str]:
    """What was filled in; of a field that comes twice the first."""
    if request.headers.get("content-type", _FORM).partition(";")[0].strip().lower() != _FORM:
        raise HTTPException(415)
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            body = await _body(request)
    except TimeoutError:
        raise HTTPException(408) from None
    except ClientDisconnect:
        raise HTTPException(400) from None
    try:
        fields = parse_qs(body.decode("ascii"), errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise HTTPException(400) from None
    return {name: values[0] for name, values in fields.items()}


async def _body(request: Request) -> bytes:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            raise HTTPException(413)
    return body


async def _refused(request: Request, fault: Exception) -> Response:  # noqa: ARG001 - as Starlette calls it
    code, headers = (fault.status_code, fault.headers) if isinstance(fault, HTTPException) else (500, None)
    return _page(code, _SAID.get(code, _SAID[400]), headers=headers)


async def _busy(request: Request, fault: Exception) -> Response:  # noqa: ARG001
    _log.error("an answer could not be read or kept: %s: %s", type(fault).__name__, fault)
    return _page(503, _SAID[503], headers={"Retry-After": "60"})


async def _broken(request: Request, fault: Exception) -> Response:  # noqa: ARG001
    _log.error("a page could not be shown: %s", type(fault).__name__)
    return _page(500, _SAID[500])


def _page(code: int, notice: str, *, headers: Mapping[str, str] | None = None, **shown: object) -> Response:
    text = _template().render(
        {"target": None, "banner": "", **shown}, style=_STYLE, notice=notice, button=BUTTON, longest=LONGEST_TEXT
    )
    return HTMLResponse(text, code, {**HEADERS, **(headers or {})})


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("orchestration.alerts", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {"day": wording.day, "sentence": wording.sentence, "unbroken": wording.unbroken}
    return environment.get_template("answers.html.j2")
