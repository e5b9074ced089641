"""The registry of errors: what each code means to HTTP, to a socket, and to a client's retry logic.

A client needs two facts of an error: may the same request succeed later (`retryable`), and, when
its connection was closed, should it come back. The second is the range of the close code:
4000-4499 reconnect (with `lastSeq`), 4500-4999 do not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

Ref = str | int | float
"""What a client puts into `ref` to find its answer again."""

Details = Mapping[str, Sequence[str]]
"""Field name (dotted path) to what is wrong with it."""


@dataclass(frozen=True, slots=True)
class ErrorSpec:
    """One row of the registry.

    `close_code` is what the connection is closed with when this error ends it; None where the
    error never does.
    """

    code: str
    http_status: int
    close_code: int | None
    retryable: bool
    message: str


_SPECS: Final = (
    # The request itself
    ErrorSpec("bad_request", 400, 4500, False, "The request could not be understood."),
    ErrorSpec("unknown_type", 400, 4500, False, "No command of this type exists."),
    ErrorSpec("unsupported_command", 400, 4500, False, "This server does not do this yet."),
    ErrorSpec("validation_failed", 422, 4500, False, "A field has a value that is not allowed."),
    ErrorSpec("session_required", 400, 4500, False, "Say which session: `sessionId` is missing."),
    ErrorSpec("unsupported_data", 415, 1003, False, "Send text frames with one JSON object each."),
    ErrorSpec("unsupported_media_type", 415, None, False, "Send the body as application/json."),
    ErrorSpec("payload_too_large", 413, 1009, False, "The frame or body is over the limit."),
    ErrorSpec("request_timeout", 408, None, True, "The request body did not arrive in time."),
    ErrorSpec("not_found", 404, None, False, "There is nothing at this address."),
    ErrorSpec("method_not_allowed", 405, None, False, "This address does not take this method."),
    ErrorSpec("upgrade_required", 426, None, False, "Connect here with a WebSocket client."),
    ErrorSpec("origin_forbidden", 403, None, False, "This origin may not use this server."),
    # Who is asking
    ErrorSpec("unauthenticated", 401, 4501, False, "Authenticate first: no token was given."),
    ErrorSpec("invalid_token", 401, 4501, False, "The token is not valid."),
    ErrorSpec("invalid_ticket", 401, 4501, False, "The ticket is unknown, used or too old."),
    ErrorSpec("invalid_credentials", 401, None, False, "The email or the password is wrong."),
    ErrorSpec("invalid_refresh_token", 401, None, False, "The refresh token is not valid."),
    ErrorSpec("token_expired", 401, 4001, True, "The token has expired: get a new one."),
    ErrorSpec("token_revoked", 401, 4001, True, "This login was ended: log in again."),
    ErrorSpec("accounts_elsewhere", 403, None, False, "Accounts are kept by another service."),
    ErrorSpec("keys_unavailable", 503, 4014, True, "The keys of tokens cannot be had now."),
    # What they may do
    ErrorSpec("forbidden", 403, None, False, "Your role in this session does not allow this."),
    ErrorSpec("not_a_member", 403, 4503, False, "You are not a member of this session."),
    ErrorSpec("session_not_found", 404, 4504, False, "No such session."),
    ErrorSpec("invite_not_found", 404, None, False, "The invite is unknown or has expired."),
    ErrorSpec("account_not_found", 404, None, False, "No account has this address."),
    ErrorSpec("member_not_found", 404, None, False, "This account is not a member of the session."),
    ErrorSpec("idempotency_conflict", 409, None, False, "This key was used for another body."),
    ErrorSpec("email_taken", 409, None, False, "An account with this email exists."),
    ErrorSpec("already_a_member", 409, None, False, "This account is a member already."),
    ErrorSpec("last_owner", 409, None, False, "A session keeps at least one owner."),
    # How much
    ErrorSpec("rate_limited", 429, 4029, True, "Too many requests: slow down."),
    ErrorSpec("slow_consumer", 503, 4008, True, "The client reads too slowly: resume by lastSeq."),
    ErrorSpec("too_many_connections", 429, 4505, False, "Too many connections are open."),
    ErrorSpec("too_many_errors", 400, 4509, False, "Too many bad frames in a row."),
    # The server's own state
    ErrorSpec("server_draining", 503, 4012, True, "The server is stopping: reconnect."),
    ErrorSpec("store_unavailable", 503, 4013, True, "The message store does not answer."),
    ErrorSpec("internal", 500, 4011, True, "Something went wrong on the server."),
)

REGISTRY: Final[Mapping[str, ErrorSpec]] = {spec.code: spec for spec in _SPECS}
"""Every error code that a client can meet."""

CLOSE_CODES: Final[Mapping[int, str]] = {
    1000: "Normal closure.",
    1001: "The client went away.",
    1002: "WebSocket protocol error.",
    1003: "Binary frame: send text.",
    1007: "A text frame was not valid UTF-8.",
    1009: "A frame was over 64 KiB.",
    **{
        spec.close_code: spec.message
        for spec in reversed(_SPECS)
        if spec.close_code is not None and spec.close_code >= 4000
    },
    4001: "The token has expired or its login was ended: get a new one.",
    4500: "The request was wrong; the error before the close says how.",
    4501: "The token or ticket is missing or not valid.",
}
"""Every close code that a client can meet, and what it means."""


class ProtocolError(Exception):
    """A refusal that a client is told, by a code of the registry.

    Raised anywhere below a transport; each transport writes it in its own form (an `error` object,
    a Socket.IO `connect_error`, an RFC 9457 problem).
    """

    def __init__(
        self,
        code: str,
        message: str | None = None,
        *,
        details: Details | None = None,
        retry_after_ms: int | None = None,
        ref: Ref | None = None,
    ) -> None:
        self.spec = REGISTRY[code]
        self.code = code
        self.message = message or self.spec.message
        self.details = details
        self.retry_after_ms = retry_after_ms
        self.ref = ref
        super().__init__(f"{code}: {self.message}")

    def with_ref(self, ref: Ref | None) -> "ProtocolError":
        """The same refusal, answering the command that carried `ref`."""
        return ProtocolError(
            self.code,
            self.message,
            details=self.details,
            retry_after_ms=self.retry_after_ms,
            ref=ref,
        )
