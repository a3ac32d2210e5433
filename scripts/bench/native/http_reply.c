#include "http_reply.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fail.h"

enum { NO_CONTENT = 204 };

/* The value of a header, or NULL. `head` ends with a zero. */
static const char *header(const char *head, const char *name) {
  const size_t length = strlen(name);
  for (const char *line = strstr(head, "\r\n"); line != NULL; line = strstr(line + 2, "\r\n")) {
    if (strncasecmp(line + 2, name, length) == 0 && line[2 + length] == ':') {
      return line + 2 + length + 1;
    }
  }
  return NULL;
}

bool http_reply_read(const char *bytes, size_t length, struct http_reply *reply) {
  const char *blank = memmem(bytes, length, "\r\n\r\n", 4);
  if (blank == NULL) return false;
  const size_t head_bytes = (size_t)(blank - bytes) + 4;
  char head[4096];
  if (head_bytes >= sizeof head || strncmp(bytes, "HTTP/1.1 ", 9) != 0) {
    fail("a publication got no HTTP/1.1 answer: %.*s", (int)(length > 200 ? 200 : length), bytes);
  }
  memcpy(head, bytes, head_bytes);
  head[head_bytes] = '\0';
  const unsigned status = (unsigned)strtoul(head + 9, NULL, 10);
  const char *body = header(head, "content-length");
  if (body == NULL && status != NO_CONTENT) {
    fail("the answer to a publication does not tell its length:\n%s", head);
  }
  const size_t size = head_bytes + (body == NULL ? 0 : strtoul(body, NULL, 10));
  const char *connection = header(head, "connection");
  *reply = (struct http_reply){
      .size = size,
      .status = status,
      .closes = connection != NULL && strncasecmp(connection + strspn(connection, " "), "close", 5) == 0,
  };
  return length >= size;
}
