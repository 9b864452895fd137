"""What is said of a row, a file or an answer that is refused, by its code: in English and in Dutch.

The one place where such a sentence stands is `words.csv`: English for the data team, Dutch for who sent it. What it
leaves open in braces is a value of the reason or the error; whoever raises one names its code and its values. A Dutch
sentence ends in what to do.
"""

import csv
from collections.abc import Mapping
from importlib.resources import files

Value = object


def _read() -> dict[str, tuple[str, str]]:
    # a part of this package, as much as its code
    lines = files("contracts").joinpath("words.csv").read_text("utf-8").splitlines()
    return {row["code"]: (row["english"], row["dutch"]) for row in csv.DictReader(lines)}


WORDS: Mapping[str, tuple[str, str]] = _read()


def in_english(code: str, values: Mapping[str, Value]) -> str:
    """The sentence of a code for the data team."""
    return WORDS[code][0].format_map({name: _written(value) for name, value in values.items()})


def in_dutch(code: str, values: Mapping[str, Value]) -> str:
    """The sentence of a code for who sent it."""
    commas = {name: _written(value).replace(".", ",") for name, value in values.items() if isinstance(value, float)}
    return WORDS[code][1].format_map({**values, **commas})


def _written(value: Value) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
