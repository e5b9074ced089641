"""Operations of accounts: signing up, logging in and out, tickets."""

from chat_gateway.domain.timestamps import rfc3339
from chat_gateway.transports.rest.operations import NOTHING, Answer, Call, answer
from chat_gateway.transports.rest.views import account_view, tokens_view


async def sign_up(call: Call) -> Answer:
    """Make an account and log it in."""
    body = call.body
    tokens = await call.services.accounts.sign_up(
        body["email"], body["password"], body["display_name"], address=call.address
    )
    return answer(tokens_view(tokens), 201)


async def log_in(call: Call) -> Answer:
    """Trade email and password for tokens."""
    tokens = await call.services.accounts.log_in(
        call.body["email"], call.body["password"], address=call.address
    )
    return answer(tokens_view(tokens))


async def refresh(call: Call) -> Answer:
    """Trade a refresh token for new tokens."""
    return answer(tokens_view(await call.services.accounts.refresh(call.body["refresh_token"])))


async def log_out(call: Call) -> Answer:
    """End the login of the token."""
    await call.services.accounts.log_out(call.caller)
    return NOTHING


async def me(call: Call) -> Answer:
    """The caller's account."""
    return answer(account_view(await call.services.accounts.account(call.caller)))


async def make_ticket(call: Call) -> Answer:
    """A ticket that opens one connection."""
    ticket, expires_at_ms = await call.services.accounts.make_ticket(call.caller)
    return answer({"ticket": ticket, "expiresAt": rfc3339(expires_at_ms)}, 201)
