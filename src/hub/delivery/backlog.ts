/** What waits for clients. */
export interface Backlog {
  /** Clients for which something waits. */
  readonly clients: number;
  readonly frames: number;
  /** Their length in characters, which is bytes as most of the wire is ASCII. */
  readonly bytes: number;
  /** Bytes handed to transports that the operating system has not taken yet, of all clients. */
  readonly bufferedBytes: number;
}

/** A client, as far as frames wait for it. */
export interface Backlogged {
  readonly isBlocked: boolean;
  readonly waitingFrames: number;
  readonly waitingBytes: number;
  readonly bufferedBytes: number;
}

/** What waits for all these clients together, as it stands; looks at each. */
export function backlogOf(sessions: Iterable<Backlogged>): Backlog {
  const backlog = { clients: 0, frames: 0, bytes: 0, bufferedBytes: 0 };
  for (const session of sessions) {
    backlog.bufferedBytes += session.bufferedBytes;
    if (!session.isBlocked) continue;
    backlog.clients += 1;
    backlog.frames += session.waitingFrames;
    backlog.bytes += session.waitingBytes;
  }
  return backlog;
}
