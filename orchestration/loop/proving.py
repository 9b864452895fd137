"""Proves that a way works by sending a test along it, past the outbox: it is no alert, and nothing counts it.

Belongs here: the test message and what became of it. Does not belong here: what a fault means (`alerts`).
"""

from datetime import datetime
from typing import NamedTuple

from orchestration.alerts.card import notice
from orchestration.alerts.channels import DeliveryError
from orchestration.alerts.data_team import proof, proof_words
from orchestration.alerts.outbox import MAIL
from orchestration.alerts.teams import TEAMS
from orchestration.loop.fallback import to_data_team
from orchestration.loop.ways import Ways, ways_of, written_for
from orchestration.settings import Settings
from warehouse.state import OutboxMessage


class Proof(NamedTuple):
    """Whether a test left by a way, and where to, or what is wrong."""

    way: str
    is_delivered: bool
    told: str


def prove(settings: Settings, department: str, now: datetime, only: str | None = None) -> list[Proof]:
    """Sends a test to one department by every way that is set, or by one of them."""
    ways = ways_of(settings, settings.as_of(now))
    faults = [Proof(TEAMS, is_delivered=False, told=fault) for fault in ways.teams.webhooks.faults]
    asked = [MAIL, *([TEAMS] if settings.teams else [])]
    tried = [_prove(settings, ways, way, department, now) for way in asked if only in (None, way)]
    return [*tried, *(fault for fault in faults if only in (None, TEAMS))]


def _prove(settings: Settings, ways: Ways, way: str, department: str, now: datetime) -> Proof:
    try:
        with ways.open() as deliver:
            deliver(_test(settings, ways, way, department, now))
    except DeliveryError as fault:
        return Proof(way, is_delivered=False, told=str(fault))
    return Proof(way, is_delivered=True, told=_taken(settings, way, department, is_file=ways.is_file(way, department)))


def _taken(settings: Settings, way: str, department: str, *, is_file: bool) -> str:
    if is_file:
        return f"written into {settings.layout.mail}: no mail server is set, or no address for {department}"
    if way == TEAMS:
        return f"taken by the flow of {department}: look whether the card is in the channel"
    server = f"{settings.smtp_host}:{settings.smtp_port}"
    return f"taken by {server} for {department}: look whether it came, in the spam folder too"


def _test(settings: Settings, ways: Ways, way: str, department: str, now: datetime) -> OutboxMessage:
    subject, lines = proof_words(department, now)
    key = f"{settings.city.name}:{department}:test:{now:%Y%m%dT%H%M%S%f}"
    if way == TEAMS:
        content = notice(subject, lines, settings.city.title_nl, is_synthetic=settings.layout.is_synthetic)
    else:
        writing = to_data_team(settings, now)._replace(recipient=written_for(ways.known, department))
        content = proof(key, department, writing).as_bytes()
    return OutboxMessage(key, department, f"{now:%Y-%m-%d}-test", "", subject, content, now, channel=way)
