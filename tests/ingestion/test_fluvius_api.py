"""The Fluvius Energy API v3: who asks, what is asked, and every shape that comes back."""

import json
import tracemalloc
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import polars as pl
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from contracts.cities.profile import City
from contracts.gate import Split, split
from contracts.sources.energy_meters import READINGS
from ingestion.delivery import Context, Delivery, digest_of
from ingestion.errors import AccessRefusedError, PermanentSupplierError, TransientSupplierError
from ingestion.protocols.fluvius_api import MOST_DAYS, Account, EnergyApi, Mandate, Window, rows_of, windows
from ingestion.registered_meters import NOT_WHOLE, Register, RegisterMissingError
from ingestion.sources import energy_meters
from ingestion.sources.energy_meters import NO_MANDATE, NOT_ASKED, SOURCE
from tests.ingestion.asking import endpoint_of
from tests.ingestion.fluvius_supplier import (
    NO_DATA,
    TOKEN_PATH,
    Fluvius,
    Reply,
    leaf,
    mandate,
    on_meter,
    piece,
    serving,
)

HALL, SCHOOL, HOME, STRANGER = (f"54144889000000{number}" for number in ("0117", "0513", "0711", "0919"))
NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
QUARTER = piece("2026-11-20T23:00:00Z", "2026-11-20T23:15:00Z", {"offtake": {"total": leaf(0.009)}})


def _register(*eans: str, home: str | None = HOME) -> pl.DataFrame:
    rows = [
        {"ean": ean, "is_dwelling": ean == home, "valid_from_date": date(2019, 1, 1), "valid_to_date": None}
        for ean in eans
    ]
    schema = {"ean": pl.String, "is_dwelling": pl.Boolean, "valid_from_date": pl.Date, "valid_to_date": pl.Date}
    return pl.DataFrame(rows, schema=schema).with_columns(supplied_at=pl.lit(NOW), content_sha256=pl.lit("a"))


def _context(city: City, memory: Mapping[str, object] | None = None, *eans: str) -> Context:
    return Context(city, memory=memory or {}, rows=lambda *_: _register(*(eans or (HALL, SCHOOL, HOME))))


def _endpoint(supplier: Fluvius, since: date | None = date(2026, 10, 15), **changed: str) -> Any:  # noqa: ANN401 - as `endpoint_of`
    settings = {
        "TOKEN_URL": supplier.url + TOKEN_PATH,
        "CLIENT_ID": "client",
        "SCOPE": "api://x/.default",
        "CLIENT_SECRET": "hush",
        "SUBSCRIPTION_KEY": "key",
    } | changed
    settings |= {"SINCE": since.isoformat()} if since else {}
    return endpoint_of(
        SOURCE, f"{supplier.url}/esco-live/v3", **{name: said for name, said in settings.items() if said}
    )


def _account(supplier: Fluvius) -> Account:
    return Account(supplier.url + TOKEN_PATH, "client", "api://x/.default", SecretStr("key"), SecretStr("hush"))


def _gated(delivery: Delivery, city: City) -> Split:
    return split(delivery.tables["readings"], READINGS, city, delivery.supplied_at)


@pytest.fixture
def fluvius() -> Iterator[Fluvius]:
    with serving(Fluvius()) as supplier:
        yield supplier


def _body(body: object) -> pl.DataFrame:
    rows = list(rows_of(body))
    return (
        pl.DataFrame(rows, schema=dict.fromkeys(READINGS.received.columns, pl.String))
        .with_row_index("line", 1)
        .cast({"line": pl.Int64})
    )


# --- the shapes of an answer ---


@pytest.mark.parametrize(
    ("name", "accepted"),
    [
        (
            "electricity_data_measurement_quarter_hourly",
            {("1SAG1234567890", "", "PT15M", "offtake", "total", "kWh"): 2},
        ),
        (
            "electricity_data_headpoints_measurement_quarter_hourly",
            {("", "", "PT15M", "offtake", "total", "kWh"): 2, ("", "001", "PT15M", "injection", "reactive", "kWh"): 1},
        ),
        (
            "electricity_data_headpoints_and_physical_meters_measurement_quarter_hourly",
            {("", "", "PT15M", "offtake", "total", "kWh"): 2, ("", "001", "PT15M", "injection", "reactive", "kWh"): 1},
        ),
        ("gas_data_measurement_hourly", {("1SAG1234567890", "", "PT1H", "offtake", "total", "m3"): 1}),
    ],
)
def test_the_published_examples_parse_and_no_energy_is_counted_twice(
    real_data: Path, kortrijk: City, name: str, accepted: dict[tuple[str, ...], int]
) -> None:
    example = json.loads((real_data / "energy_meters" / "fluvius_api" / f"{name}.json").read_text("utf-8"))
    found = split(_body(example), READINGS, kortrijk)
    columns = ("meter_id", "sub_ean", "granularity", "direction", "register", "unit")
    counted = {tuple(row[:-1]): row[-1] for row in found.accepted.group_by(columns).len().iter_rows()}
    assert counted == accepted
    assert found.quarantined.height == 0
    assert set(found.accepted["source"]) == {"fluvius_api"}


