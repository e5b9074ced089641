"""The Postman collection, run from top to bottom against a real server.

Its scripts set variables in two ways, which are read here as Postman would run them.
"""

import json
import re
import uuid
from typing import Any

import aiohttp

from chat_gateway.transports.rest.table import OPERATIONS
from tests.docs.pages import DOCS
from tests.parts.server import ServerProcess

COLLECTION = json.loads(
    (DOCS / "postman" / "chat-gateway.postman_collection.json").read_text(encoding="utf-8")
)
ENVIRONMENT = json.loads(
    (DOCS / "postman" / "chat-gateway.postman_environment.json").read_text(encoding="utf-8")
)
STATUS = re.compile(r'pm\.test\("(\d+)", \(\) => pm\.response\.to\.have\.status\(\1\)\);')
FROM_ANSWER = re.compile(r'pm\.environment\.set\("(\w+)", pm\.response\.json\(\)\.([\w.]+)\);')
FROM_TEXT = re.compile(r'pm\.environment\.set\("(\w+)", pm\.environment\.replaceIn\("(.*)"\)\);')


class Variables(dict[str, str]):
    """The environment; `fill` puts values where `{{names}}` stand."""

    def fill(self, text: str) -> str:
        return re.sub(r"\{\{(\$?\w+)\}\}", self._value, text)

    def _value(self, match: re.Match[str]) -> str:
        return str(uuid.uuid4()) if match[1] == "$guid" else self[match[1]]


def run_script(lines: list[str], answer: Any, status: int, variables: Variables) -> None:
    """What Postman would do after the answer."""
    for line in lines:
        if found := STATUS.fullmatch(line):
            assert status == int(found[1]), answer
        elif found := FROM_ANSWER.fullmatch(line):
            value = answer
            for name in found[2].split("."):
                value = value[name]
            variables[found[1]] = str(value)
        else:
            found = FROM_TEXT.fullmatch(line)
            assert found is not None, line
            variables[found[1]] = variables.fill(found[2])


async def test_every_request_of_the_collection_gets_the_answer_it_names(
    server: ServerProcess,
) -> None:
    variables = Variables({each["key"]: each["value"] for each in ENVIRONMENT["values"]})
    assert variables["baseUrl"] == "http://localhost:8080"
    variables |= {"baseUrl": server.url, "socketUrl": server.url.replace("http", "ws")}
    asked = set()
    async with aiohttp.ClientSession() as http:
        for item in (item for folder in COLLECTION["item"] for item in folder["item"]):
            request = item["request"]
            headers = {each["key"]: each["value"] for each in request["header"]}
            for bearer in request["auth"].get("bearer", []):
                headers["Authorization"] = f"Bearer {variables.fill(bearer['value'])}"
            body = request.get("body", {}).get("raw")
            if body is not None:
                headers["Content-Type"] = "application/json"
            async with http.request(
                request["method"],
                variables.fill(request["url"]["raw"]),
                headers=headers,
                data=variables.fill(body).encode() if body is not None else None,
            ) as response:
                is_json = "json" in response.content_type
                answer = await response.json(content_type=None) if is_json else None
                [script] = [each["script"]["exec"] for each in item["event"]]
                run_script(script, answer, response.status, variables)
            asked.add((request["method"], "/" + "/".join(request["url"]["path"])))
            if item["name"] == "Jun accepts it":
                for name in ("minaSocket", "junSocket"):
                    async with http.ws_connect(variables[name]) as socket:
                        assert (await socket.receive_json())["type"] == "ready"
                        assert (await socket.receive_json())["type"] == "joined"
    assert all(variables.values())
    known = {(each.method, re.sub(r"\{\w+\}", "*", each.url)) for each in OPERATIONS}
    for method, path in asked:
        pattern = re.sub(r"\{\{\w+\}\}|nothing-here", "*", path)
        assert (method, pattern) in known
