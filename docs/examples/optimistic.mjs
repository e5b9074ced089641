// node optimistic.mjs 'ws://localhost:8080/ws/chat?sessionId=…&token=…'
// A message is shown when it is sent, and confirmed when it comes back. Sent again, it stays one.
import { randomUUID } from "node:crypto";
import WebSocket from "ws";

const socket = new WebSocket(process.argv[2]);
const bubbles = new Map(); // clientMessageId to what the screen shows
const message = { type: "message", content: "안녕하세요", clientMessageId: randomUUID() };

function show(state) {
  bubbles.set(message.clientMessageId, state);
  console.log(message.content, "|", state);
}

socket.on("message", (data) => {
  const event = JSON.parse(data);
  if (event.type === "joined") {
    show("sending");
    socket.send(JSON.stringify({ ...message, ref: "first" }));
  }
  if (event.type === "message" && bubbles.has(event.clientMessageId)) {
    show(`sent as ${event.seq}`);
    socket.send(JSON.stringify({ ...message, ref: "again" })); // as after a lost ack
  }
  if (event.type === "ack" && event.ref === "again") {
    console.log("sent again | duplicate", event.duplicate, "| still", event.seq);
    socket.close();
  }
  if (event.type === "error") show(`failed: ${event.code}`);
});
