"""The pages that the server shows: complete, linked, safe, and without any other server."""

import re
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from chat_gateway.transports.docs import markup
from chat_gateway.transports.docs.guides import GUIDES
from chat_gateway.transports.docs.routes import POLICY, add_routes
from chat_gateway.transports.rest import openapi
from chat_protocol.errors import CLOSE_CODES, REGISTRY
from chat_protocol.export import asyncapi
from chat_protocol.schemas import COMMANDS, DURABLE_EVENTS, EPHEMERAL_EVENTS, REPLIES
from tests.parts.chromium import QUIET

PUBLIC_URL = "http://localhost:8080"
PAGES = ["/", "/docs", "/docs/rest", *(f"/{guide.path}" for guide in GUIDES)]
ELSEWHERE = {"/healthz", "/readyz", "/metrics"}

Client = TestClient[web.Request, web.Application]


def documents() -> dict[str, dict[str, Any]]:
    return {
        "openapi": openapi.document(PUBLIC_URL),
        "asyncapi": asyncapi.document(PUBLIC_URL),
    }


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    app = web.Application()
    add_routes(app, **documents())
    async with TestClient(TestServer(app)) as client:
        yield client


class _Reader(HTMLParser):
    """Collects ids, links, scripts and inline code of a page, and that its tags are closed."""

    VOID = frozenset({"meta", "link", "img", "br", "hr"})

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.inline: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            elif name in ("href", "src"):
                self.links.append(value or "")
                if tag != "a":
                    self.loaded.append(value or "")
            elif name == "style" or name.startswith("on"):
                self.inline.append(f"{tag} {name}")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("script", "style") and data.strip():
            self.inline.append(data)


async def read(client: Client, path: str) -> _Reader:
    response = await client.get(path)
    assert response.status == 200
    assert response.content_type == "text/html"
    reader = _Reader()
    reader.feed(await response.text())
    assert reader.open == []
    return reader


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_is_sent_with_a_strict_policy_and_keeps_to_it(
    client: Client, path: str
) -> None:
    response = await client.get(path)
    assert response.headers["Content-Security-Policy"] == POLICY
    assert "unsafe" not in POLICY
    assert "http" not in POLICY
    reader = await read(client, path)
    assert reader.inline == []
    assert [each for each in reader.loaded if urlsplit(each).scheme or urlsplit(each).netloc] == []


@pytest.mark.parametrize("path", PAGES)
async def test_every_link_of_a_page_leads_somewhere(client: Client, path: str) -> None:
    ids = {each: (await read(client, each)).ids for each in PAGES}
    for link in set((await read(client, path)).links):
        target = urlsplit(urljoin(f"http://host{path}", link))
        if target.path in ELSEWHERE or target.netloc != "host":
            continue
        if target.fragment:
            assert unquote(target.fragment) in ids[target.path], link
        else:
            assert (await client.get(target.path)).status == 200, link


async def test_the_socket_page_has_an_anchor_for_all_that_a_client_can_meet(
    client: Client,
) -> None:
    ids = (await read(client, "/docs")).ids
    assert len(ids) == len(set(ids))
    wanted = {
        *(f"command-{kind}" for kind in COMMANDS),
        *(f"event-{kind}" for kind in (*DURABLE_EVENTS, *EPHEMERAL_EVENTS)),
        *(f"reply-{kind}" for kind in ("ack", *REPLIES)),
        *(f"error-{code}" for code in REGISTRY),
        *(f"close-{code}" for code in CLOSE_CODES),
        *("limits", "rest", "connecting"),
    }
    assert wanted <= set(ids)


async def test_the_socket_page_lists_every_path_of_rest(client: Client) -> None:
    text = await (await client.get("/docs")).text()
    for path in documents()["openapi"]["paths"]:
        assert markup.code(path) in text


async def test_the_documents_are_served_as_they_were_given(client: Client) -> None:
    for name, document in documents().items():
        response = await client.get(f"/{name}.json")
        assert response.content_type == "application/json"
        assert await response.json() == document


@pytest.mark.parametrize("path", [*PAGES, "/openapi.json", "/docs/assets/swagger-ui-bundle.js"])
async def test_who_cannot_unpack_gets_the_same_unpacked(client: Client, path: str) -> None:
    packed = await client.get(path, headers={"Accept-Encoding": "gzip"})
    plain = await client.get(path, headers={"Accept-Encoding": "identity"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert await packed.read() == await plain.read()


async def test_no_file_but_the_known_ones_is_served(client: Client) -> None:
    for name in ("", "index.html", "..%2froutes.py", "../routes.py", "swagger-ui.js"):
        assert (await client.get(f"/docs/assets/{name}")).status == 404


async def test_what_the_documents_say_stays_text_in_the_pages() -> None:
    evil = documents()
    evil["openapi"]["info"]["description"] = "<script>alert(1)</script> `<b>`"
    evil["openapi"]["paths"]["/<i>"] = {"get": {"summary": '"><img src=x>'}}
    evil["openapi"]["info"]["version"] = "<u>"
    app = web.Application()
    add_routes(app, **evil)
    async with TestClient(TestServer(app)) as client:
        for path in PAGES:
            text = await (await client.get(path)).text()
            assert not re.search(r"<script>|<b>`|<i>|<img src=x|<u>", text)


async def test_the_pages_stand_under_any_path_of_a_proxy(client: Client) -> None:
    for path in PAGES:
        for link in (await read(client, path)).links:
            assert not link.startswith("/"), link


def test_json_is_coloured_and_escaped() -> None:
    html = markup.json_listing({"k<": "a\"b<'", "n": -1.5e3, "t": [True, None], "s": "1: 2"})
    assert '<span class="key">&quot;k&lt;&quot;</span>' in html
    assert '<span class="value">true</span>' in html
    assert '<span class="text">&quot;1: 2&quot;</span>' in html
    assert "<'" not in html


# --- in a browser -------------------------------------------------------------------------------


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_browser_shows_the_pages_and_asks_nobody_else(
    client: Client, chromium: str, scheme: Any
) -> None:
    from playwright.async_api import async_playwright

    complaints: list[str] = []
    asked: list[str] = []
    root = str(client.make_url("/"))
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=QUIET)
        context = await browser.new_context(
            color_scheme=scheme, viewport={"width": 390, "height": 800}
        )
        page = await context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        for path in PAGES:
            await page.goto(root + path[1:])
            # Nothing sticks out of a telephone's screen.
            assert await page.evaluate("document.documentElement.scrollWidth") <= 390
        await page.goto(root + "docs/rest")
        await page.locator(".opblock-summary", has_text="/api/auth/signup").click()
        await page.locator(".opblock-body", has_text="displayName").wait_for()
        await browser.close()
    assert complaints == []
    assert [url for url in asked if not url.startswith((root, "data:"))] == []
