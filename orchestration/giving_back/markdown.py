"""Tables and reasons in Markdown, with nothing in them that it would read as more."""

from collections.abc import Sequence


def code_first(reason: str) -> str:
    """A reason with its column as code, and nothing in it that Markdown would read as more."""
    column, colon, words = reason.partition(": ")
    return f"`{column}`: {inline(words)}" if colon else inline(reason)


def inline(text: str) -> str:
    """A text with nothing in it that Markdown would read as more."""
    return text.replace("<", "&lt;").replace("|", "&#124;").replace("*", r"\*").replace("[", r"\[")


def markdown_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of cells whose text may hold a bar."""
    cells = [[cell.replace("|", r"\|") for cell in row] for row in rows]
    lines = [headings, ["---"] * len(headings), *cells]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
