"""What no good client sends: each gets its documented problem, and the next request is served."""

import asyncio
import re
import zlib
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from structlog.testing import capture_logs

from chat_gateway.metrics import Metrics
from chat_gateway.transports import bodies
from chat_gateway.transports.rest.problems import answer_problems
from chat_protocol.limits import FRAME_MAX_BYTES
from tests.parts.people import Api, Person, new_person
from tests.parts.server import ServerProcess
from tests.rest.asking import Response, ask, check_problem


async def post(
    http: aiohttp.ClientSession,
    service: Api,
    by: Person,
    data: bytes | AsyncIterator[bytes] | None,
    headers: dict[str, str] | None = None,
) -> Response:
    """Give `data` to an operation that takes a body; nothing may come of it."""
    response = await ask(http, service, "POST", "/api/sessions", by=by, data=data, headers=headers)
    assert await service.call("GET", "/api/sessions", by=by) == {"sessions": []}
    return response


@pytest.mark.parametrize(
    "data",
    [
        b"{",
        b"not json",
        b"{'title': 'x'}",
        b'{"title":"x"',
        b'{"title":"x"} trailing',
        b'{"title":"x",}',
        b'\xef\xbb\xbf{"title":"x"}',
        b'{"title":"\xff\xfe"}',
        b'{"title":"\\ud800"}',
        b'{"title":"a","title":"b"}',
        b'{"title":"a","\\u0074itle":"b"}',
        b'{"title":NaN}',
        b'{"title":Infinity}',
        b'{"title":1e999}',
        b'{"title":9007199254740993}',
        b'{"title":' + b"[" * 17 + b"]" * 17 + b"}",
        b"[" * 30_000,
        b'{"a":' * 10_000,
        b"[]",
        b'"text"',
        b"null",
        b"1",
        b" ",
    ],
)
async def test_a_body_that_is_not_one_plain_json_object_is_a_bad_request(
    service: Api, http: aiohttp.ClientSession, data: bytes
) -> None:
    check_problem(await post(http, service, new_person(), data), "bad_request")


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (b'{"title":""}', "title"),
        (b'{"title":null}', "title"),
        (b'{"title":{"$ne":null}}', "title"),
        (b'{"title":"nul \\u0000"}', "title"),
        (b'{"title":"x","ownerId":"someone"}', "ownerId"),
        (b'{"Title":"x"}', "Title"),
        (b'{"__proto__":{"role":"owner"}}', "__proto__"),
    ],
)
async def test_a_field_that_is_not_allowed_is_named(
    service: Api, http: aiohttp.ClientSession, data: bytes, field: str
) -> None:
    body = check_problem(await post(http, service, new_person(), data), "validation_failed")
    assert list(body["details"]) == [field]


async def test_a_missing_body_is_a_bad_request_where_one_is_needed(
    service: Api, http: aiohttp.ClientSession
) -> None:
    for data in (None, b""):
        response = await ask(http, service, "POST", "/api/auth/login", data=data)
        check_problem(response, "bad_request")
    response = await ask(http, service, "POST", "/api/auth/login", body={})
    details = check_problem(response, "validation_failed")["details"]
    assert sorted(details) == ["email", "password"]


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/octet-stream",
        "application/json; charset=utf-16",
        "nonsense",
        "",
    ],
)
async def test_a_body_of_another_type_is_not_read(
    service: Api, http: aiohttp.ClientSession, content_type: str
) -> None:
    response = await post(
        http, service, new_person(), b'{"title":"x"}', {"Content-Type": content_type}
    )
    check_problem(response, "unsupported_media_type")


@pytest.mark.parametrize("content_type", ["application/json; charset=UTF-8", "Application/JSON"])
async def test_json_may_be_announced_in_any_case_and_with_its_charset(
    service: Api, http: aiohttp.ClientSession, content_type: str
) -> None:
    response = await ask(
        http,
        service,
        "POST",
        "/api/sessions",
        by=new_person(),
        data=b'{"title":"x"}',
        headers={"Content-Type": content_type},
    )
    assert response.status == 201


