"""Every setting of the pipeline, each described where it is declared. Only this module reads the environment.

Belongs here: what is set for a profile, and what an unreadable value is told. Does not belong here: the settings of a
source (an `Endpoint` beside it), or a variable of somebody else's (`orchestration.environment`).
"""

import logging
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    NonNegativeInt,
    PlainValidator,
    PositiveInt,
    SecretStr,
    ValidationError,
)
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from contracts.cities.profile import City
from contracts.registry import all_cities, all_contracts
from contracts.vocabulary import SourceContract
from ingestion.areas import Areas, read_areas
from ingestion.door import KeyRing
from ingestion.endpoint import Endpoint
from ingestion.source import asked_source
from orchestration.secrets import read_or_create_ring
from warehouse.durable import replace_synced
from warehouse.layout import Layout
from warehouse.room import ROOM, Room

_log = logging.getLogger("ademruimte.settings")
PREFIX = "ADEMRUIMTE_"
CITY = f"{PREFIX}CITY"
HOME = f"{PREFIX}HOME"
MEMORY = f"{PREFIX}MEMORY"
SPILL = f"{PREFIX}SPILL"
WAREHOUSE = f"{PREFIX}WAREHOUSE"
SEEDS = f"{PREFIX}SEEDS"
# what dbt is told while it runs, and what tests are told
_NO_SETTINGS = frozenset({WAREHOUSE, SEEDS, f"{PREFIX}DATA"})
# a prefix that is misspelt still begins so
_BEGINS = PREFIX[:4]
_AMOUNT = re.compile(r"[1-9]\d*(\.\d+)? ?([KMGT]i?B|%)")
_MOST_OF_A_VALUE = 40
# by how pydantic's type of a fault begins; what is not here says it well enough itself
_WHAT_TO_WRITE = {
    "bool": "1 or 0",
    "date": "a date as 2026-11-23",
    "greater_than_equal": "a whole number",
    "greater_than": "a whole number, 1 or more",
    "int": "a whole number",
}


class SettingMissingError(LookupError):
    """A setting is needed and absent; the message names it."""


class SettingInvalidError(ValueError):
    """Settings cannot be read; the message names each, with what is wrong and what to write."""


def _city_named(named: object) -> City:
    cities = all_cities()
    if isinstance(named, City):
        return named
    if named not in cities:
        raise ValueError(f"write one of {', '.join(cities)}, or add a module to contracts/cities/")
    return cities[str(named)]


def _amount(written: str) -> str:
    if not _AMOUNT.fullmatch(written):
        raise ValueError("write an amount as 4GB, or a share of the machine's as 70%")
    return written


def _address(written: str) -> str:
    parts = urlsplit(written)
    is_ours_alone = parts.scheme == "http" and parts.hostname in {"127.0.0.1", "::1", "localhost"}
    if not (parts.hostname and (parts.scheme == "https" or is_ours_alone)) or parts.query or parts.fragment:
        raise ValueError("write an address as https://ademruimte.kortrijk.be, encrypted: the links in it are secrets")
    return written.rstrip("/")


def _layout(said: Mapping[str, Any]) -> Layout:
    return Layout(said["home"] / said["city"].name)


def _stands_still(said: Mapping[str, Any]) -> date | None:
    """A synthetic city's clock stands still: its marker file names the date."""
    layout = _layout(said)
    if not layout.is_synthetic:
        return None
    written = layout.marker.read_text("utf-8").strip()
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise SettingInvalidError(f"{layout.marker} holds {written!r}; write a date as 2026-11-23") from None


