// node chat-io.mjs 'ws://localhost:8080/ws/chat?sessionId=…&token=…'
// The same with Socket.IO, from the same line: it holds the address, the session and the token.
import { createInterface } from "node:readline";
import { io } from "socket.io-client";

const { host, searchParams } = new URL(process.argv[2]);
const auth = { token: searchParams.get("token"), sessionId: searchParams.get("sessionId") };
const socket = io(`http://${host}`, { auth });

socket.onAny((event, data) => console.log(event, JSON.stringify(data)));
socket.on("connect_error", (error) => console.log("refused:", error.data?.code ?? error.message));
socket.on("disconnect", (reason) => console.log("disconnected:", reason));

createInterface({ input: process.stdin }).on("line", async (content) => {
  console.log("ack", JSON.stringify(await socket.emitWithAck("message", { content })));
});