def test_a_day_total_runs_from_local_midnight_with_its_registers(kortrijk: City) -> None:
    day = piece(
        "2024-07-02T22:00:00Z",
        "2024-07-03T22:00:00Z",
        {
            "offtake": {"day": leaf(12.58), "night": leaf(20.14, state="VAL")},
            "injection": {"day": leaf(4.8, state="EST")},
        },
    )
    found = split(_body(on_meter(HALL, "dailyEnergy", day)), READINGS, kortrijk).accepted
    assert set(found.select("direction", "register", "value", "quality").iter_rows()) == {
        ("offtake", "day", 12.58, "read"),
        ("offtake", "night", 20.14, "validated"),
        ("injection", "day", 4.8, "estimated"),
    }
    assert set(found["reading_date"]) == {date(2024, 7, 3)}
    assert set(found["granularity"]) == {"P1D"}


def test_gas_comes_in_both_units_and_its_factor_tells_whether_it_is_final(kortrijk: City) -> None:
    hour = piece(
        "2026-01-01T05:00:00Z",
        "2026-01-01T06:00:00Z",
        {"offtake": {"total": leaf(1.0, "m3")}},
        {"offtake": {"total": leaf(11.2, "KWH", gasConversionFactor="P")}},
    )
    found = split(_body(on_meter(HALL, "hourlyEnergy", hour, energy_type="G")), READINGS, kortrijk).accepted
    assert set(found.select("carrier", "unit", "gcv_state").iter_rows()) == {
        ("gas", "m3", None),
        ("gas", "kWh", "provisional"),
    }


@pytest.mark.parametrize(
    ("state", "quality"),
    [("READ", "read"), ("VAL", "validated"), ("EST", "estimated"), ("NVAL", "not_validated"), (None, "not_validated")],
)
def test_every_validation_state_is_a_quality(kortrijk: City, state: str | None, quality: str) -> None:
    quarter = piece("2026-11-20T23:00:00Z", "2026-11-20T23:15:00Z", {"offtake": {"total": leaf(1, state=state)}})
    assert split(_body(on_meter(HALL, "quarterHourlyEnergy", quarter)), READINGS, kortrijk).accepted[
        "quality"
    ].to_list() == [quality]


def test_a_null_value_is_no_measurement_and_a_tiny_one_keeps_its_digits(kortrijk: City) -> None:
    quarters = [
        piece("2026-11-20T23:00:00Z", "2026-11-20T23:15:00Z", {"offtake": {"total": leaf(None)}}),
        piece("2026-11-20T23:15:00Z", "2026-11-20T23:30:00Z", {"offtake": {"total": leaf(0.00001)}}),
    ]
    found = split(_body(on_meter(HALL, "quarterHourlyEnergy", *quarters)), READINGS, kortrijk).accepted
    assert found.select("value", "quality").rows() == [(None, "missing"), (0.00001, "read")]


def test_an_unknown_unit_or_register_is_refused_and_not_skipped(kortrijk: City) -> None:
    quarter = piece(
        "2026-11-20T23:00:00Z", "2026-11-20T23:15:00Z", {"offtake": {"total": leaf(1, "kW"), "peak": leaf(1)}}
    )
    found = split(_body(on_meter(HALL, "quarterHourlyEnergy", quarter)), READINGS, kortrijk)
    assert [reasons[0] for reasons in found.quarantined["reasons"]] == [
        "unit: cannot be read",
        "register: cannot be read",
    ]


@pytest.mark.parametrize(
    "body",
    [
        {},
        NO_DATA,
        {"data": None},
        {"data": {"headpoint": None}},
        {"data": {"headpoint": {"ean": HALL, "physicalMeters": None}}},
        on_meter(HALL, "quarterHourlyEnergy", {"start": "x", "end": "y", "measurements": None}),
        {"data": [1]},
    ],
)
def test_an_answer_without_data_is_no_error(body: Mapping[str, Any]) -> None:
    assert list(rows_of(body)) == []


