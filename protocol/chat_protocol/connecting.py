"""What a client says when it connects: who it is, which session it wants, and from where.

The raw endpoint has it in the query; Socket.IO in the `auth` object of its CONNECT packet, and the
same keys in the query. What `auth` says wins.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from marshmallow import EXCLUDE, Schema, ValidationError

from chat_protocol import limits
from chat_protocol.errors import ProtocolError
from chat_protocol.fields import Text, WholeNumber, WireSchema, flatten_errors, identifier
from chat_protocol.rest import QueryNumber


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """How a connection begins. With no `session_id` it joins nothing until it sends `join`."""

    token: str | None = None
    ticket: str | None = None
    session_id: str | None = None
    last_seq: int | None = None

    def with_token(self, token: str | None) -> "Opening":
        """The same with a token from elsewhere, where it says nothing of who it is."""
        if token is None or self.token is not None or self.ticket is not None:
            return self
        return replace(self, token=token)


class _OpeningSchema(WireSchema):
    token = Text(max_chars=limits.TOKEN_MAX_CHARS, allow_none=True)
    ticket = Text(max_chars=limits.TOKEN_MAX_CHARS, allow_none=True)
    session_id = identifier(allow_none=True)


class AuthSchema(_OpeningSchema):
    """The `auth` object of a Socket.IO client."""

    last_seq = WholeNumber(allow_none=True)


class QuerySchema(_OpeningSchema):
    """The query of a connection; keys that are not ours (`EIO`, cache breakers) are passed over."""

    class Meta:
        """What to do with keys that are not ours."""

        unknown = EXCLUDE

    last_seq = QueryNumber()


_AUTH: Final = AuthSchema()
_QUERY: Final = QuerySchema()


def opening_from_query(query: Mapping[str, str]) -> Opening:
    """What a query says. Raises `ProtocolError("validation_failed")`."""
    return Opening(**_load(_QUERY, {key: value for key, value in query.items() if value}))


def opening_from_auth(auth: object, query: Mapping[str, str]) -> Opening:
    """What an `auth` object says, and the query where it says nothing.

    Raises `ProtocolError("validation_failed")`.
    """
    if auth is not None and not isinstance(auth, dict):
        raise ProtocolError(
            "validation_failed", "auth must be an object.", details={"auth": ["Not an object."]}
        )
    said = _load(_AUTH, auth or {})
    asked = _load(_QUERY, {key: value for key, value in query.items() if value})
    return Opening(**{**asked, **{name: v for name, v in said.items() if v is not None}})


def _load(schema: Schema, value: Mapping[str, Any]) -> dict[str, Any]:
    try:
        loaded: dict[str, Any] = schema.load(value)
    except ValidationError as error:
        raise ProtocolError("validation_failed", details=flatten_errors(error)) from None
    return loaded
