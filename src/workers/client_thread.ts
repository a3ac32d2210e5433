import { Hub } from "../hub/hub.ts";
import type { Session } from "../hub/session.ts";
import { CLOSE, type CloseName } from "../protocol/close_code.ts";
import type { JsonText } from "../protocol/codec.ts";
import type { StatusData } from "../protocol/status_data.ts";
import type { Clock } from "../resilience/clock.ts";
import { withDeadline } from "../resilience/with_deadline.ts";
import type { AdmittedPlace } from "../server/door/admission.ts";
import type { Identity } from "../server/door/identity.ts";
import { readerOf } from "../server/door/rights.ts";
import type { Visitor } from "../server/door/visitors.ts";
import { crossOriginHeaders } from "../server/http/cross_origin.ts";
import { Listeners } from "../server/sockets/listeners.ts";
import { readRequestInfo } from "../server/http/request_info.ts";
import { noPlace } from "../server/http/reply.ts";
import { answerFailed } from "../server/http/answer_failed.ts";
import { clientHandlers } from "../server/http/visit_handlers.ts";
import { hubOptions } from "../server/hub_options.ts";
import { LoopLag } from "../server/reports/loop_lag.ts";
import { drain } from "../server/shutdown.ts";
import { Connections } from "../server/sockets/connections.ts";
import { PendingUpgrades } from "../server/sockets/pending_upgrades.ts";
import { Sockets } from "../server/sockets/sockets.ts";
import type { WebSocketContext } from "../server/sockets/web_socket_connection.ts";
import { startLogs } from "../telemetry/log.ts";
import { ValueStore } from "../values/value_store.ts";
import type { ValueCopy } from "../values/value.ts";
import { ClockOffset } from "./clock_offset.ts";
import { type ThreadFigures, trafficCounts } from "./figures.ts";
import type { MessageWriter } from "./message_writer.ts";
import type {
  Admitted,
  ChannelList,
  ForwardedAnswer,
  FromThread,
  ThreadStart,
  ToThread,
  VisitRights,
} from "./messages.ts";
import { MarkedClients } from "./marked_clients.ts";
import { RequestForwarder } from "./request_forwarder.ts";
import { faultOf } from "./serving_thread.ts";

/**
 * How often a thread says that it lives, in milliseconds, and each how many times what it has counted:
 * for that it looks at every client. Who asks for the figures has them made anew.
 */
const PULSE_EVERY_MS = 500;
const PULSES_A_REPORT = 6;

/** How long the listening socket gets to close, in milliseconds. */
const CLOSE_MS = 300;

/** A client that the main thread let in. */
interface Guest extends Identity {
  readonly visit: number;
  rights: VisitRights;
  session: Session | undefined;
  /** It is to go as soon as it is here. */
  closing: CloseName | undefined;
}

export interface ClientThreadOptions {
  clock: Clock;
  writer: MessageWriter<FromThread>;
}

/**
 * One thread's part of the clients of a port: their connections, and a hub that repeats what the main
 * thread's hub says. Requests are answered by the main thread.
 */
export class ClientThread {
  readonly #start: ThreadStart;
  readonly #clock: Clock;
  readonly #writer: MessageWriter<FromThread>;
  readonly #stop = new AbortController();
  readonly #offset = new ClockOffset();
  readonly #marks: MarkedClients;
  readonly #values: ValueStore;
  readonly #hub: Hub;
  readonly #sockets: Sockets;
  readonly #connections = new Connections();
  readonly #listeners: Listeners;
  readonly #forwarder: RequestForwarder;
  readonly #guests = new Map<number, Guest>();
  readonly #visits: ReturnType<typeof clientHandlers>;
  readonly #lag: LoopLag;
  #channels: ChannelList;
  #offered: ReadonlySet<string>;
  #clientsTold = 0;
  #isCounting = false;
  #taken = 0;

