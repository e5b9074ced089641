"""The secret that is made where none is given."""

import multiprocessing
import stat
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest

from chat_gateway.clock import SystemClock
from chat_gateway.config import SECRET_MIN_BYTES, SettingsError
from chat_gateway.identity.secret import FILE_NAME, kept_secret
from chat_gateway.identity.sources import load_keys
from tests.parts.settings import SECRET, make_settings


def test_a_secret_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    data_dir = tmp_path / "deep" / "data"

    secret = kept_secret(data_dir)

    assert len(secret) >= SECRET_MIN_BYTES
    assert kept_secret(data_dir) == secret
    assert stat.S_IMODE((data_dir / FILE_NAME).stat().st_mode) == 0o600
    assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700
    assert [path.name for path in data_dir.iterdir()] == [FILE_NAME]


def test_two_data_dirs_have_two_secrets(tmp_path: Path) -> None:
    assert kept_secret(tmp_path / "one") != kept_secret(tmp_path / "two")


def test_threads_that_start_at_once_agree(tmp_path: Path) -> None:
    for number in range(10):
        with ThreadPoolExecutor(8) as pool:
            secrets = set(pool.map(kept_secret, [tmp_path / str(number)] * 8))
        assert len(secrets) == 1


def test_processes_that_start_at_once_agree(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(3, mp_context=spawn) as pool:
        secrets = list(pool.map(kept_secret, [tmp_path / str(n // 3) for n in range(30)]))

    for number in range(10):
        assert len(set(secrets[number * 3 : number * 3 + 3])) == 1
    assert len(set(secrets)) == 10


@pytest.mark.parametrize("content", ["", "short", " " * 100])
def test_a_secret_file_that_is_too_short_stops_the_start(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE_NAME).write_text(content)

    with pytest.raises(SettingsError, match=FILE_NAME) as error:
        kept_secret(tmp_path)

    assert "\n" not in str(error.value)


def test_a_data_dir_that_cannot_be_made_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder belongs")

    with pytest.raises(SettingsError, match="CHAT_DATA_DIR"):
        kept_secret(tmp_path / "data")


def test_a_given_secret_is_used_and_nothing_is_written(tmp_path: Path) -> None:
    keys = load_keys(make_settings(tmp_path), SystemClock())

    assert keys.signing == SECRET.encode()
    assert list(tmp_path.iterdir()) == []


def test_without_a_given_secret_the_kept_one_is_used(tmp_path: Path) -> None:
    keys = load_keys(make_settings(tmp_path, jwt_secret=None), SystemClock())

    assert keys.signing == kept_secret(tmp_path)