class Settings(BaseSettings):
    """One profile: a city, the folder that holds its lake, warehouse and published builds, and what is set for it.

    A value is made of what is handed to it and of nothing else: `read_settings` reads those of this machine.

    Attributes:
        suppliers: by source, what is set for it; read when the source is asked, so that one fault holds up one source.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, validate_by_name=True, use_attribute_docstrings=True
    )

    city: Annotated[City, NoDecode, PlainValidator(_city_named)] = Field("kortrijk", validate_default=True)
    """Which city: kortrijk, roosendaal, terneuzen, boston, or a module of your own in contracts/cities/."""
    home: Annotated[Path, AfterValidator(Path.resolve)] = Field(Path("var"), validate_default=True)
    """The folder of all profiles; lake, warehouse and published builds lie in <home>/<city>/."""
    fixed_as_of: date | None = Field(validation_alias=f"{PREFIX}AS_OF", default_factory=_stands_still)
    """The city date of a build (YYYY-MM-DD); empty follows the clock. Only for repeating the past."""
    pseudonym_key_file: Path = Field(default_factory=lambda said: _layout(said).secrets / "pseudonym.key")
    """The keys of the pseudonyms (one a line, the oldest first; `ademruimte rotate-key` adds one), outside the lake;
    empty: <home>/<city>/secrets/pseudonym.key, made on first use. Keep a copy elsewhere: with another key the same
    dwelling no longer joins."""
    boundaries: Path = Field(default_factory=lambda said: _layout(said).root / "boundaries.geojson")
    """Boundaries of the municipality and its statistical sectors (GeoJSON, WGS 84; properties area_id and area_type:
    municipality or sector); empty: <home>/<city>/boundaries.geojson where it exists."""
    stable_seconds: NonNegativeInt = 10
    """Seconds that a dropped file without a `.ready` beside it must lie untouched before it is read."""
    memory: Annotated[str, AfterValidator(_amount)] = ROOM.memory
    """How much memory DuckDB may take while it loads, measures and judges: 4GB, or a share of the machine's."""
    spill: Annotated[Path, AfterValidator(Path.resolve)] | None = None
    """The folder for what does not fit in that memory, on a local disk; empty: <home>/<city>/warehouse.duckdb.tmp, gone
    after each step."""
    postgres_url: SecretStr | None = None
    """The PostgreSQL database to which every build is published too (postgresql://user:password@host/database); empty:
    files only. Its user owns the database, has the role pg_read_all_stats, and createrole for `ademruimte bi-access`.
    Another machine is reached with TLS only; `sslmode=verify-full&sslrootcert=...` holds it to its certificate too."""
    smtp_host: str | None = None
    """The mail server; without one, messages are written as .eml files in <home>/<city>/mail/."""
    smtp_port: NonNegativeInt = 25
    """The port of the mail server."""
    smtp_username: str | None = None
    """As whom we send, where the mail server asks that."""
    smtp_password: SecretStr | None = None
    """The password of that name; it is never sent unencrypted."""
    smtp_starttls: bool = True
    """1 encrypts the connection (ports 587 and 25), 0 does not."""
    smtp_tls: bool = False
    """1 encrypts it from the first byte instead (port 465)."""
    smtp_ca_file: Path | None = None
    """Certificates (PEM) of the city's own authority, where it signed that of the mail server."""
    smtp_per_minute: PositiveInt = 30
    """As many messages a minute at most: 30 is what Microsoft 365 takes from one mailbox."""
    smtp_tenant: str | None = None
    """Microsoft 365: the tenant at Entra ID that grants an application a token, instead of a password; the name as whom
    we send is then the mailbox. `ademruimte alerts test-send` says what is wrong."""
    smtp_token_url: str | None = None
    """The whole address of the token endpoint, where the tenant does not say it."""
    smtp_client_id: str | None = None
    """The application that Entra ID knows."""
    smtp_client_secret: SecretStr | None = None
    """How that application proves who it is."""
    teams: Path | None = None
    """A CSV file outside git with the flows (Power Automate) that post cards in Teams: department_id (data_team for the
    data team), url, and where wanted envelope (message or card: what the flow takes). Whoever reads it can post there:
    chmod 600. A flow goes when its owner goes: give it two."""
    sender: str = Field(
        default_factory=lambda said: f"Ademruimte {said['city'].title_nl} <ademruimte@{said['city'].name}.example>"
    )
    """Who the messages come from; empty: ademruimte@<city>.example."""
    recipients: Path | None = None
    """A CSV file outside git that says who reads for which department; without it nothing leaves by SMTP. Columns:
    department_id, email, and where wanted name (for yourself), absent_from, absent_until (YYYY-MM-DD, first and last
    day) and deputy_email, who reads meanwhile. `coordinator` and `general_director` may have a line too: they read what
    departments do not answer, and the coordinator what no department owns."""
    web_url: Annotated[str, AfterValidator(_address)] | None = None
    """Where the city's proxy shows the pages of `ademruimte web` (https://...): mails then bear a link by which a head
    answers *gezien*, *uitstellen*, a plan or *klopt niet*; empty: they bear none."""
    web_key_file: Path = Field(default_factory=lambda said: _layout(said).secrets / "web.key")
    """The keys that sign those links (one a line, the oldest first; of 32 characters or more): a new line at the end
    signs from then on, a line taken away ends the links it signed; empty: <home>/<city>/secrets/web.key, made on first
    use. Whoever reads it can answer for any department: chmod 600."""
    data_team: str | None = None
    """The address of the data team: one mail a day when runs failed, files or pulls were refused, a source is silent or
    messages could not leave; empty: that mail is written into <home>/<city>/mail/."""
    suppliers: Mapping[str, Mapping[str, SecretStr]] = Field(default_factory=dict)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - as above, and so below
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Nothing of this machine reaches a value unasked."""
        return (init_settings,)

    @property
    def layout(self) -> Layout:
        """The folders of the profile."""
        return Layout(self.home / self.city.name)

    @property
    def room(self) -> Room:
        """How much DuckDB may take while it loads, measures and judges."""
        return Room(self.memory, self.spill)

    @property
    def stable_for(self) -> timedelta:
        """A dropped file without `.ready` is complete when untouched this long."""
        return timedelta(seconds=self.stable_seconds)

    @property
    def environment(self) -> dict[str, str]:
        """These settings as another process reads them, by the names of their variables; secrets are readable in it."""
        own = {variable(name): written(getattr(self, name)) for name in self.model_fields_set - {"suppliers"}}
        theirs = {
            variable(f"{source}_{name}"): written(value)
            for source, said in self.suppliers.items()
            for name, value in said.items()
        }
        return {name: text for name, text in (own | theirs).items() if text}

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

    def supplied(self, source: str, **said: str) -> "Settings":
        """The same settings, with these of a source."""
        told = {name: SecretStr(value) for name, value in said.items()}
        return self.model_copy(update={"suppliers": {**self.suppliers, source: told}})

    def is_pulled(self, source: str) -> bool:
        """Whether an address is set to pull a source from."""
        return "url" in self.suppliers.get(source, {})

    def endpoint(self, source: str) -> Endpoint:
        """Where and as whom a source is asked.

        Raises:
            SettingMissingError: no address is set for it.
            SettingInvalidError: a setting of it cannot be read.
        """
        if not self.is_pulled(source):
            raise SettingMissingError(f"{source}: no address to pull from; set {variable(f'{source}_url')}")
        kind: type[Endpoint] = asked_source(source).endpoint
        said = {name: value.get_secret_value() for name, value in self.suppliers[source].items()}
        try:
            return kind.model_validate(said)
        except ValidationError as fault:
            told = _told(fault, kind, f"{source}_")
        # raised outside the handler: the exception holds what was set, secrets too
        raise SettingInvalidError(told)

    def areas(self) -> Areas | None:
        """The boundaries of the municipality and its sectors; None where no file gives them.

        Raises:
            UnreadableFileError: the file is no GeoJSON of areas.
        """
        return read_areas(self.boundaries) if self.boundaries.is_file() else None


def variable(field: str) -> str:
    """The name under which a field of `Settings` is read."""
    own = Settings.model_fields.get(field)
    return str(own.validation_alias) if own and own.validation_alias else f"{PREFIX}{field.upper()}"


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings in the environment, with those of a `.env` file in the working directory beneath them.

    The profiles of `demo` and `real` obey their own alone, whatever a real city's environment says. What looks like a
    setting and is none is told and passed over: it stops nothing.

    Raises:
        SettingInvalidError: settings cannot be read, or the city named has no profile.
    """
    if environment is not None:
        return _settings(environment)
    env = {**_filed(Path(".env")), **os.environ}
    _tell_unknown(env)
    place = _settings({name: value for name, value in env.items() if name in (CITY, HOME)})
    if place.layout.is_synthetic or place.layout.own_settings.exists():
        own = _filed(place.layout.own_settings)
        _tell_unknown(own)
        env = {**own, CITY: place.city.name, HOME: str(place.home)}
    return _settings(env)


