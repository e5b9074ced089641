"""Log lines: one line a fact, and never a token in it."""

import subprocess
import sys

import orjson
import pytest

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJtaW5hIn0.c2lnbmF0dXJl"

PROGRAM = """
import logging, sys
import structlog
from chat_gateway import logs
logs.configure("info", sys.argv[1])
log = structlog.get_logger()
log.info("Connection attempt", token=sys.argv[2], session="a\\nb", url="/ws/chat?token=abc&x=1")
log.info("Anything", header="Bearer abc.def", error=ValueError("bad " + sys.argv[2]))
log.debug("Not at this level")
try:
    raise ValueError("with " + sys.argv[2])
except ValueError:
    log.exception("Failed")
    logging.getLogger("library").exception("said %s", sys.argv[2])
"""


def lines(log_format: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, log_format, JWT],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    return done.stderr.splitlines()


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_no_token_reaches_a_line_whichever_way_it_came(log_format: str) -> None:
    text = "\n".join(lines(log_format))
    assert "c2lnbmF0dXJl" not in text
    assert "abc" not in text
    assert text.count("[redacted]") >= 6


def test_what_a_client_chose_cannot_begin_a_line_of_its_own() -> None:
    first = lines("text")[0]
    assert "Connection attempt" in first
    assert r"session='a\nb'" in first


def test_json_lines_are_one_object_each() -> None:
    found = [orjson.loads(line) for line in lines("json")]
    assert [each["event"] for each in found][:3] == ["Connection attempt", "Anything", "Failed"]
    assert "ValueError" in found[2]["exception"]
