// Drives clients that others wrote (`ws`, `socket.io-client`) for the tests, many in one process.
//
// Orders come as JSON lines on standard input, what happens goes out as JSON lines on standard
// output; both carry the name of the client they are about. What a line may say stands in `orders`
// below and in `tests/parts/node_clients.py`, its other end.
import readline from "node:readline";

import { io } from "socket.io-client";
import WebSocket from "ws";

const clients = new Map();

function tell(client, on, facts = {}) {
  process.stdout.write(JSON.stringify({ client, on, ...facts }) + "\n");
}

/** A plain WebSocket, as someone with ten lines of Node would open it. */
function openWebSocket(name, { url, protocols, headers }) {
  const socket = new WebSocket(url, protocols ?? [], { headers });
  clients.set(name, socket);
  socket.on("open", () => tell(name, "open", { protocol: socket.protocol }));
  socket.on("message", (data, isBinary) => {
    if (isBinary) tell(name, "binary", { size: data.length });
    else tell(name, "text", { text: data.toString("utf8") });
  });
  socket.on("ping", () => tell(name, "ping"));
  socket.on("unexpected-response", (request, response) => {
    const chunks = [];
    response.on("data", (chunk) => chunks.push(chunk));
    response.on("end", () => {
      const body = Buffer.concat(chunks).toString("utf8");
      tell(name, "answered", { status: response.statusCode, body });
      request.destroy();
    });
  });
  socket.on("error", (error) => tell(name, "trouble", { message: error.message }));
  socket.on("close", (code, reason) => {
    clients.delete(name);
    tell(name, "closed", { code, reason: reason.toString("utf8") });
  });
}

/** A Socket.IO connection of its own (no multiplexing), which does not come back by itself. */
function openSocketIo(name, { url, path, transports, upgrade, auth, query, headers }) {
  const socket = io(url, {
    path,
    transports,
    upgrade,
    auth,
    query,
    extraHeaders: headers,
    forceNew: true,
    reconnection: false,
    timeout: 15000,
  });
  clients.set(name, socket);
  socket.io.engine.on("upgrade", (transport) => tell(name, "upgraded", { transport: transport.name }));
  socket.on("connect", () =>
    tell(name, "connected", { id: socket.id, transport: socket.io.engine.transport.name }),
  );
  socket.on("connect_error", (error) => {
    const status = error.context?.status ?? error.context?.statusCode ?? null;
    tell(name, "refused", { message: error.message, data: error.data ?? null, status });
  });
  socket.onAny((event, ...args) => tell(name, "event", { event, args }));
  socket.on("disconnect", (reason, details) => {
    clients.delete(name);
    tell(name, "disconnected", { reason, code: details?.context?.code ?? null });
  });
}

const orders = {
  ws: openWebSocket,
  io: openSocketIo,
  text: (name, { text }) => clients.get(name)?.send(text),
  binary: (name, { base64 }) => clients.get(name)?.send(Buffer.from(base64, "base64")),
  ping: (name) => clients.get(name)?.ping(),
  pause: (name) => clients.get(name)?.pause(),
  resume: (name) => clients.get(name)?.resume(),
  close: (name, { code }) => clients.get(name)?.close(code),
  terminate: (name) => clients.get(name)?.terminate(),
  emit: (name, { event, args, call }) => {
    const socket = clients.get(name);
    if (!socket?.connected) return;
    if (call === null) socket.emit(event, ...args);
    else socket.emit(event, ...args, (...reply) => tell(name, "reply", { call, args: reply }));
  },
  disconnect: (name) => {
    const socket = clients.get(name);
    clients.delete(name);
    socket?.disconnect();
  },
  // The network going away: the connection under Socket.IO ends without a word.
  drop: (name) => {
    const engine = clients.get(name)?.io.engine;
    if (engine?.transport.ws) engine.transport.ws.terminate();
    else engine?.close();
  },
};

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const { client, order, ...facts } = JSON.parse(line);
  orders[order](client, facts);
});
process.stdin.on("end", () => process.exit(0));
tell("", "ready", { node: process.version });