def named_home() -> Path:
    """The folder of all profiles as the environment alone names it, for who obeys nothing else of a real city."""
    _tell_unknown(os.environ)
    return _settings({HOME: os.environ.get(HOME, "")}).home


def kinds() -> dict[str, type[BaseModel]]:
    """The classes of all settings, by how the names in them begin: that of a profile, and of each source asked."""
    asked = [name for name, contract in all_contracts().items() if contract.crons]
    return {"": Settings} | {f"{name}_": asked_source(name).endpoint for name in asked}


def described(section: str, kind: type[BaseModel]) -> dict[str, FieldInfo]:
    """The settings of such a class, by the names of their variables."""
    return {variable(section + name): field for name, field in kind.model_fields.items() if field.description}


def write_own_settings(settings: Settings) -> None:
    """Makes these the only settings that their profile obeys, in this process and in every other."""
    said = "".join(f"{name}='{value}'\n" for name, value in settings.environment.items() if name not in (CITY, HOME))
    replace_synced(settings.layout.own_settings, said.encode())


def _filed(path: Path) -> dict[str, str]:
    # only a command line or a code location needs it
    from dotenv import dotenv_values  # noqa: PLC0415

    return {name: value for name, value in dotenv_values(path).items() if value is not None}


def _tell_unknown(environment: Mapping[str, str]) -> None:
    """Tells which names are no setting, with the nearest that is one; never what they hold."""
    said = {name for name, value in environment.items() if value and name.upper().startswith(_BEGINS)}
    known = _NO_SETTINGS.union(described("", Settings))
    if any(name.upper() not in known for name in said):
        # only now: it imports every source
        known = known.union(*(described(*each) for each in kinds().items()))
    for name in sorted(name for name in said if name.upper() not in known):
        _log.warning("%s is no setting and is passed over; %s", name, _nearest(name, known - _NO_SETTINGS))


