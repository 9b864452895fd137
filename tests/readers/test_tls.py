"""Over a network PostgreSQL answers with TLS only: against the server of Debian, for that of the wheel has none."""

import ipaddress
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from orchestration.embedded_postgres import ADDRESS, Server, run_server
from tests.readers.reading import STORES
from warehouse.published.postgres_access import give_access

pytestmark = pytest.mark.readers  # a second server

HOSTSSL = ("local all all trust", f"hostssl all all {ADDRESS}/32 scram-sha-256")


def certificate(folder: Path) -> Path:
    """A certificate of its own for the loopback address, beside its key."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ademruimte")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(ADDRESS))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    (folder / "server.key").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    (folder / "server.crt").write_bytes(made.public_bytes(pem))
    (folder / "server.key").chmod(0o600)
    if os.geteuid() == 0:
        shutil.chown(folder / "server.key", "nobody")
        shutil.chown(folder / "server.crt", "nobody")
    return folder / "server.crt"


@pytest.fixture(scope="module")
def debian() -> Iterator[Server]:
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    if not installed:
        pytest.skip("PostgreSQL of Debian is not installed: `apt-get install postgresql`")
    folder = Path(tempfile.mkdtemp(prefix="ademruimte-"))
    certificate(folder)
    settings = ("ssl = on", f"ssl_cert_file = '{folder}/server.crt'", f"ssl_key_file = '{folder}/server.key'")
    running = run_server(folder, installed[-1], settings=settings, access=HOSTSSL)
    yield running
    subprocess.run(running.stop, check=True, capture_output=True)
    shutil.rmtree(folder)


def test_what_is_published_and_read_over_the_network_is_encrypted_and_nothing_else_is_let_in(
    debian: Server, warehouse: Path
) -> None:
    publishing = STORES["postgres"](
        warehouse, f"{debian.url}?sslmode=verify-full&sslrootcert={debian.folder}/server.crt"
    )
    assert len(publishing.publish("b1")) == 5
    access = give_access(publishing.place, "wonen", is_new_password=False)
    assert access.is_encrypted
    how = {"host": access.host, "port": access.port, "user": access.login, "password": access.password}
    for mode in ("require", "verify-full"):
        with psycopg.connect(
            **how, dbname=access.database, sslmode=mode, sslrootcert=f"{debian.folder}/server.crt"
        ) as db:
            [(encrypted, version)] = db.execute(
                "select ssl, version from pg_stat_ssl where pid = pg_backend_pid()"
            ).fetchall()
            assert (encrypted, version) == (True, "TLSv1.3")
            assert db.execute("select count(*) from marts.fct_a").fetchone() == (1000,)
    with pytest.raises(psycopg.OperationalError, match="no encryption"):
        psycopg.connect(**how, dbname=access.database, sslmode="disable")


def test_a_server_that_is_not_who_it_says_is_published_nothing(debian: Server, warehouse: Path, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    other = certificate(folder)
    publishing = STORES["postgres"](warehouse, f"{debian.url}?sslmode=verify-full&sslrootcert={other}")
    with pytest.raises(RuntimeError, match="certificate verify failed"):
        publishing.publish("b9")