  constructor(start: ThreadStart, { clock, writer }: ClientThreadOptions) {
    const { config: { hub: limits }, channels, hub, threads } = start;
    this.#start = start;
    this.#clock = clock;
    this.#writer = writer;
    this.#offset.learn(start.clocks);
    this.#channels = channels;
    this.#offered = new Set(channels.offered);
    this.#forwarder = new RequestForwarder(writer);
    this.#lag = new LoopLag(clock);
    this.#values = new ValueStore({ clock });
    this.#values.configure(new Map(channels.settings));
    for (const copy of start.values) this.#adopt(copy);
    const options = hubOptions(limits);
    this.#hub = new Hub({
      clock,
      ...options,
      // All clients together may have so much: each thread has its part.
      limits: {
        ...options.limits,
        maxBufferedBytes: Math.ceil(options.limits.maxBufferedBytes / threads),
      },
      mirrored: {
        ...hub,
        history: {
          ...hub.history,
          entries: hub.history.entries.map(({ frame, at }) => ({
            frame,
            at: this.#offset.here(at),
          })),
        },
        departed: hub.departed.map((each) => ({ ...each, at: this.#offset.here(each.at) })),
      },
      values: this.#values,
      statusChannels: () => this.#channels.status,
      isOffered: (channel) => this.#offered.has(channel),
      channelsOfBackend: (backend) => this.#values.fedBy(backend),
      tellLoss: (event) => writer.post({ kind: "loss", event }),
      onDeparture: (departure) => {
        writer.post({ kind: "departure", departure });
        this.#countSoon();
      },
    });
    this.#marks = new MarkedClients(start.mark);
    this.#sockets = new Sockets({ clock, limits, backends: 0, threads });
    const { signal } = this.#stop;
    const context: WebSocketContext = {
      clock,
      hub: this.#hub,
      visitors: { enter: (transport, guest, wishes) => this.#enter(transport, guest, wishes) },
      connections: this.#connections,
      pendingUpgrades: new PendingUpgrades({ clock, signal, withinMs: limits.request_timeout }),
      sockets: this.#sockets,
      pingEveryMs: limits.ping_every,
      lingerMs: limits.stall_timeout,
    };
    this.#visits = clientHandlers({ context, sockets: this.#sockets });
    this.#listeners = new Listeners({
      clock,
      isShared: true,
      handler: this.#sockets.handler((request, info) => this.#answer(request, info)),
      onError: answerFailed,
      ...this.#sockets.listening,
    });
  }

  async listen(): Promise<void> {
    const { config, listen } = this.#start;
    this.#startLogs(config.log);
    await this.#listeners.listen({ ...config, listen });
    const { signal } = this.#stop;
    this.#sockets.run(signal);
    void this.#listeners.run(signal);
    void this.#lag.run(signal);
    void this.#pulse(signal);
    const { url } = this.#listeners;
    const port = Number(new URL(url).port);
    const { owned } = this.#sockets;
    this.#writer.post({ kind: "listening", url, port, ...(owned ? { sockets: owned } : {}) });
  }

  /** So much of what the main thread sent has been taken. */
  took(weight: number): void {
    this.#taken += weight;
  }