def _nearest(name: str, known: Iterable[str]) -> str:
    ends = [one.removeprefix(PREFIX) for one in known]
    near = get_close_matches(name.upper().partition("_")[2], ends, n=1)
    return f"did you mean {PREFIX}{near[0]}?" if near else "docs/settings.md names every one"


def _settings(environment: Mapping[str, str]) -> Settings:
    said = {name.upper(): value for name, value in environment.items() if value}
    source = EnvSettingsSource(Settings)
    source.env_vars = {name.lower(): value for name, value in said.items()}
    try:
        return Settings(**source() | {"suppliers": _suppliers(said)})
    except ValidationError as fault:
        told = _told(fault, Settings)
    raise SettingInvalidError(told)


def _suppliers(environment: Mapping[str, str]) -> dict[str, dict[str, SecretStr]]:
    """By source, what is set for it."""
    prefixes = {source: variable(f"{source}_") for source in all_contracts()}
    return {
        source: {
            name.removeprefix(prefix).lower(): SecretStr(value)
            for name, value in environment.items()
            if name.startswith(prefix)
        }
        for source, prefix in prefixes.items()
    }


def _told(fault: ValidationError, kind: type[BaseModel], section: str = "") -> str:
    return "\n".join(_faults(fault, kind, section))


def _faults(fault: ValidationError, kind: type[BaseModel], section: str) -> Iterator[str]:
    fields = {variable(section + name): declared for name, declared in kind.model_fields.items()}
    for error in fault.errors(include_url=False):
        said, place = error["msg"].removeprefix("Value error, "), "".join(map(str, error["loc"][:1]))
        name = place if place in fields else variable(section + place)
        if error["type"] == "default_factory_not_called":
            # it follows from another setting, and that is at fault
            continue
        if not place:
            yield said
        elif error["type"] == "missing":
            yield f"{name} is not set: {fields[name].description}"
        elif not fields[name].repr:
            # what was written there may be a secret
            yield f"{name}: {said}"
        else:
            what = next((what for begin, what in _WHAT_TO_WRITE.items() if error["type"].startswith(begin)), None)
            told = f"write {what}" if what else said.replace("Input should be", "write")
            yield f"{name} is {str(error['input'])!r:.{_MOST_OF_A_VALUE}}; {told}"


def written(value: object) -> str:
    """A value as its variable holds it; nothing for one that is not set."""
    match value:
        case None | ():
            return ""
        case City():
            return value.name
        case SecretStr():
            return value.get_secret_value()
        case bool():
            return str(int(value))
        case _:
            return str(value)
