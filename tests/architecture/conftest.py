"""The tree as text: what the tests of the house look at."""

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("contracts", "ingestion", "warehouse", "orchestration")


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def kept_files() -> list[Path]:
    """Every file that is in git or would be added to it."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    found = {ROOT / name for name in listed.stdout.split("\0") if name}
    return sorted(path for path in found if path.is_file())


@pytest.fixture(scope="session")
def source_files() -> list[Path]:
    return [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]


@pytest.fixture(scope="session")
def test_files() -> list[Path]:
    return sorted((ROOT / "tests").rglob("*.py"))


@pytest.fixture(scope="session")
def function_lengths(source_files: list[Path]) -> dict[str, int]:
    """Lines of every function's body without its docstring, by place."""
    return dict(length for path in source_files for length in _lengths(path))


def _lengths(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", _body_lines(node)


def _body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
