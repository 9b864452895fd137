"""Verdicts and observations as a published build holds them, and the messages made of them."""

from collections.abc import Callable, Sequence
from datetime import date
from email.message import EmailMessage
from typing import Any

import polars as pl
import pytest

from orchestration.alerts.decisions import Evaluation, Knowledge
from orchestration.alerts.digest import Digest, Drawn, Occasion, digests, message
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
    "limit_value": None,
    "forecast_value": 1253.0,
    "forecast_low": 1102.0,
    "forecast_high": 1404.0,
    "sentence_nl": "Laadpunten: 905 op 22/11/2026. Het pad vroeg toen 1.078: 173 te weinig. Dat is één op zes.",
    "what_nl": "Laadpunten: 905 op 22/11/2026. Het pad vroeg toen 1.078: 173 te weinig. Dat is één op zes.",
    "needed_nl": "Nodig van 23/11/2026 tot 31/12/2030: 8,6 per maand. Recent tempo, tot 22/11/2026: 7,1 per maand.",
    "remark_nl": "Gerekend vanaf de eerste meting, op 01/01/2024.",
    "drivers_nl": "Heule (telt niet of maar half mee): 8 laadpunten; Marke (telt niet mee): 7 laadpunten.",
}
_TYPES = {float: pl.Float64, bool: pl.Boolean}
SCHEMA = {
    name: pl.Date
    if name.endswith(("_date", "_since"))
    else _TYPES.get(float if name == "limit_value" else type(value), pl.String)
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
def paths() -> pl.DataFrame:
    days = [("charge_points_total", date(2024, 1, 1), 660.0), ("charge_points_total", date(2030, 12, 31), 1326.0)]
    return pl.DataFrame(days, schema=["target_id", "path_date", "required_value"], orient="row")


@pytest.fixture(scope="session")
def mail_of(observations: pl.DataFrame, paths: pl.DataFrame) -> Callable[..., EmailMessage]:
    """The mail of a digest, synthetic unless told otherwise."""

    def build(
        digest: Digest, recipient: str | None = None, *, is_synthetic: bool = True, contact_nl: str | None = None
    ) -> EmailMessage:
        return message(
            digest,
            Drawn(observations, paths),
            sender="databord@kortrijk.example",
            recipient=recipient or f"{digest.department_id}@kortrijk.example",
            city_title="Kortrijk",
            is_synthetic=is_synthetic,
            contact_nl=contact_nl,
        )

    return build
