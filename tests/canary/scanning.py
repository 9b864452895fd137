"""Looks for canaries in every file below a folder, also in what is packed, encoded or stored by column."""

import gzip
import io
import zipfile
from collections.abc import Iterator, Sequence
from email import message_from_bytes
from pathlib import Path

import duckdb
import polars as pl


def found_in(folders: Sequence[Path], forms: Sequence[str]) -> list[str]:
    """`file: form` for every canary found; names of files and folders are looked at too."""
    hits = []
    for folder in folders:
        for path in sorted(folder.rglob("*")) if folder.is_dir() else [folder]:
            shown = str(path.relative_to(folder))
            texts = [shown.encode(), *(_contents(path.name, path.read_bytes(), path) if path.is_file() else ())]
            hits += [f"{shown}: {form}" for form in forms if any(_holds(text, form) for text in texts)]
    return hits


def _holds(text: bytes, form: str) -> bool:
    # Dagster and Windows write UTF-16 now and then
    return form.encode() in text or form.encode("utf-16-le") in text


def _contents(name: str, content: bytes, path: Path | None = None) -> Iterator[bytes]:
    """A file's bytes, and whatever they hold once they are unpacked."""
    yield content
    if content.startswith(b"\x1f\x8b"):
        yield from _contents(name.removesuffix(".gz"), gzip.decompress(content))
    elif content.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for entry in archive.namelist():
                yield from _contents(entry, archive.read(entry))
    elif content.startswith(b"PAR1"):
        yield pl.read_parquet(io.BytesIO(content), hive_partitioning=False).write_ndjson().encode()
    elif name.endswith(".eml"):
        parts = message_from_bytes(content).walk()
        yield from (part.get_payload(decode=True) or b"" for part in parts if not part.is_multipart())
    elif name.endswith(".duckdb") and path is not None:
        yield from _tables(path)


def _tables(path: Path) -> Iterator[bytes]:
    with duckdb.connect(str(path), read_only=True) as con:
        names = con.execute("select database_name, schema_name, table_name from duckdb_tables()").fetchall()
        for name in names:
            quoted = ".".join(f'"{part}"' for part in name)
            yield str(con.execute(f"select * from {quoted}").fetchall()).encode()