def test_two_meters_behind_one_access_point_keep_their_own_serial(kortrijk: City) -> None:
    body = on_meter(HALL, "quarterHourlyEnergy", QUARTER)
    body["data"]["headpoint"]["physicalMeters"].append(
        {"seqNumber": "2", "meterID": "1SAG2", "quarterHourlyEnergy": [QUARTER]}
    )
    assert split(_body(body), READINGS, kortrijk).accepted["meter_id"].to_list() == ["1SAG1", "1SAG2"]


def test_a_submeter_without_ean_is_known_by_its_number() -> None:
    headpoint = {
        "ean": HALL,
        "energyType": "E",
        "subHeadpoints": [{"seqNumber": "7", "quarterHourlyEnergy": [QUARTER]}],
    }
    assert [row["sub_ean"] for row in rows_of({"data": {"headpoint": headpoint}})] == ["7"]


# --- who asks ---


def test_the_token_is_asked_with_the_secret_and_every_call_carries_token_and_key(
    fluvius: Fluvius, kortrijk: City
) -> None:
    fluvius.mandates = [mandate(HALL)]
    SOURCE.fetch(_endpoint(fluvius), _context(kortrijk))
    assert fluvius.forms == [
        {
            "grant_type": "client_credentials",
            "client_id": "client",
            "scope": "api://x/.default",
            "client_secret": "hush",
        }
    ]
    assert {headers["Authorization"] for headers in fluvius.headers} == {"Bearer token-1"}
    assert {headers["Ocp-Apim-Subscription-Key"] for headers in fluvius.headers} == {"key"}


def test_a_token_is_renewed_a_minute_before_it_ends(fluvius: Fluvius) -> None:
    seconds = iter([0, 3539, 3540, 3540])
    window = Window("readTime", NOW - timedelta(days=1), NOW)
    with EnergyApi(f"{fluvius.url}/esco-live/v3", _account(fluvius), clock=lambda: next(seconds)) as api:
        for _ in range(3):
            api.energy(Mandate(HALL, ("daily",)), window)
    assert [headers["Authorization"] for headers in fluvius.headers] == [
        "Bearer token-1",
        "Bearer token-1",
        "Bearer token-2",
    ]


def _certificate(folder: Path) -> tuple[Path, Path, x509.Certificate]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "city.example")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    certificate = (
        builder.serial_number(1)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=9))
        .sign(key, hashes.SHA256())
    )
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return *paths, certificate


def test_a_certificate_signs_an_assertion_that_names_it(fluvius: Fluvius, kortrijk: City, tmp_path: Path) -> None:
    certificate_file, key_file, certificate = _certificate(tmp_path)
    settings = {"CLIENT_SECRET": "", "CERTIFICATE_FILE": str(certificate_file), "PRIVATE_KEY_FILE": str(key_file)}
    SOURCE.fetch(_endpoint(fluvius, **settings), _context(kortrijk))
    (form,) = fluvius.forms
    assert form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    assertion = form["client_assertion"]
    claims = jwt.decode(
        assertion, certificate.public_key(), algorithms=["RS256"], audience=f"{fluvius.url}/tenant/v2.0"
    )
    assert claims["iss"] == claims["sub"] == "client"
    assert claims["exp"] - claims["nbf"] == 3600
    # x5t is defined as SHA-1 (RFC 7515)
    thumbprint = urlsafe_b64encode(certificate.fingerprint(hashes.SHA1())).rstrip(b"=").decode()  # noqa: S303 - idem
    assert jwt.get_unverified_header(assertion)["x5t"] == thumbprint
    assert "client_secret" not in form


def test_an_unreadable_key_is_told_without_its_content(fluvius: Fluvius, kortrijk: City, tmp_path: Path) -> None:
    certificate_file, key_file, _ = _certificate(tmp_path)
    key_file.write_text("-----BEGIN PRIVATE KEY-----\nhushhush\n-----END PRIVATE KEY-----\n", encoding="utf-8")
    settings = {"CERTIFICATE_FILE": str(certificate_file), "PRIVATE_KEY_FILE": str(key_file)}
    with pytest.raises(PermanentSupplierError, match="must be PEM") as refused:
        SOURCE.fetch(_endpoint(fluvius, **settings), _context(kortrijk))
    assert "hushhush" not in str(refused.value)
    assert refused.value.__context__ is None


def test_who_proves_nothing_is_told_what_to_set(fluvius: Fluvius, kortrijk: City) -> None:
    with pytest.raises(PermanentSupplierError, match="ADEMRUIMTE_ENERGY_METERS_CLIENT_SECRET"):
        SOURCE.fetch(_endpoint(fluvius, CLIENT_SECRET=""), _context(kortrijk))


