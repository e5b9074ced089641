"""What an operator's tools ask: alive, ready, and how it is going."""

import aiohttp

from tests.parts.people import Api, new_person
from tests.rest.asking import ask


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
    await ask(http, service, "BREW", "/api/me")
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
