#ifndef SOURCES_H
#define SOURCES_H

#include <stdint.h>

#include "ledger.h"
#include "reactor.h"

/*
 * A backend for a hub that polls: JSON-RPC 2.0 over HTTP on loopback, a call alone or several in one
 * batch. The result of the method "N" is the next message of stream N. A message counts as published
 * when it was asked for.
 */
void sources_open(struct reactor *reactor, struct ledger *ledger, unsigned streams);

/* Where it listens, once it is open. */
uint16_t sources_port(void);

#endif
