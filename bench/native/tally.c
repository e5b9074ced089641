/* Marks out, marks in: what was delivered, how late, and whether once and in order. */
#define _GNU_SOURCE
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tally tally;
uint64_t expected_each;

static int8_t digit[256];

static void learn_digits(void) {
  memset(digit, -1, sizeof digit);
  for (int i = 0; i < 16; i++) digit[(uint8_t)"0123456789abcdef"[i]] = (int8_t)i;
}

static int read_hex(const uint8_t *text, int length, uint64_t *value) {
  *value = 0;
  for (int i = 0; i < length; i++) {
    if (digit[text[i]] < 0) return 0;
    *value = *value << 4 | (uint64_t)digit[text[i]];
  }
  return 1;
}

static void write_hex(char *text, int length, uint64_t value) {
  for (int i = length - 1; i >= 0; i--, value >>= 4) text[i] = "0123456789abcdef"[value & 15];
}

/* 32 steps an octave: an error of 3 % at most. */
static int bucket(uint64_t ns) {
  if (ns < 32) return (int)ns;
  int octave = 63 - __builtin_clzll(ns);
  return (octave - 4) * 32 + (int)(ns >> (octave - 5)) - 32;
}

static uint64_t bucket_start(int index) {
  if (index < 32) return (uint64_t)index;
  int octave = index / 32 + 4;
  return ((uint64_t)(index % 32) + 32) << (octave - 5);
}

static void next_post(struct room *room, struct sender *sender, uint32_t number) {
  uint16_t *left = &sender->left[number % UNDER_WAY_MAX];
  if (!*left || --*left) return;
  tally.completed++;
  room->under_way--;
}

static void mark(struct connection *c, uint64_t session, uint64_t slot, uint32_t number,
                 uint64_t posted_ns, uint64_t at_ns) {
  tally.delivered++;
  if (session != (uint64_t)c->session || slot >= (uint64_t)slots) {
    tally.misrouted++;
    return;
  }
  c->received++;
  if (expected_each && c->received == expected_each) {
    c->done_ns = at_ns;
    done_count++;
  }
  uint32_t *expected = &c->expected[slot], *missing = &c->missing[slot];
  if (number < *expected) {
    if (!*missing) {
      tally.duplicated++;
      return;
    }
    --*missing;
    tally.reordered++;
  } else {
    *missing += number - *expected;
    *expected = number + 1;
  }
  c->order = (c->order ^ (slot << 32 | number)) * 0x100000001b3u;
  if (c->stalled) return;
  tally.histogram[bucket(at_ns > posted_ns ? at_ns - posted_ns : 0)]++;
  next_post(&rooms[session], &rooms[session].sender[slot], number);
}

/* Find the marks in what a connection got. */
void tally_payload(struct connection *c, const uint8_t *data, size_t size, uint64_t at_ns) {
  const uint8_t *end = data + size;
  while ((data = memmem(data, (size_t)(end - data), MARK_START, 2))) {
    data += 2;
    if (end - data < MARK_DIGITS) return;
    uint64_t session, slot, number, posted_ns;
    if (read_hex(data, 4, &session) && read_hex(data + 4, 4, &slot) &&
        read_hex(data + 8, 8, &number) && read_hex(data + 16, 16, &posted_ns))
      mark(c, session, slot, (uint32_t)number, posted_ns, at_ns);
  }
}

/* The next member of the room posts a message, if it has not too many under way. */
void tally_post(struct room *room, int session) {
  int slot = room->turn++ % room->senders;
  struct sender *sender = &room->sender[slot];
  struct connection *c = sender->connection;
  if (c->state != READY || c->stalled || sender->left[sender->next % UNDER_WAY_MAX]) return;
  char text[8192];
  size_t before = strlen(c->before), after = strlen(c->after);
  if (before + MARK_SIZE + after > sizeof text) abort();
  memcpy(text, c->before, before);
  char *at = text + before;
  memcpy(at, MARK_START, 2);
  write_hex(at + 2, 4, (uint64_t)session);
  write_hex(at + 6, 4, (uint64_t)slot);
  write_hex(at + 10, 8, sender->next);
  write_hex(at + 18, 16, now_ns());
  memcpy(at + MARK_SIZE, c->after, after);
  sender->left[sender->next++ % UNDER_WAY_MAX] = (uint16_t)room->members;
  room->under_way++;
  tally.posted++;
  websocket_text(c, text, before + MARK_SIZE + after);
}

void tally_reset(void) {
  learn_digits();
  memset(&tally, 0, sizeof tally);
}

/* Deliveries that never came, of all that was posted so far. */
uint64_t tally_lost(void) {
  uint64_t lost = 0;
  for (int i = 0; i < connection_count; i++) {
    struct connection *c = &connections[i];
    if (c->stalled) continue;
    for (int s = 0; s < slots; s++) {
      uint32_t next = rooms[c->session].sender[s].next;
      lost += c->missing[s] + (next > c->expected[s] ? next - c->expected[s] : 0);
    }
  }
  return lost;
}

/* Members that got everything, and saw another order than the first such member of their room. */
uint64_t tally_disagreeing(void) {
  uint64_t count = 0;
  uint64_t *order = calloc((size_t)room_count, sizeof *order);
  for (int i = 0; i < connection_count; i++) {
    struct connection *c = &connections[i];
    int whole = !c->stalled && c->received;
    for (int s = 0; whole && s < slots; s++)
      whole = !c->missing[s] && c->expected[s] >= rooms[c->session].sender[s].next;
    if (!whole) continue;
    if (!order[c->session]) order[c->session] = c->order;
    if (order[c->session] != c->order) count++;
  }
  free(order);
  return count;
}

/* [[nanoseconds from, count], …] of the buckets that are not empty. */
void tally_print_histogram(const uint64_t *histogram) {
  putchar('[');
  const char *comma = "";
  for (int i = 0; i < HISTOGRAM_SIZE; i++) {
    if (!histogram[i]) continue;
    printf("%s[%llu,%llu]", comma, (unsigned long long)bucket_start(i),
           (unsigned long long)histogram[i]);
    comma = ",";
  }
  putchar(']');
}
