"""What `demo` prints: headings for the eye, and lines to paste, which nothing wraps or colours."""

from dataclasses import dataclass
from urllib.parse import urlencode

import click
from rich.console import Console


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Someone whom the demo made up."""

    name: str
    email: str
    password: str
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """Two people who share a session on the server at `url`."""

    url: str
    session_id: str
    people: tuple[Person, Person]

    def socket_url(self, person: Person) -> str:
        """The raw endpoint, as this person, in the session."""
        query = urlencode({"sessionId": self.session_id, "token": person.token})
        return f"ws{self.url.removeprefix('http')}/ws/chat?{query}"


def show(demo: Demo) -> None:
    """Print everything that a tester pastes."""
    mina, jun = demo.people
    console = Console(highlight=False)
    for heading, text in (
        (f"The page, and the docs of the protocol: {demo.url}/ and {demo.url}/docs", ""),
        (f"{mina.name}'s socket (Postman, WebSocket King, a browser)", demo.socket_url(mina)),
        (f"{jun.name}'s socket", demo.socket_url(jun)),
        ("Send this from either", '{"type":"message","content":"테스트 메시지"}'),
        (f"In a terminal as {mina.name}", f"wscat -c '{demo.socket_url(mina)}'"),
        (f"Over REST as {jun.name}", _curl(demo, jun)),
        (
            f"Socket.IO as {jun.name}: npm install socket.io-client, save as chat-io.mjs",
            _socketio(demo, jun),
        ),
        (f"Node as {mina.name}: npm install ws, save as chat-ws.mjs", _node(demo, mina)),
        ("Log in again when a token has expired (POST /api/auth/login)", _accounts(demo)),
    ):
        console.print(f"\n{heading}", style="bold", markup=False, soft_wrap=True)
        if text:
            click.echo(text)


def _curl(demo: Demo, person: Person) -> str:
    return (
        f"curl -sS '{demo.url}/api/sessions/{demo.session_id}/messages'"
        f" -H 'Authorization: Bearer {person.token}' -H 'Content-Type: application/json'"
        ' -d \'{"content":"A message over REST"}\''
    )


def _socketio(demo: Demo, person: Person) -> str:
    return f"""\
import {{ io }} from "socket.io-client";
const socket = io("{demo.url}", {{
  auth: {{ token: "{person.token}", sessionId: "{demo.session_id}" }},
}});
socket.onAny((event, data) => console.log(event, data));
socket.on("connect_error", (error) => console.log("refused", error.data ?? error.message));
socket.on("joined", async () => {{
  console.log("ack", await socket.emitWithAck("message", {{ content: "안녕하세요, Socket.IO" }}));
}});"""


def _node(demo: Demo, person: Person) -> str:
    return f"""\
import WebSocket from "ws";
const socket = new WebSocket("{demo.socket_url(person)}");
const say = (command) => socket.send(JSON.stringify(command));
socket.on("message", (data) => {{
  const event = JSON.parse(data);
  console.log(event);
  if (event.type === "joined") say({{ type: "message", content: "안녕하세요, Node", ref: 1 }});
}});
socket.on("close", (code, reason) => console.log("closed", code, String(reason)));
socket.on("error", (error) => console.log("refused", error.message));"""


def _accounts(demo: Demo) -> str:
    return "\n".join(
        f'{{"email":"{person.email}","password":"{person.password}"}}' for person in demo.people
    )
