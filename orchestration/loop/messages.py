"""From the published build to the outbox, and from the outbox to people."""

from datetime import date, datetime
from email.message import EmailMessage

import polars as pl

from orchestration.alerts import outbox
from orchestration.alerts.channels import Channel, EmlFolder, Smtp
from orchestration.alerts.digest import Digest, digests, message
from orchestration.alerts.recipients import Recipients, recipients
from orchestration.settings import Settings
from warehouse.engine import frame, open_published
from warehouse.published.pointer import current
from warehouse.state import OutboxMessage, State


def fill_outbox(settings: Settings) -> int:
    """One digest per department and week that has a target behind, from the build readers see.

    Returns:
        How many messages are new.
    """
    build_id = current(settings.layout.published)
    if build_id is None:
        return 0
    verdicts, departments, observations = _published_frames(settings)
    found = digests(verdicts, departments, build_id, _as_of(settings))
    with State(settings.layout.state) as state:
        return outbox.fill(state, [(each, _message(settings, each, observations)) for each in found])


def send(settings: Settings, now: datetime) -> outbox.SendResult:
    """Delivers what the outbox holds: into a folder, or by SMTP when one is configured."""
    with State(settings.layout.state) as state:
        return outbox.send(state, _channel(settings, settings.as_of(now)), now)


def unsent(settings: Settings) -> list[OutboxMessage]:
    """The messages that nobody has yet, each with why its last try failed."""
    with State(settings.layout.state) as state:
        return state.unsent()


def _published_frames(settings: Settings) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    with open_published(settings.layout.published / "current" / "ademruimte.duckdb") as con:
        return (
            frame(con, "select * from verdicts.fct_target_verdicts"),
            frame(con, "select * from marts.dim_department"),
            frame(con, "select * from marts.fct_kpi_observations"),
        )


def _as_of(settings: Settings) -> date:
    """The date of the build readers see: the week of a message is that of what it tells, not of its making."""
    with open_published(settings.layout.published / "current" / "ademruimte.duckdb") as con:
        return date.fromisoformat(con.execute("select as_of_date::varchar from marts.dim_build").fetchall()[0][0])


def _message(settings: Settings, digest: Digest, observations: pl.DataFrame) -> EmailMessage:
    return message(
        digest,
        observations,
        sender=settings.mail.sender,
        recipient=_recipients(settings, digest.as_of).address(digest.department_id),
        city_title=settings.city.title_nl,
        is_synthetic=settings.layout.is_synthetic,
    )


def _channel(settings: Settings, today: date) -> Channel:
    mail = settings.mail
    if mail.smtp_host is None:
        return EmlFolder(settings.layout.mail)
    return Smtp(
        mail.smtp_host,
        mail.smtp_port,
        mail.username,
        mail.password,
        starttls=mail.starttls,
        recipients=_recipients(settings, today),
    )


def _recipients(settings: Settings, day: date) -> Recipients:
    return recipients(settings.mail.recipients, settings.city.name, day)
