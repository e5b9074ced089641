// Node `ws`, as its README shows a server broadcast; the path names the room.
import WebSocket, { WebSocketServer } from 'ws';

const rooms = new Map();
const wss = new WebSocketServer({ host: '127.0.0.1', port: Number(process.argv[2]), backlog: 4096 });

wss.on('connection', function connection(ws, request) {
  const room = rooms.get(request.url) ?? new Set();
  rooms.set(request.url, room.add(ws));
  ws.on('error', console.error);
  ws.on('close', () => room.delete(ws));
  ws.on('message', function message(data, isBinary) {
    room.forEach(function each(client) {
      if (client.readyState === WebSocket.OPEN) {
        client.send(data, { binary: isBinary });
      }
    });
  });
});
