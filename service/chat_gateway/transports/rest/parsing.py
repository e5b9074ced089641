"""The parts of a request through their schemas: strict, bounded in size and in time.

webargs joins aiohttp and marshmallow; what it leaves lax is closed here. A body is read no further
than the limit and no longer than its time, and goes through the codec that sockets use; a query
key given twice, or not known, is refused.
"""

from typing import Any, Final, NoReturn

from aiohttp import HttpVersion11, hdrs, web
from marshmallow import RAISE, Schema, ValidationError
from multidict import MultiMapping
from webargs.aiohttpparser import AIOHTTPParser
from webargs.core import Parser
from webargs.multidictproxy import MultiDictProxy

from chat_gateway.transports.bodies import read_body
from chat_protocol import codec, limits
from chat_protocol.errors import ProtocolError
from chat_protocol.fields import flatten_errors


class StrictParser(AIOHTTPParser):
    """webargs' parser for aiohttp, refusing by `ProtocolError`."""

    DEFAULT_UNKNOWN_BY_LOCATION = {
        **Parser.DEFAULT_UNKNOWN_BY_LOCATION,
        "query": RAISE,
        "match_info": RAISE,
    }

    async def load_json(self, req: web.Request, schema: Schema) -> Any:
        """The body as JSON that means one thing only; it must be an object."""
        value = codec.loads(await _read_json(req))
        if not isinstance(value, dict):
            raise ProtocolError("bad_request", "Send one JSON object.")
        return value

    def load_querystring(self, req: web.Request, schema: Schema) -> MultiDictProxy:
        """The query, in which each key stands once."""
        return self._makeproxy(_each_once(req.query, set(req.query)), schema)

    def load_headers(self, req: web.Request, schema: Schema) -> MultiDictProxy:
        """The headers that the schema names; each stands once, if at all."""
        names = {field.data_key or name for name, field in schema.fields.items()}
        present = {name for name in names if name in req.headers}
        return self._makeproxy(_each_once(req.headers, present), schema)

    def handle_error(
        self, error: ValidationError, req: web.Request, schema: Schema, **_: Any
    ) -> NoReturn:
        """Name the fields at fault, without the part of the request that webargs puts before."""
        (messages,) = error.messages_dict.values()
        raise ProtocolError("validation_failed", details=flatten_errors(ValidationError(messages)))


PARSER: Final = StrictParser()


def _each_once(values: MultiMapping[str], names: set[str]) -> dict[str, str]:
    twice = sorted(name for name in names if len(values.getall(name)) > 1)
    if twice:
        raise ProtocolError(
            "validation_failed",
            details={
                name[: limits.ID_MAX_CHARS]: ["Given twice."]
                for name in twice[: limits.DETAILS_MAX]
            },
        )
    return {name: values[name] for name in names}


def has_body(request: web.Request) -> bool:
    """Whether the client says that a body with something in it follows."""
    return request.body_exists and request.content_length != 0


async def _read_json(request: web.Request) -> bytes:
    """The body of a request that should carry JSON.

    Raises `bad_request` for none, `unsupported_media_type`, and what `read_body` does.
    """
    if not has_body(request):
        raise ProtocolError("bad_request", "Send one JSON object as the body.")
    if request.content_type != "application/json":
        raise ProtocolError("unsupported_media_type")
    if (request.charset or "utf-8").lower() not in ("utf-8", "utf8", "us-ascii"):
        raise ProtocolError("unsupported_media_type", "Send the body in UTF-8.")
    if (request.content_length or 0) <= limits.FRAME_MAX_BYTES:
        await _welcome(request)
    return await read_body(request)


async def no_welcome_yet(request: web.Request) -> None:
    """What a route does about `Expect`: nothing, for whoever is refused need send no body."""


async def _welcome(request: web.Request) -> None:
    """Ask for the body where the client waits to be asked (`Expect: 100-continue`)."""
    expected = request.headers.get(hdrs.EXPECT, "").lower()
    if expected == "100-continue" and request.version == HttpVersion11:
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0
