"""`ademruimte publish`, `rollback` and `bi-access`: what readers see, and who they are."""

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from warehouse.withdrawals import release as end_hold
from warehouse.withdrawals import standing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestration.settings import Settings
    from warehouse.published.postgres_access import Access

_console = Console(highlight=False)


def publish(
    *,
    release: Annotated[bool, typer.Option("--release", help="A rollback is over: show the newest build.")] = False,
) -> None:
    """Show the newest build in every store: after a rollback, or when PostgreSQL was away."""
    from orchestration.loop.build import build_lock
    from orchestration.loop.publishing import publish as publish_build
    from orchestration.loop.telling import fill_outbox
    from orchestration.settings import read_settings

    settings, now = read_settings(), datetime.now(UTC)
    with build_lock(settings):
        if release:
            end_hold(settings.layout.decisions, now)
        build_id, faults = publish_build(settings, now)
        fill_outbox(settings, now)
    _console.print(f"readers see build {build_id}", soft_wrap=True)
    if held := standing(settings.layout.decisions):
        _console.print(held.told, markup=False, soft_wrap=True)
    _tell(faults)


def rollback(
    reason: Annotated[str, typer.Option(help="Why; no names: it is kept for ever, and told to the data team.")],
    to: Annotated[
        str | None, typer.Option(metavar="BUILD", help="Which build; the one before what readers see.")
    ] = None,
) -> None:
    """Put every reader back to an earlier build, and show no other until `ademruimte publish --release`."""
    from orchestration.loop.build import build_lock
    from orchestration.loop.publishing import roll_back
    from orchestration.settings import read_settings

    settings = read_settings()
    with build_lock(settings):
        done = roll_back(settings, reason, datetime.now(UTC), to)
    _console.print(done.withdrawal.told, markup=False, soft_wrap=True)
    _console.print(f"{done.taken_back} messages that waited were taken back; what left cannot be")
    _tell(done.failed)


def bi_access(
    department: Annotated[str | None, typer.Argument(help="Code of the department that reads.")] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="A login that sees the rows of every department.")] = False,
    new_password: Annotated[bool, typer.Option("--new-password", help="Give a login that exists another one.")] = False,
) -> None:
    """Give a department its login in PostgreSQL, try what it must not do, and print what to hand over."""
    from orchestration.settings import SettingMissingError, read_settings, variable
    from warehouse.published.postgres_access import EVERY_DEPARTMENT, give_access

    settings = read_settings()
    if settings.postgres_url is None:
        raise SettingMissingError(
            f"no PostgreSQL is set up; set {variable('postgres_url')} (.env.example says which rights it needs)"
        )
    asked = EVERY_DEPARTMENT if every else department
    if asked is None or (every and department):
        raise typer.BadParameter("name a department, or --all for a login that sees the rows of each")
    if department is not None:
        _require_known(settings, department)
    _console.print(
        "\n".join(_sheet(give_access(settings.postgres_url.get_secret_value(), asked, is_new_password=new_password))),
        markup=False,
        soft_wrap=True,
    )


def _require_known(settings: "Settings", department: str) -> None:
    from orchestration.report import published_frame

    departments = published_frame(settings, "marts.dim_department").filter("is_listed")
    known = departments["department_id"].sort().to_list()
    if department not in known:
        raise typer.BadParameter(f"there is no department {department!r}; there are: {', '.join(known)}")


def _sheet(access: "Access") -> list[str]:
    """What a Power BI expert gets, in Dutch: the password stands here and nowhere else."""
    encrypted = (
        "Ja: zonder versleuteling weigert de server. Een eigen certificaat moet op de computer, of op de gateway, bij "
        "de vertrouwde basiscertificaten staan."
        if access.is_encrypted
        else "Nee: deze server is alleen op deze computer te bereiken."
    )
    return [
        "Toegang tot de cijfers, voor Power BI (Gegevens ophalen > PostgreSQL-database)",
        "",
        f"  Server         {access.host}:{access.port}",
        f"  Database       {access.database}",
        f"  Gebruiker      {access.login}",
        f"  Wachtwoord     {access.password}",
        f"  Versleuteld    {encrypted}",
        f"  Te zien        {access.views} tabellen in het schema marts, alleen om te lezen",
        "",
        "Nagekeken met deze gebruiker: niets te wijzigen, niets aan te maken, niets te zien achter deze tabellen.",
        "Bewaar het wachtwoord in uw wachtwoordkluis: het staat nergens anders. Hoe het verder gaat, staat in",
        "docs/powerbi.md.",
    ]


def _tell(faults: "Sequence[str]") -> None:
    for fault in faults:
        _console.print(fault, style="bold red", markup=False, soft_wrap=True)
    if faults:
        sys.exit(1)


COMMANDS = (publish, rollback, bi_access)
"""Each a command of its own, by its name."""
