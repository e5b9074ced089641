/* WebSocket (RFC 6455) from the client's side: handshake, frames in, masked frames out. */
#define _GNU_SOURCE
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRAME_MAX 16384

static uint32_t mask_seed = 0x9e3779b9u;

static uint32_t next_mask(void) {
  mask_seed ^= mask_seed << 13;
  mask_seed ^= mask_seed >> 17;
  mask_seed ^= mask_seed << 5;
  return mask_seed;
}

void websocket_upgrade(struct connection *c) {
  char request[16384];
  int size = snprintf(request, sizeof request,
                      "GET %s HTTP/1.1\r\nHost: %s:%d\r\nUpgrade: websocket\r\n"
                      "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                      "Sec-WebSocket-Version: 13\r\n\r\n",
                      c->path, server_host, server_port);
  net_send(c, request, (size_t)size);
}

static void send_frame(struct connection *c, int opcode, const char *payload, size_t size) {
  uint8_t frame[FRAME_MAX + 8];
  size_t head = 2;
  frame[0] = (uint8_t)(0x80 | opcode);
  if (size > FRAME_MAX) abort();
  if (size < 126) {
    frame[1] = (uint8_t)(0x80 | size);
  } else {
    frame[1] = 0x80 | 126;
    frame[2] = (uint8_t)(size >> 8);
    frame[3] = (uint8_t)size;
    head = 4;
  }
  uint32_t mask = next_mask();
  memcpy(frame + head, &mask, 4);
  for (size_t i = 0; i < size; i++)
    frame[head + 4 + i] = (uint8_t)payload[i] ^ ((uint8_t *)&mask)[i & 3];
  net_send(c, frame, head + 4 + size);
}

void websocket_text(struct connection *c, const char *text, size_t size) {
  send_frame(c, 1, text, size);
}

static int contains(const uint8_t *data, size_t size, const char *text) {
  return memmem(data, size, text, strlen(text)) != NULL;
}

/* Whether a text is a ping, alone or joined by a newline to other texts. */
static int is_ping(struct connection *c, const uint8_t *data, size_t size) {
  size_t length = strlen(c->wire->ping);
  if (!length || size < length) return 0;
  if (!memcmp(data, c->wire->ping, length) && (size == length || data[length] == '\n')) return 1;
  return size > length && data[size - length - 1] == '\n' &&
         !memcmp(data + size - length, c->wire->ping, length);
}

static void greet(struct connection *c) {
  if (*c->hello) websocket_text(c, c->hello, strlen(c->hello));
  c->state = GREETING;
  if (!*c->wire->ready) connection_ready(c);
}

static void text(struct connection *c, const uint8_t *data, size_t size, uint64_t at_ns) {
  if (is_ping(c, data, size)) websocket_text(c, c->wire->pong, strlen(c->wire->pong));
  if (c->state == FIRST) {
    if (contains(data, size, c->wire->first)) greet(c);
  } else if (c->state == GREETING) {
    if (contains(data, size, c->wire->ready))
      connection_ready(c);
    else if (contains(data, size, "error") && !first_failure[0])
      snprintf(first_failure, sizeof first_failure, "%.*s", (int)size, (const char *)data);
  }
  tally_payload(c, data, size, at_ns);
}

static void frame(struct connection *c, int opcode, uint8_t *data, size_t size, uint64_t at_ns) {
  if (opcode <= 2) {
    text(c, data, size, at_ns);
  } else if (opcode == 8) {
    c->close_code = size >= 2 ? data[0] << 8 | data[1] : 1005;
    char why[32];
    snprintf(why, sizeof why, "closed with %d", c->close_code);
    net_end(c, why);
  } else if (opcode == 9) {
    send_frame(c, 10, (char *)data, size);
  }
}

static size_t take_handshake(struct connection *c, const uint8_t *data, size_t size) {
  const uint8_t *end = memmem(data, size, "\r\n\r\n", 4);
  if (!end) return 0;
  if (size < 12 || memcmp(data + 9, "101", 3)) {
    if (!first_failure[0])
      snprintf(first_failure, sizeof first_failure, "%.*s", (int)size, (const char *)data);
    net_end(c, "handshake refused");
    return size;
  }
  if (*c->wire->first)
    c->state = FIRST;
  else
    greet(c);
  return (size_t)(end + 4 - data);
}

/* Take the whole frames at the start of the data; returns how many bytes they were. */
size_t websocket_take(struct connection *c, uint8_t *data, size_t size, uint64_t at_ns) {
  size_t at = 0;
  if (c->state == UPGRADING) {
    at = take_handshake(c, data, size);
    if (!at) return 0;
  }
  while (c->state != ENDED && size - at >= 2) {
    uint64_t length = data[at + 1] & 0x7f;
    size_t head = 2;
    if (length == 126) {
      if (size - at < 4) break;
      length = (uint64_t)data[at + 2] << 8 | data[at + 3];
      head = 4;
    } else if (length == 127) {
      if (size - at < 10) break;
      length = 0;
      for (int i = 0; i < 8; i++) length = length << 8 | data[at + 2 + (size_t)i];
      head = 10;
    }
    if (size - at < head + length) break;
    frame(c, data[at] & 0x0f, data + at + head, length, at_ns);
    at += head + length;
  }
  return c->state == ENDED ? size : at;
}
