"""What an operation of the REST API is: one row, from which its route and its document are made."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from marshmallow import Schema

from chat_gateway.domain.caller import Caller
from chat_gateway.domain.throttle import KeyedBuckets
from chat_gateway.handlers.services import Services
from chat_protocol import codec
from chat_protocol.errors import ProtocolError

JSON = "application/json"

Loaded = Mapping[str, Any]
"""What a schema made of a part of the request, by the schema's own (snake_case) names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """What all operations share. `messages_rate` is None where rate limits are lifted."""

    services: Services
    messages_rate: KeyedBuckets | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request, understood: its parts hold what the operation's schemas allow.

    `authenticated` is None in an operation that needs nobody. `address` is the client's, for
    throttling.
    """

    api: Api
    address: str
    authenticated: Caller | None
    path: Loaded
    query: Loaded
    headers: Loaded
    body: Loaded

    @property
    def services(self) -> Services:
        """The use cases."""
        return self.api.services

    @property
    def caller(self) -> Caller:
        """Who asks. Raises `unauthenticated` in an operation that needs nobody."""
        if self.authenticated is None:
            raise ProtocolError("unauthenticated")
        return self.authenticated


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an operation answers; `body` is ready to be written."""

    status: int = 200
    body: bytes = b""
    media_type: str = JSON


def answer(value: Any, status: int = 200) -> Answer:
    """An answer in JSON; `codec.raw` values stand in it as they are."""
    return Answer(status=status, body=codec.encode_value(value))


NOTHING = Answer(status=204)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One row of the table.

    `path`, `query`, `headers` and `body` load those parts of the request; `body_optional` takes an
    empty body as `{}`. `returns` says what the answer looks like, None where it has no body;
    `statuses` are those of success. `errors` are the codes that this operation's use case raises:
    those that follow from the rest of the row (tokens, validation, bodies) are not repeated.
    """

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    url: str
    id: str
    tag: str
    summary: str
    run: Callable[[Call], Awaitable[Answer]]
    public: bool = False
    path: type[Schema] | None = None
    query: type[Schema] | None = None
    headers: type[Schema] | None = None
    body: type[Schema] | None = None
    body_optional: bool = False
    returns: type[Schema] | None = None
    media_type: str = JSON
    statuses: tuple[int, ...] = (200,)
    errors: tuple[str, ...] = ()

    @property
    def all_errors(self) -> tuple[str, ...]:
        """Every code that this operation may be refused with, each once."""
        codes = list(self.errors)
        if not self.public:
            codes += ["unauthenticated", "invalid_token", "token_expired", "token_revoked"]
            codes.append("keys_unavailable")
        if self.body is not None:
            codes += ["bad_request", "unsupported_media_type"]
            codes += ["payload_too_large", "request_timeout"]
        if self.path or self.query or self.headers or self.body:
            codes.append("validation_failed")
        return tuple(dict.fromkeys([*codes, "store_unavailable", "internal"]))
