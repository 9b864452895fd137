"""Run dbt in this process: no orphan can go on writing to the warehouse when the run is killed."""

import hashlib
import json
import logging
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.dbt_project import DBT_PROJECT
from orchestration.environment import point_dbt
from orchestration.loop.plan import code_version
from orchestration.settings import Settings
from warehouse.durable import replace_derived

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

_log = logging.getLogger("ademruimte.dbt")
# by what a manifest depends on; parsing the whole project costs eight seconds, reading this a third of one
_PARSED: dict[str, bytes] = {}
_HASH_BYTES = hashlib.sha256().digest_size


class TransformError(RuntimeError):
    """dbt did not finish; the message names the first node that failed, and why."""


@dataclass(frozen=True, slots=True)
class NodeResult:
    """What became of one dbt node."""

    unique_id: str
    status: str
    message: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Transformed:
    """The outcome of one dbt invocation.

    Attributes:
        results: of every node that ran.
        manifest: dbt's `manifest.json`.
        tests: unique_id, status, failures and message of every test; of one that did not run, what it found last.
    """

    results: tuple[NodeResult, ...]
    manifest: Mapping[str, Any]
    tests: Sequence[Mapping[str, Any]]

    @property
    def made(self) -> set[tuple[str, str]]:
        """Schema and name of every model of the project, whether it ran or not."""
        nodes = self.manifest["nodes"].values()
        return {(node["schema"], node["name"]) for node in nodes if node["resource_type"] == "model"}


def build_models(
    settings: Settings, as_of: date, selection: "Sequence[str] | Callable[[Manifest], Sequence[str]]"
) -> Transformed:
    """`dbt build` over a selection, with the build's date.

    Args:
        settings: of the profile.
        as_of: the build's date.
        selection: arguments of `dbt build`, or what makes them from the graph.

    Raises:
        TransformError: a model, a contract or a structure test failed; nothing is published.
    """
    variables = json.dumps({"as_of_date": as_of.isoformat(), "city": settings.city.name})
    outcome = _build(settings, selection, ["--vars", variables])
    target = _target(settings)
    ran = _read(target / "run_results.json").get("results", [])
    transformed = Transformed(
        tuple(_node_result(result) for result in getattr(outcome.result, "results", ()) or ()),
        _read(target / "manifest.json"),
        [each for each in ran if each["unique_id"].startswith("test.")],
    )
    _raise_on_failure(outcome, transformed)
    return transformed


def parse(settings: Settings) -> Path:
    """Writes dbt's manifest and says where.

    Raises:
        TransformError: the project does not parse.
    """
    path = _target(settings) / "manifest.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    with _dbt(settings):
        parsed_manifest(settings).write(str(path))
    return path


def _build(
    settings: Settings, selection: "Sequence[str] | Callable[[Manifest], Sequence[str]]", options: Sequence[str]
) -> Any:  # noqa: ANN401 - dbt publishes no type for it
    """One dbt command; its files are closed again, so that the warehouse can be opened."""
    # over a second of import that only a build pays
    from dbt.cli.main import dbtRunner  # noqa: PLC0415

    with _dbt(settings):
        manifest = parsed_manifest(settings)
        selected = selection(manifest) if callable(selection) else selection
        return dbtRunner(manifest, callbacks=[_forward]).invoke(["build", *selected, *options, *_where(settings)])


@contextmanager
def _dbt(settings: Settings) -> Iterator[None]:
    """The variables dbt's own files name, and afterwards no open warehouse."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager  # noqa: PLC0415 - as above

    with point_dbt(settings):
        try:
            yield
        finally:
            DuckDBConnectionManager.close_all_connections()


def parsed_manifest(settings: Settings) -> "Manifest":
    """The manifest of today's code; a profile parses the same code once.

    A run writes into its manifest, so every run gets its own copy.
    """
    from dbt.contracts.graph.manifest import Manifest  # noqa: PLC0415 - over a second of import
    from dbt.flags import set_from_args  # noqa: PLC0415 - as above

    key = _manifest_key(settings)
    if key not in _PARSED:
        kept = settings.layout.dbt / f"parsed-{key}.msgpack"
        _PARSED[key] = _whole(kept) or _parse_anew(settings, kept)
    # a manifest asks for the flags of a command, and no command was given yet
    set_from_args(Namespace(send_anonymous_usage_stats=False), None)
    manifest: Manifest = Manifest.from_msgpack(_PARSED[key])
    return manifest


def _whole(kept: Path) -> bytes | None:
    """The manifest that was kept; None where it is gone, or is not what was written."""
    with suppress(OSError):
        written = kept.read_bytes()
        parsed = written[_HASH_BYTES:]
        if hashlib.sha256(parsed).digest() == written[:_HASH_BYTES]:
            return parsed
    return None


def _manifest_key(settings: Settings) -> str:
    """A hash of what a manifest depends on: the code and where it lies, dbt, the city and the database."""
    parts = (code_version(), str(DBT_PROJECT), version("dbt-core"), settings.city.name, settings.layout.warehouse.stem)
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def _parse_anew(settings: Settings, kept: Path) -> bytes:
    """Parses the project, and keeps what came of it in place of what an earlier version left.

    Raises:
        TransformError: the project does not parse.
    """
    from dbt.cli.main import dbtRunner  # noqa: PLC0415 - over a second of import
    from dbt.contracts.graph.manifest import Manifest  # noqa: PLC0415 - as above

    outcome = dbtRunner().invoke(["parse", *_where(settings)])
    if not isinstance(outcome.result, Manifest):
        raise TransformError(f"the dbt project does not parse: {outcome.exception}")
    parsed: bytes = outcome.result.to_msgpack()
    for earlier in kept.parent.glob("parsed-*.msgpack"):
        earlier.unlink(missing_ok=True)
    replace_derived(kept, hashlib.sha256(parsed).digest() + parsed)
    return parsed


def _where(settings: Settings) -> list[str]:
    return [
        "--quiet",
        "--no-version-check",
        "--no-use-colors",
        # 45 000 lines of a build, in which nothing is that its error does not say
        "--log-level-file",
        "info",
        "--project-dir",
        str(DBT_PROJECT),
        "--profiles-dir",
        str(DBT_PROJECT),
        "--target-path",
        str(_target(settings)),
        "--log-path",
        str(settings.layout.dbt / "logs"),
    ]


def _target(settings: Settings) -> Path:
    return settings.layout.dbt / "target"


def _forward(event: Any) -> None:  # noqa: ANN401 - dbt publishes no type for its events
    """Progress: one line per table that dbt makes; a view costs nothing worth a line."""
    if event.info.name == "LogModelResult" and " view " not in event.data.description:
        _log.info("%s", event.data.description)


def _node_result(result: Any) -> NodeResult:  # noqa: ANN401 - dbt publishes no type for it
    return NodeResult(result.node.unique_id, str(result.status), result.message or "", result.execution_time)


def _read(path: Path) -> Mapping[str, Any]:
    content: Mapping[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return content


def _raise_on_failure(outcome: Any, transformed: Transformed) -> None:  # noqa: ANN401 - as above
    if outcome.exception is not None:
        raise TransformError(f"dbt stopped: {outcome.exception}")
    failed = [result for result in transformed.results if result.status in {"error", "fail"}]
    if failed:
        raise TransformError(f"{len(failed)} dbt nodes failed, first {failed[0].unique_id}: {failed[0].message}")
