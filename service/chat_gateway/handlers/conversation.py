"""One connection's life, the same on both wires: admitted, greeted, obeyed, forgotten.

The order of commands is kept here. Messages go into the log's queue one behind the other without
waiting for their acks, since the queue itself is in order; any other command first waits for the
messages before it, so that what it reads has them in it. Here is also the one place that limits
rates, counts bad input, and turns what went wrong into an error object.
"""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Final

import structlog

from chat_gateway.domain.caller import Caller
from chat_gateway.domain.throttle import TokenBucket
from chat_gateway.domain.timestamps import rfc3339
from chat_gateway.handlers.dispatch import Result, dispatch, session_of
from chat_gateway.handlers.messages import Sending
from chat_gateway.handlers.services import Services
from chat_gateway.hub.peer import Peer
from chat_protocol import commands, limits
from chat_protocol.codec import error_of
from chat_protocol.connecting import Opening
from chat_protocol.errors import CLOSE_CODES, ProtocolError, Ref
from chat_protocol.events import Ack, Error, Pong, Ready

log = structlog.get_logger()

SENDING_MAX: Final = 256
"""Messages of one connection on their way into the log; the next one waits for a place."""

RATE_LIMITED_IN_A_ROW_MAX: Final = 100
"""A client that goes on this long after being told to slow down is closed with 4029."""

_UNSAID: Final = frozenset({1005, 1006})
"""A close without a code, and an end without a close (RFC 6455, section 7.4.1)."""

_NOTHING_ASKED: Final = Opening()

Reply = Ack | Error | Pong
Answer = Callable[[Reply], None]


