"""People who use a service, and its REST interface as they see it.

Tokens are signed here with the service's secret, as an operator's own back end would sign them (no
`sid`): that spares every test the work of a password hash. What is about log-in itself signs up
over REST.
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import jwt

from chat_gateway.clock import SystemClock
from tests.parts.settings import SECRET

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """An account that can show who it is."""

    account_id: str
    name: str
    token: str


def sign_token(
    account_id: str,
    name: str,
    *,
    issued_at_s: float | None = None,
    lifetime_s: float = 3600,
    secret: str = SECRET,
    **claims: Any,
) -> str:
    """A token as the operator's own back end makes it; `claims` add to it, or take away by None."""
    now_s = SystemClock().now_ms() / 1000 if issued_at_s is None else issued_at_s
    wanted = {
        "sub": account_id,
        "name": name,
        "iat": int(now_s),
        "exp": now_s + lifetime_s,
        "jti": f"token-{next(_numbers)}",
        **claims,
    }
    wanted = {name: value for name, value in wanted.items() if value is not None}
    return jwt.encode(wanted, secret, algorithm="HS256")


def new_person(name: str = "Mina", **token: Any) -> Person:
    """Someone nobody has seen before."""
    account_id = f"{name.lower()}-{next(_numbers)}"
    return Person(account_id=account_id, name=name, token=sign_token(account_id, name, **token))


class Api:
    """The REST interface of a running service."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http = http
        self.url = url

    async def answer(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        by: Person | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, Any]:
        """Status and body of any answer."""
        sent = dict(headers or {})
        if by is not None:
            sent["Authorization"] = f"Bearer {by.token}"
        async with self._http.request(
            method, f"{self.url}{path}", json=body, headers=sent
        ) as response:
            if response.content_type.endswith("json"):
                return response.status, await response.json(content_type=None)
            return response.status, await response.text()

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        by: Person | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """The body of an answer that must be a success."""
        status, answer = await self.answer(method, path, body, by=by, headers=headers)
        assert status < 300, (method, path, status, answer)
        return answer

    async def sign_up(self, name: str = "Mina") -> Person:
        """A person with an email, a password and a login of their own."""
        signed = await self.call(
            "POST",
            "/api/auth/signup",
            {
                "email": f"{name.lower()}{next(_numbers)}@example.com",
                "password": "correct horse battery",
                "displayName": name,
            },
        )
        return Person(account_id=signed["account"]["id"], name=name, token=signed["token"])

    async def session(self, owner: Person, *members: Person, title: str = "Lunch") -> str:
        """A session of these people; its id. Each member's joining is an event in its log."""
        session = await self.call("POST", "/api/sessions", {"title": title}, by=owner)
        session_id: str = session["id"]
        if members:
            invite = await self.call("POST", f"/api/sessions/{session_id}/invites", by=owner)
        for member in members:
            await self.call("POST", f"/api/invites/{invite['code']}/accept", by=member)
        return session_id

    async def post(self, by: Person, session_id: str, content: str, **fields: Any) -> Any:
        """Send a message; returns it."""
        return await self.call(
            "POST", f"/api/sessions/{session_id}/messages", {"content": content, **fields}, by=by
        )

    async def post_large(self, by: Person, session_id: str, content: str) -> Any:
        """Send a message of 20 KiB or more on the wire; returns it."""
        attachment = {"url": f"https://a.example/{'x' * 2000}", "name": "a", "mediaType": "a/a"}
        return await self.post(by, session_id, content, attachments=[attachment] * 10)

    async def log(self, by: Person, session_id: str) -> list[Any]:
        """All durable events of a session, page by page."""
        events: list[Any] = []
        while True:
            after = events[-1]["seq"] if events else 0
            page = await self.call(
                "GET", f"/api/sessions/{session_id}/events?after={after}&limit=200", by=by
            )
            events += page["events"]
            if not page["hasMore"]:
                return events

    async def head(self, by: Person, session_id: str) -> int:
        """The highest seq of a session."""
        session = await self.call("GET", f"/api/sessions/{session_id}", by=by)
        seq: int = session["seq"]
        return seq
