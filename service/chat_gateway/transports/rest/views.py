"""What is stored, as REST shows it; the shapes stand in `chat_protocol.rest`."""

from typing import Any

from chat_gateway.domain.model import Account, Invite, Member, Page, SessionSummary
from chat_gateway.domain.timestamps import rfc3339
from chat_gateway.handlers.accounts import Tokens
from chat_protocol import codec


def account_view(account: Account) -> dict[str, Any]:
    """An account as its owner sees it."""
    return {
        "id": account.id,
        "email": account.email,
        "displayName": account.display_name,
        "createdAt": rfc3339(account.created_at_ms),
    }


def tokens_view(tokens: Tokens) -> dict[str, Any]:
    """A pair of tokens and whose they are."""
    return {
        "token": tokens.token,
        "refreshToken": tokens.refresh_token,
        "expiresAt": rfc3339(tokens.expires_at_ms),
        "account": account_view(tokens.account),
    }


def member_view(member: Member) -> dict[str, Any]:
    """A member as others see them."""
    return {
        "accountId": member.account_id,
        "displayName": member.display_name,
        "role": member.role.value,
    }


def session_view(summary: SessionSummary) -> dict[str, Any]:
    """A session as one of its members sees it."""
    last = summary.last_message
    return {
        "id": summary.session.id,
        "title": summary.session.title,
        "role": summary.role.value,
        "seq": summary.head,
        "unread": summary.unread,
        "lastMessage": codec.raw(last.wire) if last is not None else None,
        "members": [member_view(member) for member in summary.members],
        "createdAt": rfc3339(summary.session.created_at_ms),
    }


def invite_view(invite: Invite, public_url: str) -> dict[str, Any]:
    """An invite and the address to hand on."""
    return {
        "code": invite.code,
        "url": f"{public_url}/?invite={invite.code}",
        "expiresAt": rfc3339(invite.expires_at_ms),
    }


def page_view(name: str, page: Page) -> dict[str, Any]:
    """A page of a log, its bytes as they are stored."""
    return {name: codec.raw_list([record.wire for record in page.records]), "hasMore": page.more}
