"""What an operator's tools ask: alive, ready, and how it is going."""

from pathlib import Path

import aiohttp
from aiohttp.test_utils import TestServer

from chat_gateway.app import create_app
from tests.parts.people import Api, new_person
from tests.parts.settings import make_settings
from tests.rest.asking import ask, check_problem


async def test_a_running_node_is_alive_and_ready(service: Api, http: aiohttp.ClientSession) -> None:
    assert await service.call("GET", "/healthz") == {"status": "ok"}
    assert await service.call("GET", "/readyz") == {
        "status": "ok",
        "parts": {"node": "ok", "store": "ok"},
    }
    assert (await ask(http, service, "HEAD", "/healthz")).status == 200


async def test_metrics_count_requests_by_pattern_and_never_by_path(
    service: Api, http: aiohttp.ClientSession
) -> None:
    mina = new_person()
    session_id = await service.session(mina)
    await service.post(mina, session_id, "counted")
    await ask(http, service, "GET", f"/api/sessions/{session_id}", by=mina)
    await ask(http, service, "GET", f"/nothing/{session_id}")
    await ask(http, service, "PROPFIND", "/api/me")
    response = await ask(http, service, "GET", "/metrics")
    assert response.status == 200
    assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    lines = response.body.splitlines()
    for method, route, status in (
        ("GET", "/api/sessions/{sessionId}", "200"),
        ("POST", "/api/sessions/{sessionId}/messages", "201"),
        ("GET", "unmatched", "404"),
        ("other", "unmatched", "405"),
    ):
        labels = f'method="{method}",route="{route}",status="{status}"'
        assert f"chat_http_requests_total{{{labels}}} 1.0" in lines
    assert 'chat_errors_total{code="not_found"} 1.0' in lines
    assert 'chat_events_total{type="message"} 1.0' in lines
    assert session_id not in response.body


async def test_a_draining_node_is_not_ready_and_takes_no_message(
    tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    app = create_app(make_settings(tmp_path))
    async with TestServer(app) as running:
        api = Api(http, f"http://127.0.0.1:{running.port}")
        mina = new_person()
        session_id = await api.session(mina)
        message = await api.post(mina, session_id, "before")
        await app.shutdown()  # what aiohttp calls first when it stops
        body = check_problem(await ask(http, api, "GET", "/readyz"), "server_draining")
        assert body["details"] == {"node": ["draining"]}
        path = f"/api/sessions/{session_id}/messages"
        refused = await ask(http, api, "POST", path, by=mina, body={"content": "too late"})
        assert check_problem(refused, "server_draining")["retryAfterMs"] >= 1000
        assert (await ask(http, api, "GET", "/healthz")).status == 200
        # Reading goes on until the end.
        listed = await api.call("GET", path, by=mina)
        assert listed == {"messages": [message], "hasMore": False}