async def test_a_body_over_the_limit_is_refused_announced_or_not(
    service: Api, http: aiohttp.ClientSession
) -> None:
    mina = new_person()
    huge = b'{"title":"' + b"x" * FRAME_MAX_BYTES + b'"}'

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(huge), 10_000):
            yield huge[start : start + 10_000]

    for data in (huge, chunks()):
        response = await post(http, service, mina, data)
        check_problem(response, "payload_too_large")
        assert response.headers["Connection"] == "close"
    # The longest that is allowed is read to its end.
    padded = b'{"title":"x"' + b" " * (FRAME_MAX_BYTES - 13) + b"}"
    assert len(padded) == FRAME_MAX_BYTES
    assert (await ask(http, service, "POST", "/api/sessions", by=mina, data=padded)).status == 201


async def test_a_small_body_that_unpacks_to_a_huge_one_is_refused(
    service: Api, http: aiohttp.ClientSession
) -> None:
    bomb = zlib.compress(b'{"title":"' + b"x" * 50_000_000 + b'"}', 9)
    assert len(bomb) < FRAME_MAX_BYTES
    headers = {"Content-Encoding": "deflate"}
    response = await post(http, service, new_person(), bomb, headers)
    check_problem(response, "payload_too_large")


async def test_a_body_that_does_not_unpack_is_a_bad_request(
    service: Api, http: aiohttp.ClientSession
) -> None:
    headers = {"Content-Encoding": "gzip"}
    response = await post(http, service, new_person(), b'{"title":"x"}', headers)
    check_problem(response, "bad_request")


