"""A token that lets an application send mail: OAuth 2.0 by client credentials, as Entra ID grants it."""

from dataclasses import dataclass

from pydantic import SecretStr

from ingestion.bounded_json import UnreadableJsonError, read_json
from ingestion.errors import SupplierError
from ingestion.http import Client
from orchestration.alerts import mail_faults
from orchestration.alerts.channels import LineBrokenError

_SCOPE = "https://outlook.office365.com/.default"
_DEADLINE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Application:
    """An application that sends in the name of a mailbox.

    Attributes:
        username: the mailbox.
        token_url: the token endpoint of its tenant.
    """

    username: str
    token_url: str
    client_id: str
    secret: SecretStr

    def token(self) -> SecretStr:
        """A token of an hour: enough for one session.

        Raises:
            LineBrokenError: none was granted; says what to do.
        """
        form = {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.secret.get_secret_value(),
            "scope": _SCOPE,
        }
        try:
            with Client(self.token_url, deadline_seconds=_DEADLINE_SECONDS) as client:
                granted = read_json(client.post_once(self.token_url, form).body)
        except (SupplierError, UnreadableJsonError) as fault:
            raise LineBrokenError(
                f"the token endpoint of ADEMRUIMTE_SMTP_TENANT could not be used: it {fault}"
            ) from None
        told = granted if isinstance(granted, dict) else {}
        token = told.get("access_token")
        if isinstance(token, str) and token:
            return SecretStr(token)
        why = mail_faults.of_token(str(told.get("error", "no token")), str(told.get("error_description", "")))
        raise LineBrokenError(f"Entra ID grants no token, {why}")
