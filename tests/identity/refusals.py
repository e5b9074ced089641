"""What a refusal says, for tests that expect one."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from chat_protocol.errors import ProtocolError


@contextmanager
def refused(code: str) -> Iterator[pytest.ExceptionInfo[ProtocolError]]:
    """The block raises `ProtocolError` with this code."""
    with pytest.raises(ProtocolError) as raised:
        yield raised
    assert raised.value.code == code, raised.value
