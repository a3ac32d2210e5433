import type { WelcomeData } from "../protocol/message.ts";
import type { Clock } from "../resilience/clock.ts";
import { type Log, logOf } from "../telemetry/log.ts";
import type { ClientRequests } from "./client_requests.ts";
import type { Transport } from "./delivery/transport.ts";
import type { Disconnects } from "./disconnects.ts";
import type { HubStats } from "./hub_stats.ts";
import type { Registry } from "./registry.ts";
import type { History } from "./resume/history.ts";
import { type Resume, type Resumed, resumeFrom } from "./resume/resume.ts";
import type { Sequence } from "./resume/sequence.ts";
import { Session, type SessionHost } from "./session.ts";
import type { SharedStream, WelcomedAgain } from "./shared_stream.ts";
import type { ShutdownNotice } from "./shutdown_notice.ts";

export interface ConnectOptions {
  /** Channels to subscribe to. Default: all the client may read, those to come included. */
  channels?: readonly string[];
  /** Whether the client may have frames of this channel. Default: all. */
  mayRead?: (channel: string) => boolean;
  /** The client's address, for logs. */
  address?: string;
  /** How the token it came with is called, for logs. Default: it came without. */
  tokenName?: string;
  /** Put whatever waits into one text frame, as a list. Default: one frame each. */
  batch?: boolean;
  /** Put values as what changed since the client had the last one. Default: whole. */
  delta?: boolean;
  /** The earlier connection to go on from. Default: none. */
  resume?: Resume;
}

export interface ConnectsOptions {
  clock: Clock;
  host: SessionHost;
  registry: Registry;
  requests: ClientRequests;
  sequence: Sequence;
  history: History;
  disconnects: Disconnects;
  stream: SharedStream;
  shutdownNotice: ShutdownNotice;
  stats: HubStats;
  /** What the welcome promises, in milliseconds. */
  heartbeatMs: number;
}

/** What a client is told of the connection it had before. */
interface Reunion {
  readonly recovered: boolean;
  readonly gap: boolean;
  readonly resumed: Resumed | undefined;
}

/**
 * How a client comes in, or comes back: it is welcomed, gets what it missed, and the latest value of
 * each channel it wants. How it leaves is decided by `Disconnects`.
 */
export class Connects {
  readonly #options: ConnectsOptions;
  readonly #log: Log = logOf("hub");

  constructor(options: ConnectsOptions) {
    this.#options = options;
  }

  /** Takes in a client, all in one go, so that no broadcast comes between or twice. */
  connect(transport: Transport, options: ConnectOptions): Session {
    const { clock, registry, requests, sequence, history, stream, stats } = this.#options;
    const now = clock.now();
    const { channels, resume } = options;
    const resumed = resume && this.#resume(resume);
    const session = this.#sessionOf(transport, options, now);
    registry.add(session);
    stats.opened += 1;
    const refused = requests.admit(session, channels);
    const missed = resumed?.progress &&
      history.missedSince(resumed.progress, (type) => session.subscriptions.wants(type), now);
    const recovered = missed?.complete === true;
    const gap = resumed !== undefined && !recovered;
    if (recovered) stats.recovered += 1;
    else if (gap) stats.gaps += 1;
    const since = resume?.since ?? 0;
    // Until it has got what it missed, it may name no number that would hide that.
    const frames = missed?.complete ? missed.frames.filter((each) => session.mayHave(each)) : [];
    const seq = frames.length > 0 ? since : sequence.seq;
    const welcome = { ...this.#welcomeOf(session, { recovered, gap, resumed }), seq };
    const { events, errors } = recovered && resumed?.progress || { events: seq, errors: seq };
    requests.welcome(session, welcome, { refused, resumeFrom: Math.min(seq, events, errors) });
    if (missed?.complete && resumed?.progress) {
      if (frames.length > 0) session.replay(frames, resumed.progress, [since]);
      else if (events !== since || errors !== since) session.keepNamed(since);
    }
    if (resume) stream.onResumed(session, resume, { recovered });
    requests.handOverLatest(session);
    this.#options.shutdownNotice.onConnected(session);
    session.flush(now);
    this.#log.info("client.connected", {
      ...session.logFields,
      channels: session.wantsAll ? "all" : session.subscriptions.channels.join(","),
      ...(resume ? { resumed: resume.session, recovered, gap } : {}),
      clients: registry.size,
    });
    return session;
  }

  /** Welcomes a client that is connected: its numbering is another one from now on. */
  welcomeAgain(session: Session, { recovered, gap, seq }: WelcomedAgain): void {
    const { requests } = this.#options;
    const welcome = this.#welcomeOf(session, { recovered, gap, resumed: undefined });
    requests.welcome(session, { ...welcome, seq });
    requests.handOverLatest(session);
  }

  #sessionOf(transport: Transport, options: ConnectOptions, now: number): Session {
    const { host, sequence: { seq } } = this.#options;
    const { channels, mayRead, address, tokenName, batch = false, delta = false } = options;
    return new Session({
      id: crypto.randomUUID(),
      transport,
      host,
      now,
      batch,
      delta,
      wantsAll: channels === undefined,
      progress: { events: seq, errors: seq },
      ...(mayRead ? { mayRead } : {}),
      ...(address === undefined ? {} : { address }),
      ...(tokenName === undefined ? {} : { tokenName }),
    });
  }

  #resume(resume: Resume): Resumed {
    const { registry, sequence, disconnects, stream: { mayBeAheadBy } } = this.#options;
    const { session: id } = resume;
    // The earlier connection may not have been missed yet: then it is still among the clients.
    const memory = id === undefined ? undefined : disconnects.recall(id) ?? registry.get(id);
    const { forgottenUpTo } = disconnects;
    const { epoch, seq, outlivesMemory: numbersSpeak } = sequence;
    return resumeFrom(resume, { epoch, seq, memory, forgottenUpTo, numbersSpeak, mayBeAheadBy });
  }

  #welcomeOf(session: Session, { recovered, gap, resumed }: Reunion): WelcomeData {
    const { sequence: { epoch, seq }, heartbeatMs: heartbeat_ms } = this.#options;
    const previous_close = resumed?.closedWith;
    return {
      session: session.id,
      epoch,
      seq,
      channels: session.subscriptions.channels,
      heartbeat_ms,
      recovered,
      gap,
      ...(previous_close === undefined ? {} : { previous_close }),
    };
  }
}
