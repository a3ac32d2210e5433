#ifndef SOURCES_H
#define SOURCES_H

#include <stdint.h>

#include "ledger.h"
#include "reactor.h"

/*
 * A backend for a hub that polls: an HTTP server on loopback whose answer to `GET …/N` is the next
 * message of stream N. A message counts as published when it was asked for.
 */
void sources_open(struct reactor *reactor, struct ledger *ledger, unsigned streams);

/* Where it listens, once it is open. */
uint16_t sources_port(void);

#endif
