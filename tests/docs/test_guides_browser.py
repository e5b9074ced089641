"""Section 6 of the testing guide in a real browser: two windows, and what is pasted into them."""

import re
import subprocess
import sys
from contextlib import AsyncExitStack

import pytest

from tests.docs.pages import DOCS
from tests.parts.chromium import QUIET
from tests.parts.server import ServerProcess

SNIPPET = (DOCS / "examples" / "console.js").read_text(encoding="utf-8")


@pytest.fixture
def addresses(server: ServerProcess) -> list[str]:
    """Mina's and Jun's, as the demo prints them."""
    command = [sys.executable, "-m", "chat_gateway.cli.main", "demo", "--url", server.url]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return re.findall(r"^ws://\S+$", printed, re.MULTILINE)


@pytest.mark.browser
async def test_two_windows_show_what_either_says(
    server: ServerProcess, addresses: list[str], chromium: str
) -> None:
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright, AsyncExitStack() as stack:
        browser = await playwright.chromium.launch(executable_path=chromium, args=QUIET)
        stack.push_async_callback(browser.close)
        consoles = []
        for address in addresses:
            page = await (await browser.new_context()).new_page()
            await page.goto(server.url)
            # What is typed into a console may use neither eval nor a script tag: nor may this.
            console = await page.context.new_cdp_session(page)
            async with page.expect_console_message(lambda said: "joined" in said.text):
                await console.send(
                    "Runtime.evaluate", {"expression": f"{SNIPPET}\nme = chat('{address}')"}
                )
            consoles.append((page, console))
        (mina, mina_console), (jun, _) = consoles
        async with (
            mina.expect_console_message(lambda said: "type: message" in said.text),
            jun.expect_console_message(lambda said: "type: message" in said.text),
        ):
            await mina_console.send("Runtime.evaluate", {"expression": "me.say('안녕하세요')"})
        async with mina.expect_console_message(lambda said: said.text.startswith("closed")):
            await mina_console.send("Runtime.evaluate", {"expression": "me.close()"})
