"""From a command to the use case that carries it out, and from its outcome to the ack's fields.

`message` is not here: many of one connection may be under way, so the conversation itself sends
them (see `handlers.conversation`). Of the others, one at a time is carried out.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from chat_gateway.domain.caller import Caller
from chat_gateway.handlers.services import Services
from chat_gateway.hub.peer import Peer
from chat_protocol import codec, commands
from chat_protocol.errors import ProtocolError

Result = Mapping[str, Any]


def session_of(peer: Peer, command: commands.SessionCommand) -> str:
    """The session that a command is about. Raises `session_required`."""
    if command.session_id is not None:
        return command.session_id
    if len(peer.rooms) == 1:
        return next(iter(peer.rooms))
    raise ProtocolError(
        "session_required", details={"sessionId": ["Needed unless exactly one session is joined."]}
    )


async def dispatch(
    services: Services, peer: Peer, caller: Caller, command: commands.Command
) -> Result:
    """Carry out a command; returns what its ack carries.

    Raises `ProtocolError`; `unsupported_command` for one that this server does not do.
    """
    use_case = _USE_CASES.get(type(command))
    if use_case is None:
        raise ProtocolError("unsupported_command")
    return await use_case(services, peer, caller, command)


async def _history(services: Services, peer: Peer, caller: Caller, command: Any) -> Result:
    page = await services.messages.history(
        caller,
        session_of(peer, command),
        before=command.before,
        after=command.after,
        limit=command.limit,
    )
    return {
        "messages": codec.raw_list([record.wire for record in page.records]),
        "hasMore": page.more,
    }


async def _read(services: Services, peer: Peer, caller: Caller, command: Any) -> Result:
    session_id = session_of(peer, command)
    return {"readSeq": await services.messages.mark_read(caller, session_id, command.seq)}


async def _join(services: Services, peer: Peer, caller: Caller, command: Any) -> Result:
    seq = await services.rooms.join(peer, caller, command.session_id, command.last_seq)
    return {"seq": seq}


async def _leave(services: Services, peer: Peer, caller: Caller, command: Any) -> Result:
    return {"seq": await services.rooms.leave(peer, caller, session_of(peer, command))}


_UseCase = Callable[[Services, Peer, Caller, Any], Awaitable[Result]]

_USE_CASES: Final[Mapping[type[commands.Command], _UseCase]] = {
    commands.GetHistory: _history,
    commands.MarkRead: _read,
    commands.Join: _join,
    commands.Leave: _leave,
}
