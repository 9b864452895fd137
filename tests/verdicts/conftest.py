"""The compiled judgement method, once per session."""

from collections.abc import Mapping

import pytest

from tests.verdicts.method import compiled


@pytest.fixture(scope="session")
def method(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    return compiled(tmp_path_factory.mktemp("method"))
