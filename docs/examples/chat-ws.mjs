// node chat-ws.mjs 'ws://localhost:8080/ws/chat?sessionId=…&token=…'
// Prints what the server says; every line that you type is sent as a message.
import { createInterface } from "node:readline";
import WebSocket from "ws";

const socket = new WebSocket(process.argv[2]);
socket.on("message", (data) => console.log(String(data)));
socket.on("error", (error) => console.log("refused:", error.message));
socket.on("close", (code) => {
  console.log("closed:", code);
  process.exit();
});

createInterface({ input: process.stdin }).on("line", (content) => {
  socket.send(JSON.stringify({ type: "message", content, ref: Date.now() }));
});
