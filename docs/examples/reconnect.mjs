// node reconnect.mjs 'ws://localhost:8080/ws/chat?sessionId=…&token=…'
// Comes back by itself after any loss of the network, and misses nothing: lastSeq says what it has.
import WebSocket from "ws";

const url = process.argv[2];
let lastSeq = null;
let waitMs = 250;

function connect() {
  const socket = new WebSocket(lastSeq === null ? url : `${url}&lastSeq=${lastSeq}`);
  let askedMs = 0;
  socket.on("message", (data) => {
    const event = JSON.parse(data);
    if (event.type === "ready") waitMs = 250;
    if (event.type === "joined") lastSeq ??= event.seq;
    if (event.type === "error") askedMs = event.retryAfterMs ?? 0;
    if (event.senderId) lastSeq = event.seq; // every event of the log has a sender
    console.log(event.type, event.seq ?? "", event.content ?? event.code ?? "");
  });
  socket.on("error", () => {}); // "close" follows, with 1006 where nobody answered
  socket.on("close", (code) => {
    if (code >= 4500) return console.log("closed for good:", code);
    // 4001 says that the token has expired: an app gets a new one before it connects again.
    console.log("connection lost:", code);
    setTimeout(connect, Math.max(askedMs, waitMs));
    waitMs = Math.min(waitMs * 2, 10_000);
  });
}

connect();