  /** Does what the main thread says. */
  take(message: ToThread): void {
    const { stream } = this.#hub;
    switch (message.kind) {
      case "start":
        return;
      case "clocks":
        this.#offset.learn(message.clocks);
        return;
      case "channels":
        this.#setChannels(message.channels);
        return;
      case "copy":
        this.#adopt(message.copy);
        return;
      case "retired":
        this.#values.retire(message.channel);
        return;
      case "broadcast":
        this.#hub.repeat(message.frame);
        return;
      case "value":
        this.#repeatValue(message);
        return;
      case "relay":
        stream.relay(message.frame, { hadBefore: this.#marks.ordinalOf(message.hadBefore) });
        return;
      case "remember":
        stream.remember(message.frame);
        return;
      case "follow": {
        const { heardAloneBefore } = message.options;
        stream.follow(message.position, {
          ...message.options,
          ...(heardAloneBefore === undefined
            ? {}
            : { heardAloneBefore: this.#marks.ordinalOf(heardAloneBefore) }),
        });
        return;
      }
      case "leave":
        stream.leave(message.position);
        return;
      case "learn":
        stream.learn(message.departure);
        return;
      case "mark":
        this.#marks.set(message.mark, this.#hub.stats.opened);
        return;
      case "answer":
        this.#forwarder.answer(message.id, message.answer);
        return;
      case "pull":
        void this.#forwarder.pull(message.id);
        return;
      case "expel":
        this.#expel(message.visit, message.close);
        return;
      case "rights":
        this.#changeRights(message.visit, message.rights);
        return;
      case "report":
        this.#writer.post({ kind: "figures", id: message.id, figures: this.#figures() });
        return;
      case "renew":
        void this.#renew(message);
        return;
      case "logs":
        this.#startLogs(message.log);
        return;
      case "drain":
        void this.#drain(message);
        return;
      case "close":
        void this.#close();
    }
  }

  #adopt(copy: ValueCopy): void {
    this.#values.adopt({ ...copy, began: this.#offset.moment(copy.began) });
  }

  #repeatValue({ channel, status, place }: Extract<ToThread, { kind: "value" }>): void {
    const data = status.data ?? this.#values.text(channel);
    if (data === undefined) return;
    const whole: StatusData<JsonText> = { ...status, data };
    this.#hub.repeatValue(channel, whole, place);
  }

  #setChannels(channels: ChannelList): void {
    this.#channels = channels;
    this.#offered = new Set(channels.offered);
    this.#values.configure(new Map(channels.settings));
    this.#hub.channelsChanged();
  }

  async #answer(request: Request, info: Deno.ServeHandlerInfo): Promise<Response> {
    const { remoteAddr: remote } = info;
    const { signal } = request;
    const { method, url, headers, body } = request;
    const isHttp2 = !headers.has("host") && "hostname" in remote && this.#sockets.isHttp2(remote);
    const forwarded = { method, url, headers: [...headers], hasBody: body !== null, remote };
    const answer = await this.#forwarder.ask({ ...forwarded, isHttp2 }, body);
    if (answer === undefined) return noPlace("full");
    if (answer.admitted === undefined) return responseOf(answer);
    if (signal.aborted) { // of an upgrade that nobody waits for the runtime would say nothing
      this.#writer.post({ kind: "left", visit: answer.admitted.visit });
      return noPlace("full");
    }
    return this.#open(request, info, answer.admitted);
  }

  /** Makes somebody who was let in a client. */
  #open(request: Request, connection: Deno.ServeHandlerInfo, admitted: Admitted): Response {
    const { visit, way, trustProxy, origins } = admitted;
    const guest = guestOf(admitted);
    this.#guests.set(visit, guest);
    const place: AdmittedPlace = { [Symbol.dispose]: () => this.#left(visit) };
    const info = readRequestInfo(request, connection, {
      trustProxy,
      isHttp2: (peer) => this.#sockets.isHttp2(peer),
    });
    if (info === "bad_host") { // the main thread has read it
      this.#left(visit);
      return noPlace("full");
    }
    const { openWebSocket, openEventStream } = this.#visits;
    const open = way === "socket" ? openWebSocket : openEventStream;
    const response = open({ request, info, identity: guest }, place);
    return crossOriginHeaders(response, info.headers, origins);
  }

