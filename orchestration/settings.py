"""Every setting of the pipeline. Only this module reads the environment; the rest receives values."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from contracts.cities.profile import City
from contracts.registry import all_contracts, city_named
from contracts.vocabulary import SourceContract
from ingestion.areas import Areas, read_areas
from ingestion.delivery import Endpoint, Secret
from ingestion.door import KeyRing
from orchestration.secrets import read_or_create_ring
from warehouse.durable import replace_synced
from warehouse.engine import ROOM, Room
from warehouse.layout import Layout

DBT_PROJECT = Path(__file__).parents[1] / "dbt_project"
CITY = "ADEMRUIMTE_CITY"
HOME = "ADEMRUIMTE_HOME"
MEMORY = "ADEMRUIMTE_MEMORY"
SPILL = "ADEMRUIMTE_SPILL"
_AMOUNT = re.compile(r"[1-9]\d*(\.\d+)? ?([KMGT]i?B|%)")


class SettingMissingError(LookupError):
    """A setting is needed and absent; the message names it."""


class SettingInvalidError(ValueError):
    """A setting cannot be read; the message names it and says what is expected."""


@dataclass(frozen=True, slots=True)
class MailSettings:
    """Where messages go: a folder unless an SMTP host is named.

    Attributes:
        data_team: who gets the daily mail on what went wrong; without an address it is written into the folder.
        tls: encrypt from the first byte instead of by STARTTLS.
        authority: certificates to trust beside those the machine trusts.
        per_minute: as many messages at most.
        token_url: where an application (client_id, client_secret) gets its token; then there is no password.
        teams: the file with the addresses of the flows that post in Teams.
    """

    sender: str
    recipients: Path | None
    data_team: str | None
    smtp_host: str | None
    smtp_port: int
    username: str | None
    password: Secret | None
    starttls: bool
    tls: bool
    authority: Path | None
    per_minute: int
    token_url: str | None
    client_id: str | None
    client_secret: Secret | None
    teams: Path | None


@dataclass(frozen=True, slots=True)
class Settings:
    """One profile: a city and the folder that holds its lake, warehouse and published builds.

    Attributes:
        fixed_as_of: the build's city date when it does not follow the clock (demo, tests).
        stable_for: a dropped file without `.ready` is complete when untouched this long.
        boundaries: GeoJSON of the municipality and its sectors; it need not exist.
        room: how much DuckDB may take while it loads, measures and judges.
    """

    city: City
    layout: Layout
    environment: Mapping[str, str]
    fixed_as_of: date | None
    pseudonym_key_file: Path
    mail: MailSettings
    stable_for: timedelta
    boundaries: Path
    room: Room

    def contracts(self) -> dict[str, SourceContract]:
        """The contracts of the sources this city receives, by name."""
        only = self.city.sources
        return {name: contract for name, contract in all_contracts().items() if only is None or name in only}

    def as_of(self, now: datetime) -> date:
        """The city date that decides not-started, overdue and stale."""
        return self.fixed_as_of or now.astimezone(ZoneInfo(self.city.time_zone)).date()

    def pseudonym_keys(self) -> KeyRing:
        """The keys of the door's pseudonyms; the first is made on first use, outside the lake."""
        return read_or_create_ring(self.pseudonym_key_file)

    def endpoint(self, source: str) -> Endpoint:
        """Where a source is asked.

        Raises:
            SettingMissingError: no address is set for it.
        """
        prefix = f"ADEMRUIMTE_{source.upper()}"
        url = self.environment.get(f"{prefix}_URL")
        if not url:
            raise SettingMissingError(f"{source}: no address to pull from; set {prefix}_URL (and {prefix}_TOKEN)")
        token = self.environment.get(f"{prefix}_TOKEN")
        options = {
            name.removeprefix(f"{prefix}_"): Secret(value)
            for name, value in self.environment.items()
            if name.startswith(f"{prefix}_") and value
        }
        since = _date(self.environment, f"{prefix}_SINCE")
        return Endpoint(url, Secret(token) if token else None, since, options)

    def is_pulled(self, source: str) -> bool:
        """Whether an address is set to pull a source from."""
        return bool(self.environment.get(f"ADEMRUIMTE_{source.upper()}_URL"))

    def areas(self) -> Areas | None:
        """The boundaries of the municipality and its sectors; None where no file gives them.

        Raises:
            UnreadableFileError: the file is no GeoJSON of areas.
        """
        return read_areas(self.boundaries) if self.boundaries.is_file() else None


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings in the environment, with those of a `.env` file in the working directory beneath them.

    The profiles of `demo` and `real` obey their own alone, whatever a real city's environment says.

    Raises:
        LookupError: the city named has no profile.
        SettingInvalidError: a date or number cannot be read.
    """
    env = _environment() if environment is None else environment
    city = city_named(env.get(CITY, "kortrijk"))
    layout = Layout(_home(env) / city.name)
    if environment is None and (layout.is_synthetic or layout.own_settings.exists()):
        env = {**_filed(layout.own_settings), CITY: city.name, HOME: str(layout.root.parent)}
    key_file = env.get("ADEMRUIMTE_PSEUDONYM_KEY_FILE")
    boundaries = env.get("ADEMRUIMTE_BOUNDARIES")
    return Settings(
        city=city,
        layout=layout,
        environment=env,
        fixed_as_of=_fixed_as_of(env, layout),
        pseudonym_key_file=Path(key_file) if key_file else layout.secrets / "pseudonym.key",
        mail=_mail(env, city),
        stable_for=timedelta(seconds=_whole(env, "ADEMRUIMTE_STABLE_SECONDS", 10)),
        boundaries=Path(boundaries) if boundaries else layout.root / "boundaries.geojson",
        room=_room(env),
    )


def named_home() -> Path:
    """The folder of all profiles as the environment alone names it, for who obeys nothing else of a real city."""
    return _home(os.environ)


def write_own_settings(layout: Layout, environment: Mapping[str, str]) -> None:
    """Makes these the only settings that a profile obeys, in this process and in every other."""
    said = "".join(f"{name}='{value}'\n" for name, value in environment.items())
    replace_synced(layout.own_settings, said.encode())


def _home(environment: Mapping[str, str]) -> Path:
    return Path(environment.get(HOME) or "var").resolve()


def _environment() -> dict[str, str]:
    return {**_filed(Path(".env")), **os.environ}


def _filed(path: Path) -> dict[str, str]:
    # only a command line or a code location needs it, not every import of this room
    from dotenv import dotenv_values  # noqa: PLC0415

    return {name: value for name, value in dotenv_values(path).items() if value is not None}


def _fixed_as_of(env: Mapping[str, str], layout: Layout) -> date | None:
    """A synthetic city's clock stands still: its marker file names the date."""
    named = _date(env, "ADEMRUIMTE_AS_OF")
    if named is None and layout.is_synthetic:
        return _date({str(layout.marker): layout.marker.read_text("utf-8").strip()}, str(layout.marker))
    return named


