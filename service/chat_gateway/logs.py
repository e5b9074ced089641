"""Log lines: what they look like, and what never stands in one.

A line is an event and its facts (`log.info("Client registered", account=…, session=…)`), as text
for a terminal or as JSON for a collector. Tokens are redacted here, behind every caller, so that a
forgotten one cannot reach a line.
"""

import asyncio
import atexit
import logging
import re
import sys
import time
from collections import deque
from collections.abc import MutableMapping
from typing import Any, Final, TextIO

import orjson
import structlog
from aiohttp.http import HttpProcessingError

from chat_gateway.domain.timestamps import rfc3339

REDACTED: Final = "[redacted]"

_SECRET_NAMES: Final = frozenset(
    {"token", "ticket", "password", "authorization", "refresh_token", "secret", "code_secret"}
)
_SECRET_IN_TEXT: Final = re.compile(
    r"(?:eyJ[\w-]*\.[\w-]*\.[\w-]*)"  # a JWT, wherever it stands
    r"|(?<=[?&]token=)[^&\s\"']+"
    r"|(?<=[?&]ticket=)[^&\s\"']+"
    r"|(?<=bearer[. ])[^,\s\"']+",
    re.IGNORECASE,
)


def redact(text: str) -> str:
    """`text` without the tokens and tickets that stand in it."""
    return _SECRET_IN_TEXT.sub(REDACTED, text)


def _redact_event(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name, value in event.items():
        if name in _SECRET_NAMES and value is not None:
            event[name] = REDACTED
        elif type(value) is not str:
            if not isinstance(value, int | float | None):
                event[name] = redact(str(value))
        elif "." in value or "=" in value or "earer" in value.lower():
            # A token has dots in it, or stands behind a name and a sign; few other texts do.
            event[name] = redact(value)
    return event


def _stamp(_: Any, level: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    event["level"] = level
    event["timestamp"] = rfc3339(time.time_ns() // 1_000_000)
    return event


def _to_json(event: Any, **_: Any) -> str:
    return orjson.dumps(event, default=str).decode()


def _to_text(_: Any, __: str, event: MutableMapping[str, Any]) -> str:
    """One line, and a traceback below it where there is one."""
    exception = event.pop("exception", None)
    head = f"{event.pop('timestamp')} [{event.pop('level'):<7}] {_plain(event.pop('event')):<22}"
    line = " ".join([head, *[f"{name}={_plain(value)}" for name, value in event.items()]])
    return line if exception is None else f"{line}\n{exception}"


def _plain(value: Any) -> str:
    """A value that cannot begin a line of its own, whoever chose it."""
    text = value if type(value) is str else str(value)
    return text if text.isprintable() else repr(text)


def _is_of_us(record: logging.LogRecord) -> bool:
    """Bytes that are not HTTP are their sender's affair; aiohttp tells of them by a traceback."""
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


class _Lines:
    """Where lines go: those of one tick of the event loop in one write, others at once.

    A write for each line would cost a small room's message as much as sending it.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._waiting: deque[str] = deque()

    def write(self, text: str) -> None:
        """Take lines, each with its end."""
        self._waiting.append(text)
        if len(self._waiting) > 1:
            return
        try:
            asyncio.get_running_loop().call_soon(self.flush)
        except RuntimeError:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        lines = []
        # Threads write as well, so each line is taken out by itself.
        while self._waiting:
            lines.append(self._waiting.popleft())
        if lines:
            self._file.write("".join(lines))
            self._file.flush()

    def msg(self, line: str) -> None:
        """Take a line; what structlog calls, by the names of its levels."""
        self.write(line + "\n")

    debug = info = warning = error = critical = msg


def configure(level: str, log_format: str) -> None:
    """Send all lines (ours and the libraries') to standard error, at `level` and above.

    `log_format` is `text` or `json`.
    """
    numeric = logging.getLevelNamesMapping()[level.upper()]
    renderer: Any = (
        structlog.processors.JSONRenderer(serializer=_to_json) if log_format == "json" else _to_text
    )
    before: list[Any] = [structlog.processors.format_exc_info, _redact_event, _stamp]
    lines = _Lines(sys.stderr)
    atexit.register(lines.flush)
    structlog.configure(
        processors=[*before, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(numeric),
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(lines)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *before],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    logging.getLogger("aiohttp.server").addFilter(_is_of_us)
    # Libraries say little of interest below WARNING, and aiohttp's access log would hold URLs.
    root.setLevel(max(numeric, logging.WARNING))