  #enter(
    ...[transport, identity, wishes]: Parameters<WebSocketContext["visitors"]["enter"]>
  ): Visitor | undefined {
    const guest = identity as Guest;
    if (guest.closing !== undefined) {
      transport.close(CLOSE[guest.closing].code, CLOSE[guest.closing].reason);
      return undefined;
    }
    const session = this.#hub.connect(transport, { ...wishes, ...connectRights(guest.rights) });
    guest.session = session;
    this.#countSoon();
    return { session, [Symbol.dispose]: () => {} };
  }

  #left(visit: number): void {
    if (!this.#guests.delete(visit)) return;
    this.#writer.post({ kind: "left", visit });
    this.#countSoon();
  }

  #expel(visit: number, close: CloseName): void {
    const guest = this.#guests.get(visit);
    if (guest === undefined) return;
    guest.closing = close;
    if (guest.session && !guest.session.hasEnded) this.#hub.expel(guest.session, close);
    this.#countSoon();
  }

  #changeRights(visit: number, rights: VisitRights): void {
    const guest = this.#guests.get(visit);
    if (guest === undefined) return;
    guest.rights = rights;
    const { session } = guest;
    if (session && !session.hasEnded) this.#hub.changeRights(session, connectRights(rights));
  }

  /** Tells how many clients there are, once what happens just now is over. */
  #countSoon(): void {
    if (this.#isCounting) return;
    this.#isCounting = true;
    queueMicrotask(() => {
      this.#isCounting = false;
      const { size: clients } = this.#hub;
      if (clients === this.#clientsTold) return;
      this.#clientsTold = clients;
      this.#writer.post({ kind: "clients", clients });
    });
  }

  async #pulse(signal: AbortSignal): Promise<void> {
    try {
      for (let pulse = 0;; pulse++) {
        this.#countSoon();
        this.#writer.post({
          kind: "pulse",
          now: this.#clock.now(),
          taken: this.#taken,
          ...(pulse % PULSES_A_REPORT === 0 ? { figures: this.#figures() } : {}),
        });
        await this.#clock.sleep(PULSE_EVERY_MS, { signal, together: true });
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  #figures(): ThreadFigures {
    const { pending, pendingEnded, listenerLosses } = this.#sockets.figures();
    return {
      errors: this.#hub.errorMetrics(),
      backlog: this.#hub.backlog(),
      traffic: trafficCounts(this.#hub.stats),
      sockets: { pending, pendingEnded: [...pendingEnded], listenerLosses },
      lag: this.#lag.histogram.value(),
      lagMs: this.#lag.lateMs,
    };
  }

  #startLogs(log: ThreadStart["config"]["log"]): void {
    const { logs, number } = this.#start;
    if (logs === undefined) return;
    startLogs({
      ...log,
      journal: logs.journal,
      fields: { worker: number },
      write: (line) => this.#writer.post({ kind: "log", line }, line.length),
    });
  }

  async #renew({ id, config }: Extract<ToThread, { kind: "renew" }>): Promise<void> {
    try {
      await this.#listeners.renew(config);
      this.#writer.post({ kind: "renewed", id });
    } catch (error) {
      this.#writer.post({ kind: "renewed", id, fault: faultOf(error) });
    }
  }

  async #drain(options: { drainMs: number; reconnectWithinMs: number }): Promise<void> {
    const { drainMs, reconnectWithinMs } = options;
    const drained = await drain({
      clock: this.#clock,
      hub: this.#hub,
      drainMs,
      reconnectWithinMs,
      connections: this.#connections,
    });
    this.#writer.post({ kind: "drained", drained });
  }

  async #close(): Promise<void> {
    this.#stop.abort();
    this.#hub[Symbol.dispose]();
    this.#connections.abortAll();
    this.#sockets[Symbol.dispose]();
    await withDeadline(this.#clock, CLOSE_MS, () => this.#listeners.close());
    this.#writer.post({ kind: "closed" });
  }
}

function guestOf({ visit, rights, closing }: Admitted): Guest {
  return {
    visit,
    rights,
    session: undefined,
    closing,
    name: rights.tokenName ?? "anybody",
    ...readerOf(rights.reads),
    mayPublish: false,
    mayReadMetrics: false,
    credential: { kind: "none" },
  };
}

function connectRights({ reads, tokenName }: VisitRights) {
  const { mayRead, readsAll } = readerOf(reads);
  return {
    ...(readsAll ? {} : { mayRead }),
    ...(tokenName === undefined ? {} : { tokenName }),
  };
}

function responseOf({ status, headers, body }: ForwardedAnswer): Response {
  return new Response(body ?? null, {
    status,
    headers: headers.map(([name, value]): [string, string] => [name, value]),
  });
}