def test_a_key_file_that_is_not_there_is_named_by_its_setting(fluvius: Fluvius, kortrijk: City, tmp_path: Path) -> None:
    with pytest.raises(PermanentSupplierError, match="_CERTIFICATE_FILE cannot be opened"):
        SOURCE.fetch(_endpoint(fluvius, CERTIFICATE_FILE=str(tmp_path / "none.pem")), _context(kortrijk))


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        ((200, {}, {"error": "x"}), "granted no token"),
        ((401, {}, {}), "refused the credentials"),
        ((200, {}, b"<html>log in</html>"), "HTML"),
        ((200, {}, [1]), "no JSON object"),
    ],
)
def test_no_token_means_no_question_and_no_secret_in_the_message(
    fluvius: Fluvius, kortrijk: City, reply: Reply, says: str
) -> None:
    fluvius.token_reply = reply
    with pytest.raises(PermanentSupplierError, match=says) as refused:
        SOURCE.fetch(_endpoint(fluvius), _context(kortrijk))
    assert not {"hush", "key"} & set(str(refused.value).split())
    assert fluvius.headers == []


# --- what is asked ---


def test_a_window_spans_at_most_184_days_and_a_day_more_is_asked_at_the_end() -> None:
    found = windows("readTime", datetime(2023, 11, 23, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC))
    assert all(window.end - window.start <= timedelta(days=MOST_DAYS) for window in found)
    assert [window.start for window in found[1:]] == [window.end for window in found[:-1]]
    assert found[-1].end == datetime(2026, 11, 24, tzinfo=UTC)
    assert len(found) == 6


def test_the_first_pull_reads_by_measured_time_from_the_local_first_of_the_month(
    fluvius: Fluvius, kortrijk: City
) -> None:
    fluvius.mandates = [mandate(HALL)]
    delivery = SOURCE.fetch(_endpoint(fluvius), _context(kortrijk))
    assert fluvius.asked == [
        {
            "ean": HALL,
            "periodType": "readTime",
            "granularity": "hourly_quarterhourly",
            "complexEnergyTypes": "active,reactive",
            "from": "2026-09-30T22:00:00Z",
            "to": "2026-11-24T06:00:00Z",
        }
    ]
    (remembered,) = delivery.memory["access_points"].values()
    assert (remembered["pulled_at"], remembered["read_at"]) == (NOW.isoformat(), NOW.isoformat())


def test_without_a_first_day_three_years_are_read_in_windows(fluvius: Fluvius, kortrijk: City) -> None:
    fluvius.mandates = [mandate(HALL)]
    SOURCE.fetch(_endpoint(fluvius, since=None), _context(kortrijk))
    assert len(fluvius.asked) == 7
    assert fluvius.asked[0]["from"].startswith("2023-10-31")


def _memory(
    ean: str, pulled_at: datetime, read_at: datetime, granularity: str = "hourly_quarterhourly"
) -> dict[str, object]:
    said = Register(_register(ean).select("ean", "is_dwelling", "valid_from_date", "valid_to_date")).said_of(ean)
    moments = {"pulled_at": pulled_at.isoformat(), "read_at": read_at.isoformat()}
    return {"access_points": {ean: moments | {"terms": digest_of(date(2026, 10, 15), (granularity,), None, said)}}}


def test_a_later_pull_asks_what_was_stored_since_two_days_before_the_last(fluvius: Fluvius, kortrijk: City) -> None:
    fluvius.mandates = [mandate(HALL)]
    last = datetime(2026, 11, 22, 6, tzinfo=UTC)
    delivery = SOURCE.fetch(
        _endpoint(fluvius), _context(kortrijk, _memory(HALL, last, datetime(2026, 11, 1, tzinfo=UTC)))
    )
    (asked,) = fluvius.asked
    assert (asked["periodType"], asked["from"], asked["to"]) == (
        "insertTime",
        "2026-11-20T06:00:00Z",
        "2026-11-24T06:00:00Z",
    )
    assert delivery.memory["access_points"][HALL]["read_at"] == "2026-11-01T00:00:00+00:00"


def _pulled(fluvius: Fluvius, city: City, memory: Mapping[str, object] | None, **changed: Any) -> Delivery:  # noqa: ANN401 - one term
    terms = {"mandate": mandate(HALL), "since": date(2026, 10, 15), "register": _register(HALL)} | changed
    fluvius.mandates = [terms["mandate"]]
    context = Context(city, memory=memory or {}, rows=lambda *_: terms["register"])
    return SOURCE.fetch(_endpoint(fluvius, terms["since"]), context)