class Conversation:
    """What one connection says and is told.

    A transport calls `arrive`, `open` and `begin`, then `take` for each thing that the client
    sends (the next one when what it left to do is done), and `close` at the end, however it ends.
    """

    __slots__ = (
        "_arrived",
        "_awaited",
        "_bad_in_a_row",
        "_bucket",
        "_closed",
        "_fewer",
        "_limited_in_a_row",
        "_opening",
        "_peer",
        "_sending",
        "_services",
    )

    def __init__(self, services: Services, peer: Peer) -> None:
        self._services = services
        self._peer = peer
        self._opening = _NOTHING_ASKED
        self._sending = 0
        """Messages on their way into the log."""
        self._fewer: asyncio.Future[None] | None = None
        self._awaited = 0
        self._bad_in_a_row = 0
        self._limited_in_a_row = 0
        self._arrived = False
        self._closed = False
        self._bucket = (
            TokenBucket(limits.MESSAGES_PER_SECOND, limits.MESSAGES_BURST)
            if services.settings.rate_limits
            else None
        )

    # --- coming and going -----------------------------------------------------------------------

    def arrive(self) -> None:
        """A connection is there; from now on it is counted, and has ten seconds to say who it is.

        Raises what it is to be refused with.
        """
        services, peer = self._services, self._peer
        services.metrics.connections_opened.labels(peer.wire).inc()
        services.metrics.connections.labels(peer.wire).inc()
        self._arrived = True
        try:
            services.connections.open(peer)
            if services.readiness.draining:
                raise ProtocolError("server_draining", retry_after_ms=limits.DRAIN_RETRY_AFTER_MS)
        except ProtocolError as refusal:
            self._count(refusal)
            raise

    async def open(self, opening: Opening) -> None:
        """Find out who this is, and whether they may come in.

        Without a token or ticket there is nothing to find out yet: the client is to send
        `authenticate`. Raises what the connection is to be refused with.
        """
        services, peer = self._services, self._peer
        log.info(
            "Connection attempt",
            connection=peer.id,
            wire=peer.wire,
            address=peer.address,
            session=opening.session_id,
            token=opening.token,
        )
        self._opening = opening
        try:
            if opening.ticket is not None:
                await self._become(await services.accounts.redeem_ticket(opening.ticket))
            elif opening.token is not None:
                await self._become(await services.accounts.authenticate(opening.token))
        except ProtocolError as refusal:
            self._count(refusal)
            raise
        except Exception:
            log.exception("Cannot open a connection", connection=peer.id)
            failure = ProtocolError("internal")
            self._count(failure)
            raise failure from None

    async def begin(self) -> None:
        """Greet an authenticated client: `ready`, and the session it asked for when connecting."""
        services, peer = self._services, self._peer
        caller = peer.caller
        if caller is None or peer.ended:
            return
        peer.say(
            Ready(
                connection_id=peer.id,
                account_id=caller.account_id,
                server_time=rfc3339(services.clock.now_ms()),
                heartbeat_ms=int(services.settings.heartbeat_s * 1000),
                limits=limits.TOLD_TO_CLIENTS,
            )
        )
        opening, self._opening = self._opening, _NOTHING_ASKED
        if opening.session_id is None:
            return
        try:
            await services.rooms.join(peer, caller, opening.session_id, opening.last_seq)
        except ProtocolError as refusal:
            self._count(refusal)
            peer.end(refusal)
        except Exception:
            log.exception("Cannot join", connection=peer.id)
            peer.end(ProtocolError("internal"))

    def close(self, code: int) -> None:
        """The connection is gone, with this close code; forget it."""
        if self._closed or not self._arrived:
            return
        self._closed = True
        services, peer = self._services, self._peer
        peer.ended = True
        services.hub.leave_all(peer)
        services.connections.close(peer)
        services.metrics.connections.labels(peer.wire).dec()
        # A client may close with any code; only those that mean something here are told apart.
        known = str(code) if code in CLOSE_CODES or code in _UNSAID else "other"
        services.metrics.closes.labels(peer.wire, known).inc()
        log.info(
            "Connection closed",
            connection=peer.id,
            wire=peer.wire,
            account=peer.caller.account_id if peer.caller else None,
            code=code,
        )

    async def _become(self, caller: Caller) -> None:
        services, peer = self._services, self._peer
        if self._opening.session_id is not None:
            await services.membership.of(self._opening.session_id, caller.account_id)
            services.accounts.check_still_logged_in(caller)
        peer.authenticated(
            caller, now_s=services.clock.monotonic_s(), now_ms=services.clock.now_ms()
        )
        services.connections.admit(peer)

    # --- commands -------------------------------------------------------------------------------

    def take(
        self, decode: Callable[[], commands.Command], answer: Answer
    ) -> Coroutine[Any, Any, None] | None:
        """Carry out one command; `answer` gets its ack or error, maybe after this returns.

        `decode` makes the command from what the client sent, or raises `ProtocolError`. A message
        of someone known to be a member goes into the log's queue at once; for anything else, what
        is left to do is returned, and is to be awaited before the next command. Never raises.
        """
        peer = self._peer
        if peer.ended:
            return None
        try:
            command = decode()
        except ProtocolError as refusal:
            self._refuse(refusal, answer, refusal.ref)
            self._bad_in_a_row += 1
            if self._bad_in_a_row >= limits.BAD_INPUT_IN_A_ROW_MAX:
                peer.end(ProtocolError("too_many_errors"))
            return None
        self._bad_in_a_row = 0
        if self._over_rate(command.ref, answer):
            return None
        self._services.metrics.commands.add(1, command.type)
        if type(command) is not commands.SendMessage:
            return self._carry_out(command, answer)
        try:
            if self._may_send_now(command):
                self._send(command, answer)
                return None
        except Exception as error:
            self._failed(error, command, answer)
            return None
        return self._send_later(command, answer)

    def _failed(self, error: Exception, command: commands.Command, answer: Answer) -> None:
        if isinstance(error, ProtocolError):
            self._refuse(error, answer, command.ref)
        else:
            log.error("Command failed", connection=self._peer.id, type=command.type, exc_info=error)
            self._refuse(ProtocolError("internal"), answer, command.ref)

    def within_rate(self) -> bool:
        """Whether a ping of the transport itself is within the rate; it counts as a command."""
        return not self._over_rate(None, None)

    def _over_rate(self, ref: Ref | None, answer: Answer | None) -> bool:
        if self._bucket is None:
            return False
        wait_s = self._bucket.take(self._services.clock.monotonic_s())
        if not wait_s:
            self._limited_in_a_row = 0
            return False
        refusal = ProtocolError("rate_limited", retry_after_ms=int(wait_s * 1000) + 1)
        self._limited_in_a_row += 1
        if answer is not None:
            self._refuse(refusal, answer, ref)
        if self._limited_in_a_row >= RATE_LIMITED_IN_A_ROW_MAX:
            self._peer.end(refusal)
        return True

    def _caller(self) -> Caller:
        if self._peer.caller is None:
            raise ProtocolError("unauthenticated")
        return self._peer.caller

    async def _carry_out(self, command: commands.Command, answer: Answer) -> None:
        await self._sending_at_most(0)
        try:
            if type(command) is commands.Ping:
                now = rfc3339(self._services.clock.now_ms())
                answer(Pong(ref=command.ref, server_time=now))
            elif type(command) is commands.Authenticate:
                await self._authenticate(command, answer)
            else:
                result = await dispatch(self._services, self._peer, self._caller(), command)
                answer(Ack(ref=command.ref, result=result))
        except Exception as error:
            self._failed(error, command, answer)

    async def _authenticate(self, command: commands.Authenticate, answer: Answer) -> None:
        services, peer = self._services, self._peer
        known = peer.caller
        try:
            caller = await services.accounts.authenticate(command.token)
            if known is None:
                await self._become(caller)
            elif caller.account_id != known.account_id:
                raise ProtocolError("invalid_token", "This token is another account's.")
            else:
                peer.authenticated(
                    caller, now_s=services.clock.monotonic_s(), now_ms=services.clock.now_ms()
                )
        except ProtocolError as refusal:
            self._refuse(refusal, answer, command.ref)
            if known is None:
                peer.end(refusal)
            return
        result: Result = {"expiresAt": rfc3339(caller.expires_at_ms)}
        answer(Ack(ref=command.ref, result=result))
        if known is None:
            await self.begin()

    def _may_send_now(self, command: commands.SendMessage) -> bool:
        caller = self._caller()
        return self._sending < SENDING_MAX and self._services.membership.is_known(
            session_of(self._peer, command), caller.account_id
        )

    async def _send_later(self, command: commands.SendMessage, answer: Answer) -> None:
        try:
            await self._sending_at_most(SENDING_MAX - 1)
            caller = self._caller()
            await self._services.membership.of(session_of(self._peer, command), caller.account_id)
            self._send(command, answer)
        except Exception as error:
            self._failed(error, command, answer)

    def _send(self, command: commands.SendMessage, answer: Answer) -> None:
        self._services.messages.begin_send(
            self._caller(),
            session_of(self._peer, command),
            content=command.content,
            client_message_id=command.client_message_id,
            reply_to=command.reply_to,
            mentions=command.mentions,
            attachments=command.attachments,
            done=partial(self._sent, command.ref, answer),
        )
        self._sending += 1

    def _sent(self, ref: Ref | None, answer: Answer, sending: Sending) -> None:
        self._sending -= 1
        if self._fewer is not None and self._sending <= self._awaited and not self._fewer.done():
            self._fewer.set_result(None)
        try:
            answer(Ack(ref=ref, result=sending.acknowledgement()))
        except ProtocolError as refusal:
            self._refuse(refusal, answer, ref)

    async def _sending_at_most(self, count: int) -> None:
        """Return when no more messages than that are on their way; one caller at a time."""
        while self._sending > count:
            self._awaited = count
            self._fewer = asyncio.get_running_loop().create_future()
            await self._fewer
        self._fewer = None

    # --- refusals -------------------------------------------------------------------------------

    def _refuse(self, refusal: ProtocolError, answer: Answer, ref: Ref | None) -> None:
        self._count(refusal)
        answer(error_of(refusal.with_ref(ref)))

    def _count(self, refusal: ProtocolError) -> None:
        self._services.metrics.errors.labels(refusal.code).inc()
        log.debug("Refused", connection=self._peer.id, code=refusal.code)
