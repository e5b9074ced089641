// node open-screen.mjs http://localhost:8080 EMAIL PASSWORD
// What an app does when its chat screen opens: log in, ask for its session, connect. Nobody presses
// a button to connect.
import WebSocket from "ws";

const [url, email, password] = process.argv.slice(2);

async function ask(method, path, { token, body } = {}) {
  const headers = { "Content-Type": "application/json" };
  if (token) headers.Authorization = `Bearer ${token}`;
  const response = await fetch(url + path, { method, headers, body: JSON.stringify(body) });
  const answer = await response.json();
  if (!response.ok) throw new Error(`${response.status} ${answer.code}: ${answer.detail}`);
  return answer;
}

const { token } = await ask("POST", "/api/auth/login", { body: { email, password } });
const session = await ask("PUT", "/api/me/session", { token });
console.log("session", session.id);

const query = new URLSearchParams({ sessionId: session.id, token, lastSeq: 0 });
const socket = new WebSocket(`${url.replace("http", "ws")}/ws/chat?${query}`);
socket.on("message", (data) => console.log(String(data)));
socket.on("close", (code) => console.log("closed:", code));