@pytest.mark.parametrize(
    "changed",
    [
        {"since": date(2026, 9, 1)},
        {"mandate": mandate(HALL, dataPeriodFrom="2026-10-20T00:00:00Z")},
        {"mandate": mandate(HALL, "VH_onbepaald")},
        {"register": _register(HALL).with_columns(valid_from_date=pl.lit(date(2018, 1, 1)))},
        {"register": _register(HALL, home=HALL)},
    ],
    ids=["first day", "period of the mandate", "detail of the mandate", "owned since", "a dwelling"],
)
def test_on_other_terms_an_access_point_is_read_in_full_again(
    fluvius: Fluvius, kortrijk: City, changed: Mapping[str, Any]
) -> None:
    first = _pulled(fluvius, kortrijk, None)
    again = _pulled(fluvius, kortrijk, first.memory)
    assert [asked["periodType"] for asked in fluvius.asked] == ["readTime", "insertTime"]
    _pulled(fluvius, kortrijk, again.memory, **changed)
    assert [asked["periodType"] for asked in fluvius.asked[2:]] == ["readTime"]


def test_once_a_month_the_last_three_months_are_read_again(fluvius: Fluvius, kortrijk: City) -> None:
    fluvius.mandates = [mandate(HALL)]
    last = datetime(2026, 10, 31, 6, tzinfo=UTC)
    delivery = SOURCE.fetch(_endpoint(fluvius), _context(kortrijk, _memory(HALL, last, last)))
    assert [asked["periodType"] for asked in fluvius.asked] == ["readTime", "insertTime"]
    assert fluvius.asked[0]["from"] == "2026-07-31T22:00:00Z"
    assert delivery.memory["access_points"][HALL]["read_at"] == NOW.isoformat()


@pytest.mark.parametrize(
    "memory", [{"access_points": 3}, {"access_points": {HALL: {"pulled_at": "x"}}}, {"access_points": {HALL: 1}}]
)
def test_a_memory_that_cannot_be_read_costs_a_fuller_pull_only(
    fluvius: Fluvius, kortrijk: City, memory: dict[str, object]
) -> None:
    fluvius.mandates = [mandate(HALL)]
    SOURCE.fetch(_endpoint(fluvius), _context(kortrijk, memory))
    assert [asked["periodType"] for asked in fluvius.asked] == ["readTime"]


def test_the_period_of_a_mandate_bounds_what_is_asked(fluvius: Fluvius, kortrijk: City) -> None:
    fluvius.mandates = [mandate(HALL, dataPeriodFrom="2026-10-20T00:00:00Z", dataPeriodTo="2026-10-31")]
    SOURCE.fetch(_endpoint(fluvius), _context(kortrijk))
    (asked,) = fluvius.asked
    assert (asked["from"], asked["to"]) == ("2026-10-19T22:00:00Z", "2026-11-01T23:00:00Z")


def test_two_mandates_of_one_access_point_are_one_question(fluvius: Fluvius, kortrijk: City) -> None:
    fluvius.mandates = [mandate(HALL), mandate(HALL, "VH_dag"), mandate(HALL, "IG")]
    SOURCE.fetch(_endpoint(fluvius), _context(kortrijk))
    assert [asked["granularity"] for asked in fluvius.asked] == ["daily,hourly_quarterhourly"]


def test_a_mandate_that_is_not_approved_is_not_used(fluvius: Fluvius, kortrijk: City) -> None:
    fluvius.mandates = [mandate(HALL, status="Rejected"), mandate(SCHOOL, "IG")]
    assert SOURCE.fetch(_endpoint(fluvius), _context(kortrijk)).tables["readings"].height == 0
    assert fluvius.asked == []


# --- what may come in ---


def test_an_access_point_outside_the_register_is_not_even_asked(fluvius: Fluvius, kortrijk: City) -> None:
    fluvius.mandates = [mandate(STRANGER), mandate(HALL)]
    delivery = SOURCE.fetch(_endpoint(fluvius), _context(kortrijk))
    assert [asked["ean"] for asked in fluvius.asked] == [HALL]
    assert delivery.withheld == {NOT_ASKED: 1}


def test_without_a_register_nobody_is_asked(fluvius: Fluvius, kortrijk: City) -> None:
    with pytest.raises(RegisterMissingError, match="register of buildings first"):
        SOURCE.fetch(_endpoint(fluvius), Context(kortrijk))
    assert fluvius.forms == []


