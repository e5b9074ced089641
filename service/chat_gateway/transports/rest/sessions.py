"""Operations of sessions and their members."""

from chat_gateway.domain.model import Role
from chat_gateway.transports.rest.operations import NOTHING, Answer, Call, answer
from chat_gateway.transports.rest.views import invite_view, member_view, session_view


async def own_session(call: Call) -> Answer:
    """The caller's own session, made where it is not there."""
    return answer(session_view(await call.services.sessions.own(call.caller)))


async def list_sessions(call: Call) -> Answer:
    """The caller's sessions."""
    summaries = await call.services.sessions.list(call.caller)
    return answer({"sessions": [session_view(summary) for summary in summaries]})


async def create_session(call: Call) -> Answer:
    """Make a session."""
    summary = await call.services.sessions.create(call.caller, call.body.get("title"))
    return answer(session_view(summary), 201)


async def get_session(call: Call) -> Answer:
    """One session."""
    return answer(
        session_view(await call.services.sessions.get(call.caller, call.path["session_id"]))
    )


async def rename_session(call: Call) -> Answer:
    """Give a session another title."""
    summary = await call.services.sessions.rename(
        call.caller, call.path["session_id"], call.body["title"]
    )
    return answer(session_view(summary))


async def delete_session(call: Call) -> Answer:
    """Delete a session."""
    await call.services.sessions.delete(call.caller, call.path["session_id"])
    return NOTHING


async def create_invite(call: Call) -> Answer:
    """Make an invite."""
    invite = await call.services.members.invite(call.caller, call.path["session_id"])
    return answer(invite_view(invite, call.services.settings.public_url), 201)


async def accept_invite(call: Call) -> Answer:
    """Become a member by an invite."""
    return answer(session_view(await call.services.members.accept(call.caller, call.path["code"])))


async def list_members(call: Call) -> Answer:
    """All members of a session."""
    members = await call.services.members.list(call.caller, call.path["session_id"])
    return answer({"members": [member_view(member) for member in members]})


async def add_member(call: Call) -> Answer:
    """Make an account a member."""
    member = await call.services.members.add(
        call.caller, call.path["session_id"], call.body["email"]
    )
    return answer(member_view(member), 201)


async def change_role(call: Call) -> Answer:
    """Give a member another role."""
    member = await call.services.members.change_role(
        call.caller, call.path["session_id"], call.path["account_id"], Role(call.body["role"])
    )
    return answer(member_view(member))


async def remove_member(call: Call) -> Answer:
    """Remove a member, or leave."""
    await call.services.members.remove(
        call.caller, call.path["session_id"], call.path["account_id"]
    )
    return NOTHING
