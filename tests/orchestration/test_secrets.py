"""The key on disk: one for all processes, and readable by its owner only."""

import os
import stat
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from orchestration.secrets import EmptyKeyError, add_key, read_or_create_ring

PROCESSES = 4
KEYS = 25


@pytest.fixture
def open_umask() -> Iterator[None]:
    """The most generous umask there is: what is closed is closed by our own code."""
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.usefixtures("open_umask")
def test_only_the_owner_can_read_the_key_and_enter_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "pseudonym.key"
    read_or_create_ring(path)
    assert mode(path) == 0o600
    assert mode(path.parent) == 0o700


def test_a_new_key_is_256_bits_in_hexadecimal(tmp_path: Path) -> None:
    key = read_or_create_ring(tmp_path / "key").keys[-1].get_secret_value()
    assert len(bytes.fromhex(key)) == 32
    assert (tmp_path / "key").read_text("ascii") == f"{key}\n"


def test_a_key_is_made_once_and_read_ever_after(tmp_path: Path) -> None:
    first = read_or_create_ring(tmp_path / "key")
    written = (tmp_path / "key").stat().st_mtime_ns
    assert read_or_create_ring(tmp_path / "key") == first
    assert (tmp_path / "key").stat().st_mtime_ns == written


def test_two_profiles_never_share_a_key(tmp_path: Path) -> None:
    keys = {read_or_create_ring(tmp_path / f"city{n}" / "key").keys[-1].get_secret_value() for n in range(5)}
    assert len(keys) == 5


def test_a_key_that_somebody_adds_below_the_first_is_another_one(tmp_path: Path) -> None:
    first = read_or_create_ring(tmp_path / "key")
    with (tmp_path / "key").open("a", encoding="ascii") as lines:
        lines.write("c0ffee\n")
    assert [key.get_secret_value() for key in read_or_create_ring(tmp_path / "key").keys[1:]] == ["c0ffee"]
    assert read_or_create_ring(tmp_path / "key").keys[0] == first.keys[0]


def test_a_key_that_somebody_put_there_is_used_without_its_line_end(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("c0ffee\r\n", encoding="ascii")
    assert read_or_create_ring(tmp_path / "key").keys[-1].get_secret_value() == "c0ffee"
    assert (tmp_path / "key").read_bytes() == b"c0ffee\r\n"


def test_nothing_but_the_key_is_left_in_its_folder(tmp_path: Path) -> None:
    read_or_create_ring(tmp_path / "secrets" / "key")
    assert [path.name for path in (tmp_path / "secrets").iterdir()] == ["key"]


def test_printing_a_key_does_not_show_it(tmp_path: Path) -> None:
    key = read_or_create_ring(tmp_path / "key")
    assert key.keys[-1].get_secret_value() not in f"{key} {key!r}"


def test_processes_that_race_for_a_new_key_all_get_the_same_one(tmp_path: Path) -> None:
    paths = [tmp_path / f"profile{n}" / "key" for n in range(KEYS)]
    races = [path for path in paths for _ in range(PROCESSES)]
    # an executor lets its processes end by themselves: a pool kills them, and one that dies on its lock hangs the rest
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        got = list(pool.map(read_or_create_ring, races))
    for path, key in zip(races, got, strict=True):
        assert f"{key.keys[-1].get_secret_value()}\n" == path.read_text("ascii"), path
        assert [file.name for file in path.parent.iterdir()] == ["key"]
    assert len({key.keys[-1].get_secret_value() for key in got}) == KEYS


def test_a_leftover_of_a_killed_writer_does_not_stop_the_next(tmp_path: Path) -> None:
    (tmp_path / f".key.{os.getpid()}").touch()
    assert read_or_create_ring(tmp_path / "key").keys[-1].get_secret_value()


def test_threads_of_one_process_get_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        keys = {key.keys[-1].get_secret_value() for key in pool.map(read_or_create_ring, [tmp_path / "key"] * 40)}
    assert len(keys) == 1


def test_an_empty_key_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key").touch()
    with pytest.raises(EmptyKeyError, match="is empty"):
        read_or_create_ring(tmp_path / "key")


def test_a_new_key_goes_behind_the_ones_there_and_is_closed_to_others(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "pseudonym.key"
    first = read_or_create_ring(path)
    both = add_key(path)
    assert both.keys[:1] == first.keys
    assert len(both.keys) == 2
    assert read_or_create_ring(path) == both
    assert mode(path) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["pseudonym.key"]


def test_the_file_of_one_key_is_a_ring_of_one(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("c0ffee", encoding="ascii")
    assert add_key(tmp_path / "key").keys[0].get_secret_value() == "c0ffee"