def test_a_revoked_mandate_is_told_and_forgotten_and_the_others_continue(fluvius: Fluvius, kortrijk: City) -> None:
    fluvius.mandates = [mandate(HALL), mandate(SCHOOL)]
    fluvius.energy = lambda asked: (
        (403, {}, {}) if asked["ean"] == HALL else (200, {}, on_meter(SCHOOL, "quarterHourlyEnergy", QUARTER))
    )
    delivery = SOURCE.fetch(_endpoint(fluvius), _context(kortrijk, _memory(HALL, NOW, NOW)))
    assert delivery.withheld == {f"{NO_MANDATE} {HALL}": 1}
    assert set(delivery.memory["access_points"]) == {SCHOOL}
    assert _gated(delivery, kortrijk).accepted["ean"].to_list() == [SCHOOL]
    assert delivery.supplied_at == datetime(2026, 11, 23, 5, 59, tzinfo=UTC)
    assert delivery.origin == f"{fluvius.url}/esco-live/v3"


def test_when_every_access_point_is_refused_it_is_the_city_that_may_not_ask(fluvius: Fluvius, kortrijk: City) -> None:
    fluvius.mandates = [mandate(HALL), mandate(SCHOOL)]
    fluvius.energy = lambda _: (401, {}, {})
    with pytest.raises(PermanentSupplierError, match="all 2 access points"):
        SOURCE.fetch(_endpoint(fluvius), _context(kortrijk))


_BROKEN: list[Reply] = [
    (400, {}, {}),
    (404, {}, {}),
    (200, {}, b"<html>log in</html>"),
    (200, {}, [1]),
    (500, {"Retry-After": "0"}, {}),
]


def _failing(reply: Reply, *eans: str) -> Callable[[Mapping[str, str]], Reply]:
    """An API that has that answer for these access points, and a quarter of an hour for the others."""

    def answer(asked: Mapping[str, str]) -> Reply:
        ean = asked["ean"]
        return reply if ean in eans else (200, {}, on_meter(ean, "quarterHourlyEnergy", QUARTER))

    return answer


@pytest.mark.parametrize("reply", _BROKEN, ids=["400", "404", "a web page", "no object", "500"])
def test_an_access_point_that_cannot_be_read_is_named_and_the_others_continue(
    fluvius: Fluvius, kortrijk: City, reply: Reply
) -> None:
    fluvius.mandates = [mandate(HALL), mandate(SCHOOL)]
    fluvius.energy = _failing(reply, HALL)
    delivery = SOURCE.fetch(_endpoint(fluvius), _context(kortrijk))
    assert list(delivery.faults) == [HALL]
    assert delivery.faults[HALL].startswith(f"{fluvius.url}/esco-live/v3/api/mandate/energy: ")
    assert _gated(delivery, kortrijk).accepted["ean"].to_list() == [SCHOOL]
    assert set(delivery.memory["access_points"]) == {SCHOOL}


def test_a_known_access_point_that_cannot_be_read_is_asked_again_from_where_it_was(
    fluvius: Fluvius, kortrijk: City
) -> None:
    fluvius.mandates = [mandate(HALL), mandate(SCHOOL)]
    before = _memory(HALL, datetime(2026, 11, 9, 6, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC))
    fluvius.energy = _failing((404, {}, {}), HALL)
    failed = SOURCE.fetch(_endpoint(fluvius), _context(kortrijk, before))
    assert failed.memory["access_points"][HALL] == before["access_points"][HALL]
    fluvius.energy = _failing((404, {}, {}))
    again = SOURCE.fetch(_endpoint(fluvius), _context(kortrijk, failed.memory))
    assert [asked["from"] for asked in fluvius.asked if asked["ean"] == HALL] == ["2026-11-07T06:00:00Z"] * 2
    assert again.faults == {}


def test_of_an_access_point_that_fails_half_way_nothing_is_kept(fluvius: Fluvius, kortrijk: City) -> None:
    fluvius.mandates = [mandate(HALL), mandate(SCHOOL)]
    good = _failing((404, {}, {}))
    fluvius.energy = lambda asked: (404, {}, {}) if asked["ean"] == HALL and asked["from"] > "2026-06" else good(asked)
    delivery = SOURCE.fetch(_endpoint(fluvius, since=date(2026, 1, 1)), _context(kortrijk))
    assert len([asked for asked in fluvius.asked if asked["ean"] == HALL]) == 2
    assert _gated(delivery, kortrijk).accepted["ean"].unique().to_list() == [SCHOOL]


def test_a_dwelling_that_cannot_be_read_is_counted_and_not_named(fluvius: Fluvius, kortrijk: City) -> None:
    fluvius.mandates = [mandate(HOME), mandate(SCHOOL), mandate(HALL)]
    fluvius.energy = _failing((400, {}, {}), HOME, SCHOOL)
    delivery = SOURCE.fetch(_endpoint(fluvius), _context(kortrijk))
    assert list(delivery.faults) == [f"{SCHOOL}, dwellings (1)"]
    assert HOME not in repr((delivery.faults, delivery.withheld, delivery.warnings))


