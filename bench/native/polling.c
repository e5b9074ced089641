/* Engine.IO by long polling: one request after the other on one kept-alive connection. */
#define _GNU_SOURCE
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEPARATOR 0x1e

static void get(struct connection *c) {
  char request[4096];
  int size = snprintf(request, sizeof request, "GET %s%s%s HTTP/1.1\r\nHost: %s:%d\r\n\r\n", c->path,
                      c->sid ? "&sid=" : "", c->sid ? c->sid : "", server_host, server_port);
  net_send(c, request, (size_t)size);
}

static void post(struct connection *c, const char *body) {
  char request[16384];
  int size = snprintf(request, sizeof request,
                      "POST %s&sid=%s HTTP/1.1\r\nHost: %s:%d\r\n"
                      "Content-Type: text/plain;charset=UTF-8\r\nContent-Length: %zu\r\n\r\n%s",
                      c->path, c->sid, server_host, server_port, strlen(body), body);
  net_send(c, request, (size_t)size);
}

void polling_begin(struct connection *c) {
  c->polling = OPENING;
  get(c);
}

static int has_ping(const uint8_t *body, size_t size) {
  for (size_t at = 0; at < size;) {
    const uint8_t *end = memchr(body + at, SEPARATOR, size - at);
    size_t length = end ? (size_t)(end - body) - at : size - at;
    if (length == 1 && body[at] == '2') return 1;
    at += length + 1;
  }
  return 0;
}

static void answered(struct connection *c, const uint8_t *body, size_t size, uint64_t at_ns) {
  if (c->polling == OPENING) {
    const char *sid = memmem(body, size, "\"sid\":\"", 7);
    if (!sid) {
      net_end(c, "no sid");
      return;
    }
    c->sid = strndup(sid + 7, strcspn(sid + 7, "\""));
    c->state = GREETING;
    c->polling = SAYING_HELLO;
    post(c, c->hello);
    return;
  }
  if (c->polling == POLLING) {
    if (c->state == GREETING && memmem(body, size, c->wire->ready, strlen(c->wire->ready)))
      connection_ready(c);
    tally_payload(c, body, size, at_ns);
    if (has_ping(body, size)) {
      c->polling = PONGING;
      post(c, "3");
      return;
    }
  }
  c->polling = POLLING;
  get(c);
}

/* Take the whole responses at the start of the data; returns how many bytes they were. */
size_t polling_take(struct connection *c, uint8_t *data, size_t size, uint64_t at_ns) {
  size_t at = 0;
  while (c->state != ENDED) {
    const uint8_t *end = memmem(data + at, size - at, "\r\n\r\n", 4);
    if (!end) break;
    size_t head = (size_t)(end + 4 - data) - at;
    if (memcmp(data + at + 9, "200", 3)) {
      if (!first_failure[0])
        snprintf(first_failure, sizeof first_failure, "%.*s", (int)(size - at), (char *)data + at);
      net_end(c, "a poll was refused");
      return size;
    }
    uint8_t kept = data[at + head - 1];
    data[at + head - 1] = 0;
    const char *length_text = strcasestr((char *)data + at, "\r\nContent-Length:");
    data[at + head - 1] = kept;
    size_t length = length_text ? strtoul(length_text + 17, NULL, 10) : 0;
    if (size - at < head + length) break;
    answered(c, data + at + head, length, at_ns);
    at += head + length;
  }
  return c->state == ENDED ? size : at;
}
