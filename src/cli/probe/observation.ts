import { channelKind, isStatusChannel } from "../../protocol/channel.ts";
import type { Reply } from "./ask.ts";
import { AgreementJudge } from "./agreement_judge.ts";
import { BreakerJudge } from "./breaker_judge.ts";
import { type Check, CheckFaults, ok } from "./check.ts";
import { askHub, type ProbeContext } from "./context.ts";
import { ClockJudge, HeartbeatJudge, SeqJudge } from "./pace_judges.ts";
import { isKept, type PastSession } from "./resuming.ts";
import { frameFaults, isObject, type Json, welcomeFaults } from "./shapes.ts";
import { StatusJudge } from "./status_judge.ts";
import type { HeardFrame, ProbeSocket } from "./socket.ts";

/** What a sound welcome says. */
export interface Welcome {
  readonly session: string;
  readonly epoch: string;
  readonly seq: number;
  readonly channels: readonly string[];
  readonly heartbeat_ms: number;
}

/** How often `/status` and `/snapshot` are looked at, in milliseconds: a tenth of the time there is. */
const LOOK_MS = { least: 600, most: 3000 };

/** Looks at a snapshot that disagrees with the frames: a value may be on its way. */
const COMPARE_ATTEMPTS = 3;
const COMPARE_AGAIN_MS = 300;

/** Events remembered to see whether a resume replays them. */
const MAX_EVENTS = 500;

/** Everything that is judged by listening to one connection for a while. */
export class Observation {
  readonly #context: ProbeContext;
  #welcome: Welcome;
  readonly #frames = new CheckFaults();
  readonly #status = new StatusJudge();
  readonly #clock = new ClockJudge();
  readonly #agreement = new AgreementJudge();
  readonly #breaker = new BreakerJudge();
  readonly #seq: SeqJudge;
  readonly #heartbeat: HeartbeatJudge;
  readonly #types = new Map<string, number>();
  #events: number[] = [];
  #isCut = false;
  #lastStatus: Reply = { ok: false, why: "was not asked for" };

  /** @param startedAt When the welcome came, in monotonic milliseconds. */
  constructor(context: ProbeContext, welcome: Welcome, startedAt: number) {
    this.#context = context;
    this.#welcome = welcome;
    this.#seq = new SeqJudge(welcome.seq);
    this.#heartbeat = new HeartbeatJudge(welcome.heartbeat_ms, startedAt);
  }

  /** Takes every frame of the connection. */
  note(heard: HeardFrame): void {
    const { type, seq } = heard.frame;
    this.#types.set(type, (this.#types.get(type) ?? 0) + 1);
    for (const fault of frameFaults(heard.frame)) this.#frames.add(fault);
    this.#clock.note(heard);
    if (type === "welcome") this.#startOver(heard.frame["data"]);
    this.#seq.note(heard);
    this.#breaker.note(heard);
    if (type === "heartbeat") this.#heartbeat.note(heard.at);
    if (isStatusChannel(type) && channelKind(type) === "status") {
      this.#status.note(heard);
      this.#agreement.note(heard);
    }
    if (isKept(heard)) {
      this.#events.push(Number(seq));
      if (this.#events.length > MAX_EVENTS) {
        this.#events.shift();
        this.#isCut = true;
      }
    }
  }

  /** Takes what was no frame. */
  noteRubbish(what: string): void {
    this.#frames.add(`not a JSON object with a type: ${what}`);
  }

  /** Looks at `/status` and `/snapshot` every now and then until the time is over. */
  async watch(socket: ProbeSocket, untilMs: number): Promise<void> {
    const { clock, signal } = this.#context;
    const leftMs = () => untilMs - clock.now();
    const everyMs = Math.min(LOOK_MS.most, Math.max(LOOK_MS.least, leftMs() / 10));
    do {
      await this.#look();
      await socket.stay(Math.max(0, Math.min(everyMs, leftMs())));
    } while (leftMs() > 0 && !signal.aborted && socket.isOpen);
    await this.#look();
  }

  /** The verdicts, in the order they are told. */
  verdicts(): Check[] {
    const types = [...this.#types].map(([type, count]) => `${count} ${type}`).join(", ");
    const hears = this.#welcome.channels.includes("heartbeat");
    return [
      hears ? this.#heartbeat.verdict(this.#context.clock.now()) : {
        name: "heartbeat",
        verdict: "skip",
        seen: "this client is not given heartbeats",
      },
      this.#frames.verdict("frames", ok("frames", types)),
      this.#seq.verdict(),
      this.#status.verdict(),
      this.#clock.verdict(),
      this.#agreement.verdict(),
      this.#breaker.verdict(),
    ];
  }

  /** The last answer of `/status`. */
  get statusReply(): Reply {
    return this.#lastStatus;
  }

  /** What a resume can be tried with. */
  get past(): PastSession {
    const { session, epoch, seq } = this.#welcome;
    return {
      session,
      epoch,
      startSeq: seq,
      lastSeq: this.#seq.highest,
      events: this.#events,
      isCut: this.#isCut,
    };
  }

  /** The hub welcomes again, on the same connection: another numbering begins. */
  #startOver(data: unknown): void {
    if (welcomeFaults(data).length > 0) return this.#frames.add("a second welcome that is none");
    this.#welcome = data as Welcome;
    this.#seq.restart(this.#welcome.seq);
    this.#events = [];
    this.#isCut = false;
  }

  async #look(): Promise<void> {
    const { clock, signal } = this.#context;
    if (signal.aborted) return;
    const askedAt = clock.now();
    this.#lastStatus = await askHub(this.#context, "/status");
    const answeredAt = clock.now();
    if (this.#lastStatus.ok && isObject(this.#lastStatus.body)) {
      const { backends, sources } = this.#lastStatus.body;
      if (isObject(backends) && isObject(sources)) {
        this.#breaker.look({ askedAt, answeredAt, backends, sources });
      }
    }
    await this.#compare();
  }

  async #compare(): Promise<void> {
    const { clock, signal } = this.#context;
    let disagreements: string[] = [];
    for (let attempt = 1; attempt <= COMPARE_ATTEMPTS && !signal.aborted; attempt++) {
      const askedAt = clock.now();
      const reply = await askHub(this.#context, "/snapshot");
      if (!reply.ok || reply.status !== 200 || !isObject(reply.body)) return;
      this.#noteSnapshot(reply.body, askedAt);
      // The frame of a value that changed just now may still be on its way.
      await clock.sleep(COMPARE_AGAIN_MS / attempt, { signal }).catch(() => {});
      disagreements = this.#agreement.disagreements(reply.body, askedAt);
      if (disagreements.length === 0) return;
    }
    if (!signal.aborted) this.#agreement.blame(disagreements);
  }

  #noteSnapshot(snapshot: Json, askedAt: number): void {
    const when = { earliest: askedAt, latest: this.#context.clock.now() };
    for (const [channel, value] of Object.entries(snapshot)) {
      if (isObject(value)) this.#breaker.noteStatus(channel, value, when);
    }
  }
}