def test_many_access_points_that_fail_in_one_way_are_one_fault(fluvius: Fluvius, kortrijk: City) -> None:
    eans = [f"5414488900000{number:05d}" for number in range(6)]
    fluvius.mandates = [mandate(ean) for ean in (*eans, HALL)]
    fluvius.energy = _failing((400, {}, {}), *eans)
    delivery = SOURCE.fetch(_endpoint(fluvius), _context(kortrijk, None, *eans, HALL))
    assert list(delivery.faults) == [f"{', '.join(eans[:3])}, 3 more"]


@pytest.mark.parametrize("status", [400, 404])
def test_when_no_access_point_can_be_read_the_pull_fails(fluvius: Fluvius, kortrijk: City, status: int) -> None:
    fluvius.mandates = [mandate(HALL), mandate(SCHOOL)]
    fluvius.energy = lambda asked: (403, {}, {}) if asked["ean"] == HALL else (status, {}, {})
    with pytest.raises(PermanentSupplierError, match=f"HTTP {status}"):
        SOURCE.fetch(_endpoint(fluvius), _context(kortrijk))


def test_a_supplier_that_is_down_is_not_asked_for_every_access_point(fluvius: Fluvius, kortrijk: City) -> None:
    eans = [f"5414488900000{number:05d}" for number in range(6)]
    fluvius.mandates = [mandate(ean) for ean in eans]
    fluvius.energy = _failing((503, {"Retry-After": "0"}, {}), *eans[1:])
    delivery = SOURCE.fetch(_endpoint(fluvius), _context(kortrijk, None, *eans))
    assert {asked["ean"] for asked in fluvius.asked} == set(eans[:4])
    assert list(delivery.faults) == [", ".join(eans[1:4])]
    assert set(delivery.memory["access_points"]) == {eans[0]}
    # two were never read, and the rest does not speak for them
    assert delivery.complete_until == datetime(2026, 10, 14, 22, tzinfo=UTC)
    fluvius.energy = _failing((503, {"Retry-After": "0"}, {}), *eans)
    with pytest.raises(TransientSupplierError, match="HTTP 503"):
        SOURCE.fetch(_endpoint(fluvius), _context(kortrijk, None, *eans))