async def raw_exchange(url: str, *parts: bytes) -> bytes:
    """Send bytes on a connection of their own and return all that came back until its end."""
    at = urlsplit(url)
    reader, writer = await asyncio.open_connection(at.hostname, at.port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
        return await asyncio.wait_for(reader.read(), 30)
    finally:
        writer.close()
        await writer.wait_closed()


def head(by: Person, *lines: str) -> bytes:
    wanted = [
        "POST /api/sessions HTTP/1.1",
        "Host: localhost",
        "Content-Type: application/json",
        f"Authorization: Bearer {by.token}",
        *lines,
    ]
    return ("\r\n".join(wanted) + "\r\n\r\n").encode()


@pytest.mark.parametrize(
    ("lines", "begun"),
    [
        (["Content-Length: 100"], b'{"title":'),
        (["Transfer-Encoding: chunked"], b'9\r\n{"title":\r\n'),
    ],
)
async def test_a_body_that_never_ends_is_given_up_in_time(
    service: Api, monkeypatch: pytest.MonkeyPatch, lines: list[str], begun: bytes
) -> None:
    assert bodies.BODY_WITHIN_S == 10.0
    monkeypatch.setattr(bodies, "BODY_WITHIN_S", 0.2)
    # The connection ends as well, so that nothing is left to be held open.
    async with asyncio.timeout(5):
        answer = await raw_exchange(service.url, head(new_person(), *lines), begun)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"code":"request_timeout"' in answer
    assert b"Connection: close" in answer


async def test_a_client_that_goes_away_in_the_middle_of_a_body_leaves_no_trace(
    service: Api, http: aiohttp.ClientSession, capfd: pytest.CaptureFixture[str]
) -> None:
    mina = new_person()
    at = urlsplit(service.url)
    for _ in range(3):
        _, writer = await asyncio.open_connection(at.hostname, at.port)
        writer.write(head(mina, "Content-Length: 100") + b'{"title":')
        await writer.drain()
        writer.transport.abort()
    assert await service.call("GET", "/api/sessions", by=mina) == {"sessions": []}
    heard = capfd.readouterr()
    assert "Traceback" not in heard.err + heard.out


async def test_a_client_that_asks_before_it_sends_is_answered_before_it_sends(
    service: Api,
) -> None:
    body = b'{"title":"x"}'
    expecting = ["Expect: 100-continue", f"Content-Length: {len(body)}", "Connection: close"]
    answer = await raw_exchange(service.url, head(new_person(), *expecting), body)
    assert re.match(rb"HTTP/1\.1 100 Continue\r\n\r\nHTTP/1\.1 201 ", answer)

    nobody = Person(account_id="", name="", token="wrong")
    refused = await raw_exchange(service.url, head(nobody, *expecting), body)
    assert refused.startswith(b"HTTP/1.1 401 ")


async def test_what_is_not_there_is_not_found_in_the_same_form(
    service: Api, http: aiohttp.ClientSession
) -> None:
    for path in ("/api", "/api/", "/api/nothing", "/api/me/", "/API/me", "/api/sessions/a/b/c/d"):
        check_problem(await ask(http, service, "GET", path), "not_found")


async def test_a_method_that_is_not_taken_is_told_which_are(
    service: Api, http: aiohttp.ClientSession
) -> None:
    session = await ask(http, service, "PUT", "/api/sessions/some")
    check_problem(session, "method_not_allowed")
    allowed = {method.strip() for method in session.headers["Allow"].split(",")}
    assert allowed == {"GET", "HEAD", "PATCH", "DELETE"}
    for method in ("PATCH", "DELETE", "TRACE", "PROPFIND"):
        check_problem(await ask(http, service, method, "/api/me"), "method_not_allowed")


@pytest.mark.parametrize("session_id", ["%00", "a%00b", "x" * 65])
async def test_a_path_with_a_part_that_cannot_be_is_refused_by_its_name(
    service: Api, http: aiohttp.ClientSession, session_id: str
) -> None:
    response = await ask(http, service, "GET", f"/api/sessions/{session_id}", by=new_person())
    body = check_problem(response, "validation_failed")
    assert list(body["details"]) == ["sessionId"]


@pytest.mark.parametrize(
    "session_id", ["..%2F..%2Fetc", "%27%20OR%201=1--", "%7B%22$ne%22:null%7D", "%ED%A0%80", "%zz"]
)
async def test_a_path_that_means_mischief_is_only_a_session_that_is_not_there(
    service: Api, http: aiohttp.ClientSession, session_id: str
) -> None:
    mina = new_person()
    await service.session(mina)
    response = await ask(http, service, "GET", f"/api/sessions/{session_id}", by=mina)
    check_problem(response, "session_not_found")


@pytest.mark.parametrize(
    "sent",
    [
        b"BREW /coffee HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/1.1\r\nHost: a\r\nBroken header\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/9.9\r\n\r\n",
        b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"x" * 20_000 + b"\r\n\r\n",
        b"POST /api/auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
async def test_bytes_that_are_not_http_are_refused_and_leave_no_traceback(
    server: ServerProcess, http: aiohttp.ClientSession, sent: bytes
) -> None:
    begun = len(server.lines)
    answer = await raw_exchange(server.url, sent)
    assert re.search(rb"HTTP/1\.[01] 400 ", answer)
    async with http.get(f"{server.url}/healthz") as response:
        assert response.status == 200
    server.assert_quiet(after=begun)


async def test_what_goes_wrong_in_the_server_is_told_as_internal_and_logged_once(
    http: aiohttp.ClientSession,
) -> None:
    async def break_down(_: web.Request) -> web.StreamResponse:
        raise KeyError("a secret of the implementation")

    metrics = Metrics()
    app = web.Application(middlewares=[answer_problems(metrics, "http://localhost:8080")])
    app.router.add_get("/broken", break_down)
    async with TestServer(app) as running:
        api = Api(http, f"http://127.0.0.1:{running.port}")
        with capture_logs() as lines:
            response = await ask(http, api, "GET", "/broken")
    assert "secret" not in str(check_problem(response, "internal"))
    assert [line["event"] for line in lines if line["log_level"] == "error"] == ["Request failed"]
    assert b'chat_errors_total{code="internal"} 1.0' in metrics.exposition()
