"""Files that follow from code and are kept all the same: written again, and seen when they differ.

Belongs here: comparing what a folder holds with what it should. Does not belong here: what stands in a file.
"""

from collections.abc import Collection, Mapping
from pathlib import Path


def write(files: Mapping[str, bytes], folder: Path, beside: Collection[str] | None = ()) -> list[str]:
    """Writes every file, and removes what nothing asks for any more.

    Args:
        files: content by path within the folder.
        folder: where they lie.
        beside: folders in it that hold other things; None where all of it may be something else's.

    Returns:
        Their paths within the folder.
    """
    for name in stale(files, folder, beside):
        if name in files:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(files[name])
        else:
            (folder / name).unlink()
    return sorted(files)


def stale(files: Mapping[str, bytes], folder: Path, beside: Collection[str] | None = ()) -> list[str]:
    """The paths of what the folder holds otherwise, misses, or has too much."""
    looked_at = (folder / name for name in files) if beside is None else folder.rglob("*")
    present = {path.relative_to(folder).as_posix(): path for path in looked_at if path.is_file()}
    ours = {name: path for name, path in present.items() if name.partition("/")[0] not in (beside or ())}
    changed = {name for name in ours.keys() & files.keys() if ours[name].read_bytes() != files[name]}
    return sorted(changed | (ours.keys() ^ files.keys()))