def test_a_pull_that_grows_long_goes_on_in_the_next_and_says_that_it_is_not_complete(
    fluvius: Fluvius, kortrijk: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(energy_meters, "_MOST_ROWS", 1)
    eans = [HALL, SCHOOL, STRANGER]
    fluvius.mandates = [mandate(ean) for ean in eans]
    fluvius.energy = _failing((404, {}, {}))
    memory: Mapping[str, object] = {}
    complete, landed = [], []
    for _ in eans:
        delivery = SOURCE.fetch(_endpoint(fluvius), _context(kortrijk, memory, *eans))
        memory = delivery.memory or {}
        complete.append(delivery.complete_until)
        landed.append(set(delivery.tables["readings"]["ean"]))
    assert landed == [set(eans[:1]), set(eans[:2]), set(eans)]
    assert complete == [datetime(2026, 10, 14, 22, tzinfo=UTC)] * 2 + [None]
    assert [asked["ean"] for asked in fluvius.asked if asked["periodType"] == "readTime"] == eans
    assert len(delivery.warnings) == 0


def test_a_long_pull_says_how_many_access_points_it_left(
    fluvius: Fluvius, kortrijk: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(energy_meters, "_MOST_ROWS", 1)
    fluvius.mandates = [mandate(HALL), mandate(SCHOOL), mandate(HOME)]
    fluvius.energy = _failing((404, {}, {}))
    (warning,) = SOURCE.fetch(_endpoint(fluvius), _context(kortrijk)).warnings
    assert warning.startswith("2 access points are left to the next pull")


def test_in_a_long_pull_what_was_stored_lately_is_asked_and_the_three_months_wait(
    fluvius: Fluvius, kortrijk: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(energy_meters, "_MOST_ROWS", 1)
    last = datetime(2026, 10, 31, 6, tzinfo=UTC)
    points = {}
    for ean in (HALL, SCHOOL):
        points |= _memory(ean, last, last)["access_points"]  # type: ignore[operator]
    fluvius.mandates = [mandate(HALL), mandate(SCHOOL)]
    fluvius.energy = _failing((404, {}, {}))
    delivery = SOURCE.fetch(_endpoint(fluvius), _context(kortrijk, {"access_points": points}))
    assert [(asked["ean"], asked["periodType"]) for asked in fluvius.asked] == [
        (HALL, "readTime"),
        (HALL, "insertTime"),
        (SCHOOL, "insertTime"),
    ]
    read_at = {ean: seen["read_at"] for ean, seen in delivery.memory["access_points"].items()}
    assert read_at == {HALL: NOW.isoformat(), SCHOOL: last.isoformat()}
    assert delivery.complete_until is None


def test_more_windows_take_no_more_room_on_their_way(fluvius: Fluvius, kortrijk: City) -> None:
    starts = [datetime(2026, 3, 1, tzinfo=UTC) + timedelta(minutes=15 * at) for at in range(4000)]
    pieces = [piece(f"{start:%Y-%m-%dT%H:%M:%SZ}", "", {"offtake": {"total": leaf(0.125)}}) for start in starts]
    body = json.dumps(on_meter(HALL, "quarterHourlyEnergy", *pieces)).encode()
    fluvius.mandates = [mandate(HALL)]
    fluvius.energy = lambda _: (200, {}, body)
    peaks = []
    for since in (date(2026, 10, 15), None):
        tracemalloc.start()
        rows = SOURCE.fetch(_endpoint(fluvius, since), _context(kortrijk)).tables["readings"]
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert rows.height == 7 * len(starts)
    assert peaks[1] < 1.5 * peaks[0]


def test_a_wrong_subscription_key_refuses_the_pull(fluvius: Fluvius, kortrijk: City) -> None:
    with pytest.raises(AccessRefusedError, match="HTTP 401"):
        SOURCE.fetch(_endpoint(fluvius, SUBSCRIPTION_KEY="wrong"), _context(kortrijk))


def test_too_many_questions_wait_as_long_as_the_supplier_asks(fluvius: Fluvius) -> None:
    replies = iter([(429, {"Retry-After": "7"}, {}), (200, {}, NO_DATA)])
    fluvius.energy = lambda _: next(replies)
    slept: list[float] = []
    with EnergyApi(f"{fluvius.url}/esco-live/v3", _account(fluvius), sleep=slept.append) as api:
        assert api.energy(Mandate(HALL, ("daily",)), Window("readTime", NOW, NOW)) == NO_DATA
    assert slept == [7]


def test_a_supplier_that_keeps_refusing_is_asked_again_by_the_next_run(fluvius: Fluvius) -> None:
    fluvius.energy = lambda _: (429, {"Retry-After": "1"}, {})
    with (
        EnergyApi(f"{fluvius.url}/esco-live/v3", _account(fluvius), sleep=lambda _: None) as api,
        pytest.raises(TransientSupplierError, match="HTTP 429") as refused,
    ):
        api.energy(Mandate(HALL, ("daily",)), Window("readTime", NOW, NOW))
    assert HALL not in str(refused.value)


def _days(ean: str, first: date, count: int) -> Reply:
    starts = [
        datetime(first.year, first.month, first.day, tzinfo=UTC) + timedelta(days=day, hours=-2) for day in range(count)
    ]
    pieces = [
        piece(f"{start:%Y-%m-%dT%H:%M:%SZ}", "", {"offtake": {"day": leaf(1.5), "night": leaf(0.5)}})
        for start in starts
    ]
    return 200, {}, on_meter(ean, "dailyEnergy", *pieces, meter="1SAG-home")


def test_a_dwelling_is_asked_by_day_and_kept_by_whole_month(fluvius: Fluvius, kortrijk: City) -> None:
    fluvius.mandates = [mandate(HOME)]
    fluvius.energy = lambda _: _days(HOME, date(2026, 9, 1), 35)
    delivery = SOURCE.fetch(
        _endpoint(fluvius), _context(kortrijk, _memory(HOME, NOW, datetime(2026, 10, 1, tzinfo=UTC), "daily"))
    )
    assert {(asked["periodType"], asked["granularity"]) for asked in fluvius.asked} == {("readTime", "daily")}
    (month,) = _gated(delivery, kortrijk).accepted.iter_rows(named=True)
    assert (month["granularity"], month["reading_date"], month["value"]) == ("P1M", date(2026, 9, 1), 60)
    assert (month["meter_id"], month["register"]) == ("", "total")
    assert delivery.withheld[NOT_WHOLE] == 10
    assert "1SAG-home" not in delivery.tables["readings"].write_csv()


def test_a_refused_dwelling_is_told_without_its_number(fluvius: Fluvius, kortrijk: City) -> None:
    fluvius.mandates = [mandate(HOME), mandate(HALL)]
    fluvius.energy = lambda asked: (403, {}, {}) if asked["ean"] == HOME else (200, {}, NO_DATA)
    delivery = SOURCE.fetch(_endpoint(fluvius), _context(kortrijk))
    assert delivery.withheld == {f"{NO_MANDATE} een woning": 1}
