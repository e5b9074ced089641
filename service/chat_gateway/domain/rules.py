"""Who may do what in a session: plain functions of facts that return, or raise the refusal.

An owner may do everything. An admin may rename, invite, add members, and remove plain members. A
member may post, read and leave. Members do not invite: whoever was removed would be let in again by
the next friend.
"""

from collections.abc import Iterable
from typing import Final

from chat_gateway.domain.model import Role
from chat_protocol.errors import ProtocolError

_MANAGERS: Final = (Role.OWNER, Role.ADMIN)


def own_slot(account_id: str) -> str:
    """The slot of an account's own session; see `ChatSession.slot`."""
    return f"own:{account_id}"


def authorize_rename(role: Role) -> None:
    """Raises `forbidden` unless `role` may give the session another title."""
    _need(role, _MANAGERS, "Only owners and admins rename a session.")


def authorize_delete(role: Role) -> None:
    """Raises `forbidden` unless `role` may delete the session."""
    _need(role, (Role.OWNER,), "Only owners delete a session.")


def authorize_invite(role: Role) -> None:
    """Raises `forbidden` unless `role` may make invites."""
    _need(role, _MANAGERS, "Only owners and admins invite.")


def authorize_add(role: Role) -> None:
    """Raises `forbidden` unless `role` may add members."""
    _need(role, _MANAGERS, "Only owners and admins add members.")


def authorize_remove(role: Role, target: Role) -> None:
    """Raises `forbidden` unless `role` may remove someone else, whose role is `target`."""
    _need(role, _MANAGERS, "Only owners and admins remove members.")
    if target is not Role.MEMBER:
        _need(role, (Role.OWNER,), "Only owners remove owners and admins.")


def authorize_change_role(role: Role) -> None:
    """Raises `forbidden` unless `role` may change the roles of members."""
    _need(role, (Role.OWNER,), "Only owners change roles.")


def keep_an_owner(target: Role, owners: int) -> None:
    """Raises `last_owner` where one of `owners`, whose role is `target`, must stay one."""
    if target is Role.OWNER and owners <= 1:
        raise ProtocolError("last_owner")


def keep_own_session(slot: str, account_id: str) -> None:
    """Raises `forbidden` where the session is the account's own: it stays its owner there."""
    if slot == own_slot(account_id):
        raise ProtocolError("forbidden", "An account stays the owner of its own session.")


def _need(role: Role, allowed: Iterable[Role], message: str) -> None:
    if role not in allowed:
        raise ProtocolError("forbidden", message)
