"""Verdicts and observations as a published build holds them, and the messages made of them."""

from collections.abc import Callable, Sequence
from datetime import date
from email.message import EmailMessage
from typing import Any

import polars as pl
import pytest

from orchestration.alerts.decisions import Evaluation, Knowledge
from orchestration.alerts.digest import Digest, Occasion, digests, message
from orchestration.alerts.policy import Window
from warehouse.state import Alert

AS_OF = date(2026, 11, 23)
MONDAY = Window(AS_OF, digest=True, urgent=True, next_digest=date(2026, 11, 30), next_urgent=AS_OF)
TUESDAY = Window(
    date(2026, 11, 24), digest=False, urgent=True, next_digest=date(2026, 11, 30), next_urgent=date(2026, 11, 25)
)
BUILD = "20261123T060000000000Z-0123456789ab"
DEPARTMENTS = pl.DataFrame(
    {"department_id": ["mobiliteit", "wonen"], "name_nl": ["Mobiliteit", "Wonen"], "name_en": ["Mobility", "Housing"]}
)
BEHIND = {
    "target_id": "charge_points_total",
    "kpi_id": "charge_points_total",
    "department_id": "mobiliteit",
    "data_owner_department_id": "mobiliteit",
    "title_nl": "Laadpunten (stand)",
    "unit": "charge points",
    "status": "behind",
    "status_nl": "achter op schema",
    "value": 905.0,
    "required_value": 1078.4,
    "gap": -173.4,
    "value_nl": "905 laadpunten",
    "target_nl": "1.326 laadpunten",
    "required_nl": "1.078 laadpunten",
    "required_today_nl": "1.079 laadpunten",
    "gap_nl": "173 te weinig",
    "attention_nl": None,
    "is_disputed": False,
    "story_id": None,
    "story_nl": None,
    "status_since": date(2026, 6, 30),
    "months_behind": 4.0,
    "is_binding": True,
    "is_first_of_story": True,
    "is_alarm": True,
    "unit_nl": "laadpunten",
    "baseline_value": 660.0,
    "target_value": 1326.0,
    "target_date": date(2030, 12, 31),
    "ref_date": date(2026, 11, 22),
    "sentence_nl": "Laadpunten: 905 op 22/11/2026. Het pad vroeg toen 1.078: 173 te weinig. Dat is één op zes.",
}
_TYPES = {float: pl.Float64, bool: pl.Boolean}
SCHEMA = {
    name: pl.Date if name.endswith(("_date", "_since")) else _TYPES.get(type(value), pl.String)
    for name, value in BEHIND.items()
}
ALARMING = ("behind", "overdue")


@pytest.fixture(scope="session")
def verdicts() -> Callable[..., pl.DataFrame]:
    """Builds verdict rows: each argument changes the row of a target that is behind."""

    def build(*changes: dict[str, Any]) -> pl.DataFrame:
        rows = [BEHIND | {"is_alarm": change.get("status", "behind") in ALARMING} | change for change in changes]
        for row in rows:
            row["story_id"] = row["story_id"] or row["target_id"]
            if row["status"] == "at_risk" and row["attention_nl"] is None:
                row["attention_nl"] = "Niet op het pad."
        return pl.DataFrame(rows, schema=SCHEMA)

    return build


@pytest.fixture(scope="session")
def told(verdicts: Callable[..., pl.DataFrame]) -> Callable[..., list[Digest]]:
    """What departments are told of the verdict rows that the changes describe, and of what they know."""

    def build(
        *changes: dict[str, Any],
        rejudged: dict[str, str | None] | None = None,
        known: Sequence[Alert] = (),
        window: Window = MONDAY,
    ) -> list[Digest]:
        rows = verdicts(*changes)
        stories = dict(rows.select("target_id", "story_id").iter_rows())
        knowledge = Knowledge(known, stories, "Europe/Brussels")
        decided = Evaluation(rows, knowledge, {}, rejudged or {}, lambda _: window).decided()
        return digests(rows, DEPARTMENTS, decided, Occasion(BUILD, AS_OF, window.day, rejudged or {}))

    return build


@pytest.fixture(scope="session")
def observations() -> pl.DataFrame:
    rows = [("charge_points_total", "34022", date(2024 + year, 11, 22), 700.0 + 100 * year) for year in range(3)]
    rows.append(("charge_points_total", "34022A00-", date(2026, 11, 22), 66.0))
    return pl.DataFrame(rows, schema=["kpi_id", "area_id", "ref_date", "value"], orient="row")


@pytest.fixture(scope="session")
def mail_of(observations: pl.DataFrame) -> Callable[..., EmailMessage]:
    """The mail of a digest, synthetic unless told otherwise."""

    def build(digest: Digest, recipient: str | None = None, *, is_synthetic: bool = True) -> EmailMessage:
        address = recipient or f"{digest.department_id}@kortrijk.example"
        return message(digest, observations, "databord@kortrijk.example", address, "Kortrijk", is_synthetic)

    return build
