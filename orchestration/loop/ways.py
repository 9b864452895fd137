"""Every way by which a message leaves a profile, and who reads at its end, as the settings have them on a day.

Belongs here: from settings to channels. Does not belong here: how a channel delivers (`alerts`), what is sent when
(`messages`).
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

from orchestration.alerts.channels import Channel, Deliver, EmlFolder, Unusable
from orchestration.alerts.data_team import DATA_TEAM
from orchestration.alerts.outbox import FOLDER, MAIL
from orchestration.alerts.recipients import RecipientFileError, Recipients, address_of, is_deliverable, recipients
from orchestration.alerts.smtp import Encryption, Login, Smtp
from orchestration.alerts.teams import TEAMS, Teams, webhooks
from orchestration.alerts.tokens import Application
from orchestration.settings import Settings
from warehouse.state import OutboxMessage

_ENTRA = "https://login.microsoftonline.com/{}/oauth2/v2.0/token"
_log = logging.getLogger("ademruimte.messages")


@dataclass(frozen=True, slots=True)
class Ways:
    """Every way out of a profile: the mail server or the folder in its place, the flows in Teams, and the folder."""

    mail: Channel
    teams: Teams
    folder: EmlFolder
    known: Recipients

    @property
    def has_data_team(self) -> bool:
        """Whether a mail server may be asked to deliver to the data team."""
        return self.mail is not self.folder and is_deliverable(written_for(self.known, DATA_TEAM))

    def is_file(self, way: str, department: str) -> bool:
        """Whether what goes that way ends as a file: where there is no mail server, or no address of the data team."""
        return way == MAIL and (self.mail is self.folder or (department == DATA_TEAM and not self.has_data_team))

    @contextmanager
    def open(self) -> Iterator[Deliver]:
        """A session of each."""
        with self.mail.open() as mail, self.teams.open() as teams, self.folder.open() as folder:

            def deliver(row: OutboxMessage) -> None:
                ways: dict[str, Deliver] = {MAIL: mail, TEAMS: teams, FOLDER: folder}
                way = FOLDER if self.is_file(row.channel, row.department_id) else row.channel
                ways[way](row)

            yield deliver


def ways_of(settings: Settings, today: date) -> Ways:
    """The ways out as the settings and the two files of addresses have them today."""
    known, hooks = recipients_on(settings, today), webhooks(settings.teams)
    for fault in (*known.told, *hooks.faults):
        _log.warning("%s", fault)
    folder = EmlFolder(settings.layout.mail)
    return Ways(_mail_server(settings, known) or folder, Teams(hooks), folder, known)


def _mail_server(settings: Settings, known: Recipients) -> Channel | None:
    if settings.smtp_host is None:
        return None
    username, password, token_url = settings.smtp_username, settings.smtp_password, _token_url(settings)
    account: Login | Application | None = None
    if settings.smtp_client_id or settings.smtp_client_secret or token_url:
        if not (settings.smtp_client_id and settings.smtp_client_secret and token_url and username):
            return Unusable(
                "an application that sends needs four settings: ADEMRUIMTE_SMTP_USERNAME (the mailbox), "
                "ADEMRUIMTE_SMTP_TENANT, ADEMRUIMTE_SMTP_CLIENT_ID and ADEMRUIMTE_SMTP_CLIENT_SECRET; not all are set"
            )
        account = Application(username, token_url, settings.smtp_client_id, settings.smtp_client_secret)
    elif username and password:
        account = Login(username, password)
    encryption = Encryption.TLS if settings.smtp_tls else Encryption.STARTTLS
    return Smtp(
        settings.smtp_host,
        settings.smtp_port,
        account,
        encryption if settings.smtp_tls or settings.smtp_starttls else Encryption.NONE,
        known,
        settings.smtp_ca_file,
        settings.smtp_per_minute,
    )


def _token_url(settings: Settings) -> str | None:
    tenant = settings.smtp_tenant
    return settings.smtp_token_url or (_ENTRA.format(tenant) if tenant else None)


def recipients_on(settings: Settings, day: date) -> Recipients:
    """Who reads on a day: the file of the departments, and the setting of the data team."""
    known = recipients(settings.recipients, settings.city.name, day)
    if settings.data_team is None:
        return known.with_reader(DATA_TEAM, None)
    try:
        return known.with_reader(DATA_TEAM, address_of(settings.data_team, "ADEMRUIMTE_DATA_TEAM"))
    except RecipientFileError:
        _log.warning("ADEMRUIMTE_DATA_TEAM is no plain mail address; its mail goes into %s", settings.layout.mail)
        return known.with_reader(DATA_TEAM, None)


def written_for(known: Recipients, department_id: str) -> str:
    """The address on the message; one that is not known yet is looked up again when it leaves."""
    try:
        return known.address(department_id)
    except RecipientFileError:
        return known.placeholder(department_id)