def _date(env: Mapping[str, str], name: str) -> date | None:
    written = env.get(name)
    try:
        return date.fromisoformat(written) if written else None
    except ValueError:
        raise SettingInvalidError(f"{name} is {written!r}; write a date as 2026-11-23") from None


def _room(env: Mapping[str, str]) -> Room:
    memory, spill = env.get(MEMORY) or ROOM.memory, env.get(SPILL)
    if not _AMOUNT.fullmatch(memory):
        raise SettingInvalidError(f"{MEMORY} is {memory!r}; write an amount as 4GB, or a share of the machine's as 70%")
    return Room(memory, Path(spill).resolve() if spill else None)


def _whole(env: Mapping[str, str], name: str, default: int) -> int:
    written = env.get(name) or str(default)
    if not written.isdecimal():
        raise SettingInvalidError(f"{name} is {written!r}; write a whole number")
    return int(written)


def _mail(env: Mapping[str, str], city: City) -> MailSettings:
    tenant = env.get("ADEMRUIMTE_SMTP_TENANT")
    token_url = f"https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token" if tenant else None
    return MailSettings(
        sender=env.get("ADEMRUIMTE_SENDER", f"Ademruimte {city.title_nl} <ademruimte@{city.name}.example>"),
        recipients=_file(env, "ADEMRUIMTE_RECIPIENTS"),
        data_team=env.get("ADEMRUIMTE_DATA_TEAM") or None,
        smtp_host=env.get("ADEMRUIMTE_SMTP_HOST") or None,
        smtp_port=_whole(env, "ADEMRUIMTE_SMTP_PORT", 25),
        username=env.get("ADEMRUIMTE_SMTP_USERNAME") or None,
        password=_secret(env, "ADEMRUIMTE_SMTP_PASSWORD"),
        starttls=env.get("ADEMRUIMTE_SMTP_STARTTLS", "1") != "0",
        tls=env.get("ADEMRUIMTE_SMTP_TLS", "0") == "1",
        authority=_file(env, "ADEMRUIMTE_SMTP_CA_FILE"),
        per_minute=_whole(env, "ADEMRUIMTE_SMTP_PER_MINUTE", 30),
        token_url=env.get("ADEMRUIMTE_SMTP_TOKEN_URL") or token_url,
        client_id=env.get("ADEMRUIMTE_SMTP_CLIENT_ID") or None,
        client_secret=_secret(env, "ADEMRUIMTE_SMTP_CLIENT_SECRET"),
        teams=_file(env, "ADEMRUIMTE_TEAMS"),
    )


def _secret(env: Mapping[str, str], name: str) -> Secret | None:
    written = env.get(name)
    return Secret(written) if written else None


def _file(env: Mapping[str, str], name: str) -> Path | None:
    written = env.get(name)
    return Path(written) if written else None
