"""What `.env.example` and the page of settings say, out of the description that stands with each setting."""

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import BaseModel

from orchestration.settings import described, kinds, written

_WIDTH = 120
_PROFILE = "The profile, and its mail"
_EXAMPLE = """\
# Copy to `.env` and fill in what you use; the environment itself goes before this file.
# The demo obeys none of these but ADEMRUIMTE_HOME, under which it makes a profile of its own.
# Every setting there is stands here, with its default where it has one. `ademruimte contracts write` makes this file
# from the descriptions in the code.
"""
_PAGE = """\
# Settings

Read from the environment, and beneath it from a file `.env` in the working directory; `.env.example` is one to start
from. What is wrong is told by name before anything is done: all of the profile together, and those of a source when it
is asked, so that one fault holds up one source. A name that is none of these, a misspelt one, is told with the nearest
and passed over. `ademruimte contracts write` makes this page from the descriptions in the code.
"""


@dataclass(frozen=True, slots=True)
class _Setting:
    name: str
    default: str
    description: str


def settings_pages() -> dict[str, bytes]:
    """The two files, by their path in the project."""
    sections = {
        f"Source {section.removesuffix('_')}" if section else _PROFILE: list(_settings(section, kind))
        for section, kind in kinds().items()
    }
    example = "\n".join((_EXAMPLE, *(_as_example(title, found) for title, found in sections.items())))
    page = "\n".join((_PAGE, *(_as_page(title, found) for title, found in sections.items())))
    return {".env.example": example.encode(), "docs/settings.md": page.encode()}


def _settings(section: str, kind: type[BaseModel]) -> Iterator[_Setting]:
    for name, field in described(section, kind).items():
        default = "" if field.is_required() else written(field.default if field.default_factory is None else None)
        yield _Setting(name, default, " ".join((field.description or "").split()))


def _as_example(title: str, settings: list[_Setting]) -> str:
    lines = [f"# --- {title} {'-' * (_WIDTH - len(title) - 7)}"]
    for each in settings:
        lines += textwrap.wrap(each.description, _WIDTH, initial_indent="# ", subsequent_indent="# ")
        lines.append(f"# {each.name}={each.default}")
    return "\n".join(lines) + "\n"


def _as_page(title: str, settings: list[_Setting]) -> str:
    lines = [f"## {title}", "", "| setting | default | what it says |", "|---|---|---|"]
    for each in settings:
        default = f"`{each.default}`" if each.default else ""
        lines.append(f"| `{each.name}` | {default} | {each.description.replace('<', '&lt;')} |")
    return "\n".join(lines) + "\n"
