"""Who may read the views in PostgreSQL: one role for what all share, one login per department.

Belongs here: making a login, and trying as that login what must not work. Does not belong here: the views (`postgres`).
"""

import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import psycopg
from psycopg.conninfo import conninfo_to_dict

from warehouse.published.postgres import READERS
from warehouse.published.postgres_connection import (
    MARTS,
    Connection,
    PostgresError,
    connected,
    conninfo,
    is_local,
    telling,
)
from warehouse.published.postgres_tables import view_of
from warehouse.published.relations import literal, quoted

EVERY_DEPARTMENT: Final = "*"
"""The department of a login that sees every row."""

_CODE = re.compile(r"[a-z][a-z0-9_]{0,39}")
# of the role that all readers share, and of the login that sees every row
_TAKEN = ("reader", "all")
# of the compiler's estimates only, and those are of all versions of a table together
_SETTINGS = {
    "jit": "off",
    "default_transaction_read_only": "on",
    "statement_timeout": "10min",
    # who forgets a session open keeps old builds from going
    "idle_in_transaction_session_timeout": "5min",
}
_MOST_CONNECTIONS = 20
# not allowed, or not even there
_SHUT = (psycopg.errors.InsufficientPrivilege, psycopg.errors.InvalidSchemaName)


@dataclass(frozen=True, slots=True)
class Access:
    """What is handed over to whoever reads for a department; the password is nowhere else.

    Attributes:
        is_encrypted: whether the server was seen to refuse a connection in the clear. False on this machine only.
        views: how many the login sees.
    """

    host: str
    port: str
    database: str
    login: str
    password: str = field(repr=False)
    is_encrypted: bool
    views: int


def give_access(url: str, department: str, *, is_new_password: bool) -> Access:
    """Makes the login of a department, and tries as that login what must not work.

    Args:
        url: of a role that owns the database and may make roles.
        department: its code; `EVERY_DEPARTMENT` for a login that sees every row.
        is_new_password: whether a login that exists gets another password.

    Raises:
        PostgresError: it could not be made, exists already, or may do more than it should.
    """
    if department != EVERY_DEPARTMENT and (department in _TAKEN or not _CODE.fullmatch(department)):
        raise PostgresError(f"{department!r} is no code of a department: write small letters, digits and underscores")
    login = "bi_all" if department == EVERY_DEPARTMENT else f"bi_{department}"
    password = secrets.token_urlsafe(24)
    with connected(url) as db:
        if db.execute("select to_regclass('ledger.access')").fetchone() == (None,):
            raise PostgresError("nothing is published in this database yet; run `ademruimte publish`")
        with db.transaction():
            _share(db)
            _make_login(db, login, password, is_new_password=is_new_password)
            db.execute("delete from ledger.access where login = %s", (login,))
            db.execute("insert into ledger.access values (%s, %s)", (login, department))
    return _tried(url, login, password)


def _share(db: Connection) -> None:
    """What every reader shares: the views, and nothing else of the database."""
    if db.execute("select 1 from pg_roles where rolname = %s", (READERS,)).fetchone() is None:
        db.execute(f"create role {READERS} nologin")
    [(database,)] = db.execute("select current_database()").fetchall()
    db.execute(f"revoke all on database {quoted(database)} from public")
    db.execute(f"grant connect on database {quoted(database)} to {READERS}")
    db.execute(f"grant usage on schema {MARTS} to {READERS}")
    for (name,) in db.execute("select table_name from ledger.shown").fetchall():
        db.execute(f"grant select on {view_of(name)} to {READERS}")


def _make_login(db: Connection, login: str, password: str, *, is_new_password: bool) -> None:
    # the server's log may keep statements: it gets what a password is checked by, not the password
    kept = db.pgconn.encrypt_password(password.encode(), login.encode(), b"scram-sha-256").decode()
    is_there = db.execute("select 1 from pg_roles where rolname = %s", (login,)).fetchone() is not None
    if is_there and not is_new_password:
        raise PostgresError(f"login {login} exists already; `--new-password` gives it another password")
    how = "alter" if is_there else "create"
    db.execute(f"{how} role {login} login password {literal(kept)} connection limit {_MOST_CONNECTIONS}")
    db.execute(f"grant {READERS} to {login}")
    for name, value in _SETTINGS.items():
        db.execute(f"alter role {login} set {name} = {literal(value)}")


def _tried(url: str, login: str, password: str) -> Access:
    own = conninfo(url, user=login, password=password)
    given = conninfo_to_dict(own)
    with telling(), psycopg.connect(own, autocommit=True) as db:
        faults = list(_faults(db))
        [(views,)] = db.execute(
            "select count(*) from information_schema.tables where table_schema = %s", (MARTS,)
        ).fetchall()
        database = db.info.dbname
        is_encrypted = db.pgconn.ssl_in_use and not _answers_in_the_clear(own)
    if not is_encrypted and not is_local(given):
        faults.append("the server answers without encryption: let pg_hba.conf say `hostssl` only")
    if faults:
        raise PostgresError(f"login {login} was made, and must not be handed over: {'; '.join(faults)}")
    host, port = str(given.get("host") or "localhost"), str(given.get("port") or "5432")
    return Access(host, port, database, login, password, is_encrypted=is_encrypted, views=views)


def _faults(db: Connection) -> Iterator[str]:
    """What a reader can do and must not."""
    # a default that any session may put off: what holds is what is granted
    db.execute("set default_transaction_read_only = off")
    tried: Sequence[tuple[str, str]] = (
        ("it reads what lies behind the views", "select count(*) from ledger.publication"),
        ("it makes tables", f"create table {MARTS}.mine (a int)"),
        ("it makes tables in the schema public: revoke create on it from public", "create table public.mine (a int)"),
        ("it makes temporary tables", "create temporary table mine (a int)"),
    )
    for fault, statement in tried:
        if _works(db, statement):
            yield fault
    stores = "select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace"
    [(readable,)] = db.execute(
        f"{stores} where n.nspname = 'store' and has_table_privilege(c.oid, 'select')"
    ).fetchall()
    if readable:
        yield f"it reads {readable} tables behind the views"


def _works(db: Connection, statement: str) -> bool:
    try:
        with db.transaction(force_rollback=True):
            db.execute(statement)
    except _SHUT:
        return False
    return True


def _answers_in_the_clear(own: str) -> bool:
    try:
        psycopg.connect(own, sslmode="disable").close()
    except psycopg.OperationalError:
        return False
    return True
