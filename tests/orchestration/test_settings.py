"""Settings: the environment before the `.env` file, and the city's own date."""

import os
import traceback
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from contracts.registry import all_contracts
from orchestration.settings import (
    SettingInvalidError,
    SettingMissingError,
    Settings,
    described,
    kinds,
    read_settings,
    write_own_settings,
)
from warehouse.room import Room

URL = "https://laadnet.example/ocpi/2.2.1/locations"


@pytest.fixture
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes the working directory a folder whose `.env` says what a test wants, and the environment empty."""
    # a build in this process leaves the city it was of
    for name in [name for name in os.environ if name.startswith("ADEMRUIMTE_")]:
        monkeypatch.delenv(name)

    def write(text: str) -> None:
        (tmp_path / ".env").write_text(text, encoding="utf-8")
        monkeypatch.chdir(tmp_path)

    return write


def test_the_environment_goes_before_the_env_file(
    in_folder: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    in_folder("ADEMRUIMTE_CITY=boston\nADEMRUIMTE_SENDER=bord@stad.test\n")
    monkeypatch.setenv("ADEMRUIMTE_CITY", "terneuzen")
    settings = read_settings()
    assert settings.city.name == "terneuzen"
    assert settings.sender == "bord@stad.test"


def test_the_env_file_alone_is_enough(in_folder: Callable[[str], None]) -> None:
    in_folder(f'ADEMRUIMTE_CITY=roosendaal\nADEMRUIMTE_CHARGE_POINTS_URL="{URL}"\n')
    settings = read_settings()
    assert settings.city.name == "roosendaal"
    assert settings.endpoint("charge_points").url == URL


def test_a_name_without_a_value_in_the_env_file_is_as_if_it_were_not_there(in_folder: Callable[[str], None]) -> None:
    in_folder("ADEMRUIMTE_CITY\nADEMRUIMTE_SMTP_HOST\nADEMRUIMTE_SMTP_PORT=2525\n")
    settings = read_settings()
    assert settings.city.name == "kortrijk"
    assert (settings.smtp_host, settings.smtp_port) == (None, 2525)


def test_settings_that_are_given_ignore_the_machine(
    in_folder: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    in_folder("ADEMRUIMTE_CITY=boston\n")
    monkeypatch.setenv("ADEMRUIMTE_SENDER", "machine@stad.test")
    settings = read_settings({})
    assert settings.city.name == "kortrijk"
    assert settings.sender == "Ademruimte Kortrijk <ademruimte@kortrijk.example>"


def test_an_unknown_city_is_refused_with_the_cities_there_are() -> None:
    with pytest.raises(SettingInvalidError, match=r"ADEMRUIMTE_CITY is 'gent'; write one of .*kortrijk.*roosendaal"):
        read_settings({"ADEMRUIMTE_CITY": "gent"})


def test_a_profile_with_settings_of_its_own_obeys_no_other(
    in_folder: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    in_folder("ADEMRUIMTE_SMTP_HOST=mail.stad.test\nADEMRUIMTE_AS_OF=2031-01-01\n")
    monkeypatch.setenv("ADEMRUIMTE_RECIPIENTS", "people.csv")
    real = read_settings()
    real.layout.create()
    assert real.smtp_host == "mail.stad.test"
    write_own_settings(Settings(city=real.city, home=real.home).supplied("charge_points", url=URL))
    settings = read_settings()
    assert (settings.smtp_host, settings.recipients, settings.fixed_as_of) == (None, None, None)
    assert settings.endpoint("charge_points").url == URL
    assert settings.layout.root == tmp_path.resolve() / "var" / "kortrijk"


def test_a_synthetic_profile_of_an_earlier_version_obeys_no_real_city(in_folder: Callable[[str], None]) -> None:
    in_folder("ADEMRUIMTE_SMTP_HOST=mail.stad.test\n")
    layout = read_settings().layout
    layout.create()
    layout.marker.write_text("2026-11-23", encoding="utf-8")
    assert read_settings().smtp_host is None


def test_the_home_is_a_whole_path_however_it_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert read_settings({}).layout.root == tmp_path.resolve() / "var" / "kortrijk"
    assert read_settings({"ADEMRUIMTE_HOME": "data/../elders"}).layout.root == tmp_path.resolve() / "elders/kortrijk"


def test_two_cities_in_one_home_share_no_folder(tmp_path: Path) -> None:
    home = {"ADEMRUIMTE_HOME": str(tmp_path)}
    first, second = (read_settings({**home, "ADEMRUIMTE_CITY": name}) for name in ("roosendaal", "terneuzen"))
    assert {first.layout.root, second.layout.root} == {tmp_path / "roosendaal", tmp_path / "terneuzen"}


def test_reading_settings_makes_no_folder(tmp_path: Path) -> None:
    read_settings({"ADEMRUIMTE_HOME": str(tmp_path / "var")})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("city", "sources"),
    [("kortrijk", set(all_contracts())), ("boston", {"tickets_1777"}), ("terneuzen", {"charge_points"})],
)
def test_a_city_has_the_contracts_of_the_sources_it_receives(city: str, sources: set[str]) -> None:
    contracts = read_settings({"ADEMRUIMTE_CITY": city}).contracts()
    assert set(contracts) == sources
    assert all(contract.name == name for name, contract in contracts.items())


# --- names that are no setting ----------------------------------------------------------------------------------


def told_of(names: dict[str, str], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    for name, value in names.items():
        monkeypatch.setenv(name, value)
    read_settings()
    return [record.getMessage() for record in caplog.records if record.name == "ademruimte.settings"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("ADEMRUIMTE_SMTP_HSOT", "ADEMRUIMTE_SMTP_HOST"),
        ("ADEMRUIMTE_RECIPIENT", "ADEMRUIMTE_RECIPIENTS"),
        ("ADEMRUITME_TEAMS", "ADEMRUIMTE_TEAMS"),
        ("ADEMRUIMTE_CHARGE_POINTS_TOKN", "ADEMRUIMTE_CHARGE_POINTS_TOKEN"),
        ("ADEMRUIMTE_CHARGEPOINTS_URL", "ADEMRUIMTE_CHARGE_POINTS_URL"),
        ("ADEMRUIMTE_TICKETS_1777_SINDS", "ADEMRUIMTE_TICKETS_1777_SINCE"),
    ],
)
def test_a_misspelt_setting_is_told_with_the_nearest_and_never_with_what_it_holds(
    written: str,
    meant: str,
    in_folder: Callable[[str], None],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    in_folder("")
    told = told_of({written: "zeer-geheim"}, caplog, monkeypatch)
    assert told == [f"{written} is no setting and is passed over; did you mean {meant}?"]


def test_a_setting_like_no_other_is_told_with_where_all_of_them_stand(
    in_folder: Callable[[str], None], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_folder("ADEMRUIMTE_XYZZY=1\n")
    told = told_of({}, caplog, monkeypatch)
    assert told == ["ADEMRUIMTE_XYZZY is no setting and is passed over; docs/settings.md names every one"]


def test_a_misspelt_setting_among_those_of_a_profiles_own_is_told_too(
    in_folder: Callable[[str], None], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_folder("")
    layout = read_settings().layout
    layout.create()
    layout.own_settings.write_text("ADEMRUIMTE_SMTP_HSOT='mail.stad.test'\n", "utf-8")
    assert "did you mean ADEMRUIMTE_SMTP_HOST?" in told_of({}, caplog, monkeypatch)[0]


def test_of_every_setting_there_is_nothing_is_told(
    in_folder: Callable[[str], None], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_folder("".join(f"{name}=1\n" for section, kind in kinds().items() for name in described(section, kind)))
    # what a build tells dbt is no setting, and nobody misspelt it; nor is a name without a value anything yet
    others = {"ADEMRUIMTE_WAREHOUSE": "x.duckdb", "ADEMRUIMTE_SEEDS": "seeds", "ADEMRUIMTE_SMTP_HSOT": ""}
    known = {"ADEMRUIMTE_CITY": "boston", "ADEMRUIMTE_AS_OF": "2026-11-23", "ADEMRUIMTE_MEMORY": "1GB"}
    known |= {"ADEMRUIMTE_WEB_URL": "https://ademruimte.test"}
    assert told_of(others | known, caplog, monkeypatch) == []


def test_the_settings_of_a_source_are_read_in_small_letters_as_the_others_are() -> None:
    settings = read_settings({"ademruimte_smtp_host": "mail.stad.test", "ademruimte_tickets_1777_url": URL})
    assert (settings.smtp_host, settings.endpoint("tickets_1777").url) == ("mail.stad.test", URL)


# --- suppliers --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("environment", [{}, {"ADEMRUIMTE_CHARGE_POINTS_URL": ""}])
def test_a_source_without_an_address_names_the_settings_to_set(environment: dict[str, str]) -> None:
    settings = read_settings({**environment, "ADEMRUIMTE_TICKETS_1777_URL": URL})
    with pytest.raises(SettingMissingError) as fault:
        settings.endpoint("charge_points")
    assert "charge_points: " in str(fault.value)
    assert "ADEMRUIMTE_CHARGE_POINTS_URL" in str(fault.value)


def test_an_endpoint_holds_the_address_the_token_and_the_first_day() -> None:
    settings = read_settings(
        {
            "ADEMRUIMTE_TICKETS_1777_URL": URL,
            "ADEMRUIMTE_TICKETS_1777_TOKEN": "geheim",
            "ADEMRUIMTE_TICKETS_1777_SINCE": "2026-05-01",
        }
    )
    endpoint = settings.endpoint("tickets_1777")
    assert (endpoint.url, endpoint.token.get_secret_value(), endpoint.since) == (URL, "geheim", date(2026, 5, 1))


def test_a_source_without_token_or_first_day_is_asked_without_them() -> None:
    endpoint = read_settings({"ADEMRUIMTE_TICKETS_1777_URL": URL, "ADEMRUIMTE_TICKETS_1777_TOKEN": ""}).endpoint(
        "tickets_1777"
    )
    assert (endpoint.token, endpoint.since) == (None, None)


# --- the city's date --------------------------------------------------------------------------------------------


def as_of(moment: str, **environment: str) -> date:
    return read_settings(environment).as_of(datetime.fromisoformat(moment))


def test_late_in_the_evening_it_is_tomorrow_in_brussels_and_today_in_boston(tmp_path: Path) -> None:
    moment = "2026-11-22T23:30:00+00:00"
    assert as_of(moment, ADEMRUIMTE_HOME=str(tmp_path)) == date(2026, 11, 23)
    assert as_of(moment, ADEMRUIMTE_HOME=str(tmp_path), ADEMRUIMTE_CITY="boston") == date(2026, 11, 22)


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2026-10-24T21:59:59+00:00", date(2026, 10, 24)),
        ("2026-10-24T22:00:00+00:00", date(2026, 10, 25)),
        ("2026-10-25T22:59:59+00:00", date(2026, 10, 25)),
        ("2026-10-25T23:00:00+00:00", date(2026, 10, 26)),
        ("2026-03-28T22:59:59+00:00", date(2026, 3, 28)),
        ("2026-03-28T23:00:00+00:00", date(2026, 3, 29)),
        ("2026-03-29T21:59:59+00:00", date(2026, 3, 29)),
        ("2026-03-29T22:00:00+00:00", date(2026, 3, 30)),
    ],
)
def test_the_day_of_brussels_begins_at_its_own_midnight_when_the_clock_changes(
    moment: str, day: date, tmp_path: Path
) -> None:
    assert as_of(moment, ADEMRUIMTE_HOME=str(tmp_path)) == day


def marked(home: Path, written: str) -> Settings:
    """A profile of invented data whose marker names a date."""
    (home / "kortrijk").mkdir()
    (home / "kortrijk" / "SYNTHETIC").write_text(written, encoding="utf-8")
    return read_settings({"ADEMRUIMTE_HOME": str(home)})


def test_the_marker_of_a_synthetic_city_stops_its_clock(tmp_path: Path) -> None:
    settings = marked(tmp_path, "2026-11-23\n")
    assert settings.layout.is_synthetic
    assert settings.as_of(datetime(2031, 1, 1, tzinfo=UTC)) == date(2026, 11, 23)


def test_the_date_of_the_environment_goes_before_the_marker(tmp_path: Path) -> None:
    marked(tmp_path, "2026-11-23")
    settings = read_settings({"ADEMRUIMTE_HOME": str(tmp_path), "ADEMRUIMTE_AS_OF": "2025-02-28"})
    assert settings.as_of(datetime(2031, 1, 1, tzinfo=UTC)) == date(2025, 2, 28)


# --- mail, keys, files ------------------------------------------------------------------------------------------


def test_without_settings_no_mail_server_is_named_and_encryption_is_on() -> None:
    mail = read_settings({"ADEMRUIMTE_SMTP_HOST": "", "ADEMRUIMTE_SMTP_USERNAME": ""})
    assert (mail.smtp_host, mail.smtp_port, mail.smtp_username, mail.smtp_password) == (None, 25, None, None)
    assert mail.recipients is None
    assert mail.smtp_starttls


def test_every_mail_setting_reaches_the_mail(tmp_path: Path) -> None:
    mail = read_settings(
        {
            "ADEMRUIMTE_SMTP_HOST": "post.stad.test",
            "ADEMRUIMTE_SMTP_PORT": "587",
            "ADEMRUIMTE_SMTP_USERNAME": "bord",
            "ADEMRUIMTE_SMTP_PASSWORD": "geheim",
            "ADEMRUIMTE_SENDER": "bord@stad.test",
            "ADEMRUIMTE_RECIPIENTS": str(tmp_path / "lezers.csv"),
        }
    )
    assert (mail.smtp_host, mail.smtp_port, mail.smtp_username) == ("post.stad.test", 587, "bord")
    assert mail.smtp_password
    assert mail.smtp_password.get_secret_value() == "geheim"
    assert (mail.sender, mail.recipients) == ("bord@stad.test", tmp_path / "lezers.csv")


@pytest.mark.parametrize(("written", "encrypts"), [("0", False), ("1", True), ("", True), ("yes", True)])
def test_only_a_plain_no_switches_encryption_off(written: str, *, encrypts: bool) -> None:
    assert read_settings({"ADEMRUIMTE_SMTP_STARTTLS": written}).smtp_starttls is encrypts


def test_printing_the_settings_shows_no_secret() -> None:
    secrets = ("ADEMRUIMTE_SMTP_PASSWORD", "ADEMRUIMTE_CHARGE_POINTS_TOKEN", "ADEMRUIMTE_ENERGY_METERS_CLIENT_SECRET")
    settings = read_settings({"ADEMRUIMTE_SMTP_USERNAME": "bord", **dict.fromkeys(secrets, "zeer-geheim")})
    assert "bord" in repr(settings)
    assert "zeer-geheim" not in repr(settings) + str(settings)


def test_an_endpoint_shows_no_secret() -> None:
    named = {"ADEMRUIMTE_CHARGE_POINTS_URL": URL, "ADEMRUIMTE_CHARGE_POINTS_TOKEN": "zeer-geheim"}
    endpoint = read_settings(named).endpoint("charge_points")
    assert "zeer-geheim" not in repr(endpoint) + str(endpoint)


def test_the_key_of_the_pseudonyms_lies_outside_the_lake_and_stays_the_same(tmp_path: Path) -> None:
    settings = read_settings({"ADEMRUIMTE_HOME": str(tmp_path)})
    key = settings.pseudonym_keys()
    assert settings.pseudonym_key_file.is_file()
    assert not settings.pseudonym_key_file.is_relative_to(settings.layout.lake)
    assert read_settings({"ADEMRUIMTE_HOME": str(tmp_path)}).pseudonym_keys() == key


def test_a_key_file_elsewhere_is_used_and_none_is_made_in_the_profile(tmp_path: Path) -> None:
    (tmp_path / "sleutel").write_text("0123456789abcdef\n", encoding="ascii")
    home = tmp_path / "var"
    settings = read_settings({"ADEMRUIMTE_HOME": str(home), "ADEMRUIMTE_PSEUDONYM_KEY_FILE": str(tmp_path / "sleutel")})
    assert settings.pseudonym_keys().keys == (SecretStr("0123456789abcdef"),)
    assert not home.exists()


def test_a_dropped_file_rests_as_long_as_the_setting_says() -> None:
    assert read_settings({"ADEMRUIMTE_STABLE_SECONDS": "45"}).stable_for == timedelta(seconds=45)
    assert read_settings({}).stable_for >= timedelta(seconds=1), "a file is never read while it may still grow"


@pytest.mark.parametrize(
    ("name", "written", "what"),
    [
        ("ADEMRUIMTE_AS_OF", "23/11/2026", "write a date as"),
        ("ADEMRUIMTE_SMTP_PORT", "smtp", "write a whole number"),
        ("ADEMRUIMTE_STABLE_SECONDS", "-1", "write a whole number"),
    ],
)
def test_a_setting_that_cannot_be_read_is_named_with_what_to_write(name: str, written: str, what: str) -> None:
    with pytest.raises(SettingInvalidError, match=f"^{name} is '{written}'; {what}"):
        read_settings({name: written})


def test_settings_that_cannot_be_read_are_told_together() -> None:
    wrong = {"ADEMRUIMTE_CITY": "gent", "ADEMRUIMTE_SMTP_PORT": "smtp", "ADEMRUIMTE_SMTP_STARTTLS": "perhaps"}
    with pytest.raises(SettingInvalidError) as told:
        read_settings(wrong)
    # what follows from the city (its folder, its sender) is not at fault
    assert [line.partition(" is ")[0] for line in str(told.value).splitlines()] == list(wrong)


def test_what_a_secret_setting_holds_is_in_no_exception() -> None:
    named = {"ADEMRUIMTE_CHARGE_POINTS_URL": URL, "ADEMRUIMTE_CHARGE_POINTS_SHAPE": "round"}
    hidden = {"ADEMRUIMTE_CHARGE_POINTS_TOKEN": "zeer-geheim", "ADEMRUIMTE_CHARGE_POINTS_ORIGINS": "https://u:geheim@x"}
    with pytest.raises(SettingInvalidError) as told:
        read_settings(named | hidden).endpoint("charge_points")
    assert "geheim" not in "".join(traceback.format_exception(told.value))
    assert "ADEMRUIMTE_CHARGE_POINTS_SHAPE is 'round'; write 'paged', 'array' or 'cursor'" in str(told.value)
    assert "ADEMRUIMTE_CHARGE_POINTS_ORIGINS: entry 1 is no origin; write https://host" in str(told.value)


@pytest.mark.parametrize(
    ("source", "name", "written", "what"),
    [
        ("charge_points", "TOKEN_ENCODING", "rot13", "write 'base64' or 'raw'"),
        ("charge_points", "TOKEN_HEADER", "X:", "write the name of a header, such as X-Api-Key"),
        ("charge_points", "FULL_EVERY_DAYS", "weekly", "write a whole number"),
        ("charge_points", "SESSION_DAYS", "-1", "write a whole number, 1 or more"),
        ("charge_points", "SESSIONS", "2", "write '0', '1', 'sessions' or 'cdrs'"),
        ("charge_points", "ACCEPT_SHRINK_ON", "vandaag", "write a date as 2026-11-23"),
        ("tickets_1777", "SINCE", "1 mei", "write a date as 2026-11-23"),
        ("tickets_1777", "UPDATES", "misschien", "write 1 or 0"),
    ],
)
def test_a_setting_of_a_source_that_means_nothing_is_told_by_name(
    source: str, name: str, written: str, what: str
) -> None:
    prefix = f"ADEMRUIMTE_{source.upper()}_"
    settings = read_settings({f"{prefix}URL": URL, f"{prefix}{name}": written})
    with pytest.raises(SettingInvalidError) as told:
        settings.endpoint(source)
    assert str(told.value) == f"{prefix}{name} is {written!r}; {what}"


@pytest.mark.parametrize("origins", ["other.example", "https://other.example/ocpi", "https://*.example", "https://a?b"])
def test_an_origin_that_is_none_is_refused_by_name(origins: str) -> None:
    named = {"ADEMRUIMTE_CHARGE_POINTS_URL": URL, "ADEMRUIMTE_CHARGE_POINTS_ORIGINS": origins}
    with pytest.raises(SettingInvalidError, match=r"^ADEMRUIMTE_CHARGE_POINTS_ORIGINS: entry 1 is no origin"):
        read_settings(named).endpoint("charge_points")


def test_every_setting_that_a_source_lacks_is_named_with_what_it_is() -> None:
    settings = read_settings({"ADEMRUIMTE_ENERGY_METERS_URL": URL, "ADEMRUIMTE_INDICATORS_URL": URL})
    with pytest.raises(SettingInvalidError) as told:
        settings.endpoint("energy_meters")
    lacking = [line.partition(" is not set: ") for line in str(told.value).splitlines()]
    assert [name for name, _, _ in lacking] == [
        f"ADEMRUIMTE_ENERGY_METERS_{name}" for name in ("CLIENT_ID", "SCOPE", "SUBSCRIPTION_KEY")
    ]
    assert all(what for _, _, what in lacking)
    with pytest.raises(SettingInvalidError, match=r"^ADEMRUIMTE_INDICATORS_MAPPING is not set: A CSV file"):
        settings.endpoint("indicators")


def test_the_energy_api_needs_who_grants_its_token() -> None:
    prefix = "ADEMRUIMTE_ENERGY_METERS_"
    named = {f"{prefix}{name}": "x" for name in ("URL", "CLIENT_ID", "SCOPE", "SUBSCRIPTION_KEY")}
    with pytest.raises(SettingInvalidError, match=r"^ADEMRUIMTE_ENERGY_METERS_TENANT is not set: the tenant"):
        read_settings(named).endpoint("energy_meters")
    assert read_settings({**named, f"{prefix}TENANT": "t"}).endpoint("energy_meters")


def test_a_marker_without_a_date_is_told_by_its_file(tmp_path: Path) -> None:
    with pytest.raises(SettingInvalidError, match=r"SYNTHETIC holds 'yes'; write a date as 2026-11-23"):
        marked(tmp_path, "yes")


def test_a_value_is_made_of_nothing_of_this_machine(
    in_folder: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    in_folder("ADEMRUIMTE_SMTP_HOST=mail.stad.test\n")
    monkeypatch.setenv("ADEMRUIMTE_RECIPIENTS", "people.csv")
    settings = Settings(city="boston", home=tmp_path)
    assert (settings.city.name, settings.smtp_host, settings.recipients) == ("boston", None, None)


def test_another_process_reads_the_settings_that_this_one_has() -> None:
    settings = read_settings(
        {
            "ADEMRUIMTE_CITY": "boston",
            "ADEMRUIMTE_AS_OF": "2026-11-23",
            "ADEMRUIMTE_SMTP_PASSWORD": "geheim",
            "ADEMRUIMTE_SMTP_STARTTLS": "0",
            "ADEMRUIMTE_SPILL": "/mnt/spill",
            "ADEMRUIMTE_TICKETS_1777_URL": URL,
            "ADEMRUIMTE_TICKETS_1777_TOKEN": "geheim",
        }
    )
    assert read_settings(settings.environment) == settings


@pytest.mark.parametrize("amount", ["4GB", "1.5 GiB", "70%", "512MB"])
def test_the_memory_of_the_engine_is_an_amount_or_a_share(amount: str, tmp_path: Path) -> None:
    settings = read_settings({"ADEMRUIMTE_MEMORY": amount, "ADEMRUIMTE_SPILL": str(tmp_path)})
    assert settings.room == Room(amount, tmp_path)


@pytest.mark.parametrize("amount", ["4", "veel", "0GB", "-1GB", "4GB'; drop table t; --"])
def test_a_memory_that_is_no_amount_is_refused_by_its_name(amount: str) -> None:
    with pytest.raises(SettingInvalidError, match=r"ADEMRUIMTE_MEMORY is .*write an amount as 4GB"):
        read_settings({"ADEMRUIMTE_MEMORY": amount})
