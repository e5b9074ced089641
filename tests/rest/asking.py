"""A request as bytes and its whole response, for what a well-behaved client would not send."""

import math
from collections.abc import AsyncIterable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson
from yarl import URL

from chat_protocol.errors import REGISTRY
from chat_protocol.rest import ProblemView
from tests.parts.people import Api, Person

JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What came back; `body` is parsed JSON, or text, or None where there is none."""

    status: int
    headers: Mapping[str, str]
    body: Any


async def ask(
    http: aiohttp.ClientSession,
    api: Api,
    method: str,
    path: str,
    *,
    by: Person | None = None,
    headers: Mapping[str, str] | None = None,
    data: bytes | str | AsyncIterable[bytes] | None = None,
    body: Any = None,
) -> Response:
    """Send it; `path` stands in the request as it is written here."""
    sent = dict(headers or {})
    if body is not None:
        data = orjson.dumps(body)
    if data is not None:
        sent = {**JSON, **sent}
    if by is not None:
        sent["Authorization"] = f"Bearer {by.token}"
    async with http.request(
        method, URL(f"{api.url}{path}", encoded=True), data=data, headers=sent
    ) as response:
        raw = await response.read()
        kind = response.content_type
        parsed: Any = None
        if raw:
            parsed = orjson.loads(raw) if kind.endswith("json") else raw.decode()
        return Response(status=response.status, headers=response.headers, body=parsed)


def check_problem(response: Response, code: str) -> dict[str, Any]:
    """The response is this problem, complete and in the right form; returns its body."""
    body: dict[str, Any] = response.body
    assert isinstance(body, dict), response
    assert body["code"] == code, response
    assert response.headers["Content-Type"] == "application/problem+json", response
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "no-store"
    ProblemView().load(body)
    assert body["status"] == response.status == REGISTRY[code].http_status, response
    assert body["type"] == f"http://localhost:8080/docs#error-{code}"
    assert body["title"] == REGISTRY[code].message
    assert body["retryable"] is REGISTRY[code].retryable
    if "retryAfterMs" in body:
        assert response.headers["Retry-After"] == str(math.ceil(body["retryAfterMs"] / 1000))
    if response.status == 401:
        assert response.headers["WWW-Authenticate"].startswith('Bearer realm="chat"')
    return body
