"""What a build is made of: its batches, its code and its date. The same three make the same build."""

import hashlib
import json
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from orchestration.dbt_project import DBT_PROJECT
from orchestration.settings import Settings
from warehouse.durable import hash_of_files
from warehouse.lake import Decision, Lake
from warehouse.published.pointer import current
from warehouse.withdrawals import standing

_CODE_ENDINGS = {".sql", ".yml", ".csv", ".py"}
# the rules of the exit are code of a build as well
_QUALITY = DBT_PROJECT.parent / "orchestration" / "quality.py"
_CODE_FOLDERS = (DBT_PROJECT, DBT_PROJECT.parent / "contracts")
_MADE_BY_DBT = {"target", "logs"}


@dataclass(frozen=True, slots=True)
class Plan:
    """One build before it starts.

    Attributes:
        fingerprint: hash of batches, code and as_of; equal means that nothing would change.
    """

    build_id: str
    as_of: date
    batches: tuple[str, ...]
    fingerprint: str


def make_plan(settings: Settings, now: datetime) -> Plan:
    """The build that today's committed batches, code and date ask for."""
    batches = tuple(manifest.batch_id for manifest in Lake(settings.layout.lake).counting())
    as_of = settings.as_of(now)
    facts = json.dumps([batches, as_of.isoformat(), code_version(), settings.city.name])
    fingerprint = hashlib.sha256(facts.encode()).hexdigest()
    return Plan(f"{now:%Y%m%dT%H%M%S%fZ}-{fingerprint[:12]}", as_of, batches, fingerprint)


def why_due(settings: Settings, now: datetime) -> str | None:
    """Why a build is due now, or None."""
    last = last_decision(settings)
    if last is None:
        return "nothing was built yet"
    shown = to_show(settings, last)
    if current(settings.layout.published) != shown:
        return f"build {shown} is committed but not published"
    plan = make_plan(settings, now)
    if plan.fingerprint == last.facts["fingerprint"]:
        return None
    return _difference(plan, last)


def to_show(settings: Settings, last: Decision) -> str:
    """The build that readers should see: the last one, unless they were put back to another."""
    held = standing(settings.layout.decisions)
    return last.build_id if held is None else held.shown


def last_decision(settings: Settings) -> Decision | None:
    """The newest committed build."""
    lake = Lake(settings.layout.lake)
    builds = lake.build_ids()
    return lake.decision(builds[-1]) if builds else None


def code_version() -> str:
    """A hash of the SQL, the seeds and the contracts."""
    return hash_of_files(_code_files(), DBT_PROJECT.parent)


def _code_files() -> list[Path]:
    files = (path for folder in _CODE_FOLDERS for path in folder.rglob("*") if _is_code(path, folder))
    return [_QUALITY, *sorted(files)]


def _is_code(path: Path, folder: Path) -> bool:
    # dbt leaves a hidden file of its own beside the profile when someone runs it by hand
    made = path.name.startswith(".") or _MADE_BY_DBT & set(path.relative_to(folder).parts)
    return path.suffix in _CODE_ENDINGS and not made


def _difference(plan: Plan, last: Decision) -> str:
    fresh = set(plan.batches) ^ set(last.facts["batches"])
    if fresh:
        return f"{len(fresh)} batches came or went since build {last.build_id}"
    if plan.as_of.isoformat() != last.facts["as_of_date"]:
        return f"the date moved to {plan.as_of.isoformat()}"
    return "code or seeds changed"
