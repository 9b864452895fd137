"""What the tree may and may not hold."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.conftest import LONGEST

TOP_LEVEL_FOLDERS = {
    ".ci",
    "contracts",
    "dbt_project",
    "docs",
    "ingestion",
    "orchestration",
    "tests",
    "warehouse",
}
ROOT_DOCUMENTS = (
    ".env.example",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "SECURITY.md",
    "docs/architecture.md",
    "publiccode.yml",
    "pyproject.toml",
)
# in pieces, or this file would hold what it forbids
REGISTRIES = tuple(
    ".".join(pieces)
    for pieces in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("registry", "npmjs"),
        ("deb", "debian", "org"),
        ("crates", "io"),
        ("proxy", "golang", "org"),
        ("repo", "maven"),
    )
)
ADDRESS_LOCKS = {"uv.lock", "pylock.toml"}
HOMELESS_NAMES = {"utils", "util", "helpers", "helper", "common", "lib", "misc"}
# what is done in one module only, so that it is done right everywhere
ONE_PLACE = {
    "fsync(": "warehouse/durable.py",
    "file_digest(": "warehouse/durable.py",
    "pl.read_parquet(": "warehouse/frames.py",
    "pl.scan_parquet(": "warehouse/frames.py",
    '"BIGINT"': "contracts/kinds.py",
}
LOCKS = ("requirements.lock.txt", "requirements-dev.lock.txt")
LOCAL_LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")


def _text(path: Path) -> str:
    return path.read_text("utf-8", errors="replace")


def test_no_file_names_the_address_of_a_package_registry(kept_files: list[Path], root: Path) -> None:
    found = [
        f"{path.relative_to(root)}: {registry}"
        for path in kept_files
        for registry in REGISTRIES
        if registry in _text(path)
    ]
    assert not found, f"a registry's address is the user's own setting, never the project's: {found}"


def test_no_lock_file_that_holds_addresses_is_kept(kept_files: list[Path]) -> None:
    assert not ADDRESS_LOCKS & {path.name for path in kept_files}, "keep the hashed requirement files instead"


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_pins_and_hashes_every_package_and_names_no_address(root: Path, name: str) -> None:
    text = _text(root / name)
    requirements = re.findall(r"^(?=\S)(.+?)((?: \\\n    --hash=sha256:[0-9a-f]{64})*)$", text, re.MULTILINE)
    unpinned = [line for line, _ in requirements if not re.match(r"^[a-z0-9._-]+(\[[a-z,]+\])?==", line)]
    unhashed = [line for line, hashes in requirements if not hashes]
    assert len(requirements) > 100
    assert not unpinned
    assert not unhashed
    assert "://" not in text


def test_the_developing_lock_holds_the_running_lock(root: Path) -> None:
    running, developing = (set(re.findall(r"^\S+==\S+", _text(root / name), re.MULTILINE)) for name in LOCKS)
    assert not running - developing, "both locks are resolved together: make lock"


def _asked(root: Path, extras: list[str]) -> list[str]:
    project = tomllib.loads(_text(root / "pyproject.toml"))["project"]
    return [*project["dependencies"], *(line for extra in extras for line in project["optional-dependencies"][extra])]


def _imported(path: Path) -> set[str]:
    """The first word of each module that a file imports."""
    nodes = list(ast.walk(ast.parse(_text(path))))
    plain = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    of_it = [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module and not node.level]
    return {name.partition(".")[0] for name in plain + of_it}


def _canonical(name: str) -> str:
    return name.lower().replace("_", "-")


@pytest.mark.parametrize(("name", "extras"), [(LOCKS[0], ["install"]), (LOCKS[1], ["install", "dev"])])
def test_a_lock_pins_every_dependency_the_project_asks_for(root: Path, name: str, extras: list[str]) -> None:
    declared = {re.split(r"[\[><=]", line)[0] for line in _asked(root, extras)}
    pinned = set(re.findall(r"^([a-z0-9.-]+)", _text(root / name), re.MULTILINE))
    assert not declared - pinned, "the lock is older than pyproject.toml: make lock"


@pytest.mark.parametrize(("files", "extras"), [("source_files", []), ("test_files", ["dev"])])
def test_what_a_file_imports_the_project_asks_for(
    request: pytest.FixtureRequest, root: Path, files: str, extras: list[str]
) -> None:
    names = {_canonical(re.split(r"[\[><=]", line)[0]) for line in _asked(root, extras)}
    brought = {module: set(map(_canonical, each)) for module, each in packages_distributions().items()}
    undeclared = {
        (str(path.relative_to(root)), module)
        for path in request.getfixturevalue(files)
        for module in _imported(path) - sys.stdlib_module_names - TOP_LEVEL_FOLDERS
        if not names & brought.get(module, set()) and not path.with_name(f"{module}.py").exists()
    }
    assert not undeclared, "name it in pyproject.toml: another package may stop bringing it"


def test_nothing_is_named_for_having_no_place(kept_files: list[Path], root: Path) -> None:
    parts = {part for path in kept_files for part in path.relative_to(root).with_suffix("").parts}
    assert not HOMELESS_NAMES & parts, "put it where its reader would look for it"


def test_the_top_level_holds_the_rooms_and_nothing_else(kept_files: list[Path], root: Path) -> None:
    folders = {path.relative_to(root).parts[0] for path in kept_files if path.parent != root}
    assert folders <= TOP_LEVEL_FOLDERS


@pytest.mark.parametrize("name", ROOT_DOCUMENTS)
def test_a_document_a_stranger_looks_for_is_there(root: Path, name: str) -> None:
    assert _text(root / name).strip()


def test_every_link_in_a_document_leads_somewhere(kept_files: list[Path], root: Path) -> None:
    documents = [path for path in kept_files if path.suffix == ".md"]
    dead = [
        f"{document.relative_to(root)}: {link}"
        for document in documents
        for link in LOCAL_LINK.findall(_text(document))
        if not (document.parent / link).exists()
    ]
    assert not dead


def test_no_file_is_too_big_to_read_in_a_review(kept_files: list[Path], root: Path) -> None:
    big = [str(path.relative_to(root)) for path in kept_files if path.stat().st_size > 1_048_576]
    assert not big


def test_every_module_says_what_belongs_in_it(source_files: list[Path], root: Path) -> None:
    silent = [str(path.relative_to(root)) for path in source_files if not _text(path).lstrip().startswith('"""')]
    assert not silent


def test_the_licence_is_the_one_the_project_names(root: Path) -> None:
    assert _text(root / "LICENSE").startswith("EUROPEAN UNION PUBLIC LICENCE v. 1.2\n")
    assert 'license = "EUPL-1.2"' in _text(root / "pyproject.toml")
    assert "license: EUPL-1.2" in _text(root / "publiccode.yml")


def test_the_test_files_that_begin_first_are_there(root: Path) -> None:
    assert [name for name in LONGEST if not (root / name).is_file()] == []


@pytest.mark.parametrize("call", ONE_PLACE)
def test_what_one_module_does_no_other_does_itself(source_files: list[Path], root: Path, call: str) -> None:
    found = [str(path.relative_to(root)) for path in source_files if call in path.read_text("utf-8")]
    assert found == [ONE_PLACE[call]]
