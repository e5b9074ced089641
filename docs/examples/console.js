// For a browser's console on the server's own page (http://localhost:8080).
var chat = (url) => {
  const socket = new WebSocket(url);
  socket.onmessage = ({ data }) => console.log(JSON.parse(data));
  socket.onclose = ({ code }) => console.log("closed", code);
  socket.say = (content) => socket.send(JSON.stringify({ type: "message", content, ref: Date.now() }));
  return socket;
};
