#ifndef HTTP_REPLY_H
#define HTTP_REPLY_H

#include <stdbool.h>
#include <stddef.h>

struct http_reply {
  size_t size; /* with head and body */
  unsigned status;
  bool closes; /* the server takes no further request on this connection */
};

/*
 * Reads an HTTP/1.1 response of known length; false if it is not whole yet. Fails if its end cannot
 * be told.
 */
bool http_reply_read(const char *bytes, size_t length, struct http_reply *reply);

#endif
