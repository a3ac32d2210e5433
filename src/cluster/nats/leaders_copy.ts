/** As much of a consumer as is looked at. */
export interface PlacedConsumer {
  info(cached: true): Promise<{ readonly cluster?: { readonly leader?: string } }>;
  delete(): Promise<boolean>;
}

/**
 * Consumers that are made until one is where it should be: NATS places each on any of the servers that
 * keep the stream. Of three so many all miss in 1 of 130 cases; then the last one has to do.
 */
export const MAX_PLACED = 12;

/**
 * Makes consumers until one reads the copy of this server. Publications are acknowledged by the server
 * that leads the stream, so its copy is the one that tells what became of them, should copies differ.
 *
 * @param leader Name of the server that leads the stream. Undefined: any copy will do.
 */
export async function readingCopyOf<C extends PlacedConsumer>(
  leader: string | undefined,
  make: () => Promise<C>,
): Promise<C> {
  for (let made = 1;; made++) {
    const consumer = await make();
    if (leader === undefined || made >= MAX_PLACED) return consumer;
    const { cluster } = await consumer.info(true);
    if (cluster?.leader === leader) return consumer;
    // Not waited for: the server forgets it by itself, only later.
    void consumer.delete().catch(() => {});
  }
}
