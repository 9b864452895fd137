"""The one way to reach the PostgreSQL server of the readers.

Belongs here: how it is connected to, and what is told when it does not do what it is asked. Does not belong here: what
is kept there (`postgres`), or who may read it (`postgres_access`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from adbc_driver_manager import Error as LoadError
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import TupleRow

Connection = psycopg.Connection[TupleRow]
MARTS: Final = "marts"
"""The one schema that readers see."""

_LOCAL = ("127.0.0.1", "::1", "localhost")
# a server that is away, or goes away, is noticed within a minute
_PATIENCE = {"connect_timeout": 10, "keepalives_idle": 30, "tcp_user_timeout": 60_000, "application_name": "ademruimte"}
_ADVICE: Final[tuple[tuple[type[psycopg.Error], str], ...]] = (
    (psycopg.errors.InsufficientPrivilege, "grant the role of the URL what it lacks"),
    (psycopg.errors.DiskFull, "make room on the server"),
    (psycopg.errors.LockNotAvailable, "another session held it too long"),
    (psycopg.OperationalError, "see whether the server runs, and whether its address and login are right"),
)


class PostgresError(RuntimeError):
    """PostgreSQL did not do what was asked; readers keep what they see. The message says why, and what to do."""


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """A connection of which each statement is a transaction of its own.

    Raises:
        PostgresError: it could not be made, or something that was done with it failed.
    """
    with telling(), psycopg.connect(conninfo(url), autocommit=True) as db:
        yield db


@contextmanager
def telling() -> Iterator[None]:
    """Makes whatever the server or its driver refuses one error that says what to do.

    Raises:
        PostgresError: something failed.
    """
    try:
        yield
    except (psycopg.Error, LoadError) as fault:
        advice = next((advice for kind, advice in _ADVICE if isinstance(fault, kind)), "see the log of the server")
        said = (str(fault).splitlines() or [type(fault).__name__])[0]
        raise PostgresError(f"PostgreSQL: {said}; {advice}") from fault


def conninfo(url: str, **changes: str) -> str:
    """How a driver is told where to connect; to another machine never without encryption.

    Raises:
        PostgresError: it is no address; the message does not repeat it, for it may hold a password.
    """
    try:
        given = conninfo_to_dict(url) | changes
    except psycopg.ProgrammingError:
        raise PostgresError(
            "the URL of PostgreSQL cannot be read; write postgresql://user:password@host/database"
        ) from None
    encrypted = {} if is_local(given) else {"sslmode": "require"}
    chosen: dict[str, Any] = {**_PATIENCE, **encrypted, **given}
    return make_conninfo(**chosen)


def is_local(given: dict[str, Any]) -> bool:
    """Whether these are the parameters of a server on this machine."""
    host = str(given.get("host") or "/")
    return host.startswith("/") or host in _LOCAL
