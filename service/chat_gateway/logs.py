"""Log lines: what they look like, and what never stands in one.

A line is an event and its facts (`log.info("Client registered", account=…, session=…)`), as text
for a terminal or as JSON for a collector. Tokens are redacted here, behind every caller, so that a
forgotten one cannot reach a line.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Final

import orjson
import structlog

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
        elif type(value) is str and len(value) > 16:
            event[name] = _SECRET_IN_TEXT.sub(REDACTED, value)
    return event


def _to_json(event: Any, **_: Any) -> str:
    return orjson.dumps(event, default=str).decode()


def configure(level: str, log_format: str) -> None:
    """Send all lines (ours and the libraries') to standard error, at `level` and above.

    `log_format` is `text` or `json`.
    """
    numeric = logging.getLevelNamesMapping()[level.upper()]
    colours = log_format == "text" and sys.stderr.isatty()
    renderer: Any = (
        structlog.processors.JSONRenderer(serializer=_to_json)
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=colours, pad_event_to=24)
    )
    before: list[Any] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    exceptions: list[Any] = [structlog.processors.format_exc_info] if log_format == "json" else []
    structlog.configure(
        processors=[*before, *exceptions, _redact_event, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(numeric),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*before, structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *exceptions,
                _redact_event,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    # Libraries say little of interest below WARNING, and aiohttp's access log would hold URLs.
    root.setLevel(max(numeric, logging.WARNING))
