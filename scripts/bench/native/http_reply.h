#ifndef HTTP_REPLY_H
#define HTTP_REPLY_H

#include <stddef.h>

/*
 * Reads an HTTP/1.1 response of known length. Returns its size and puts its status into `status`; 0
 * if it is not whole yet. Fails if its end cannot be told.
 */
size_t http_reply_size(const char *bytes, size_t length, unsigned *status);

#endif
