import type { Config } from "../config/schema.ts";
import type { NumberedFrame, NumberedPlace } from "../hub/hub_mirror.ts";
import type { HubRecord } from "../hub/resume/resume_state.ts";
import type { Departure, FollowStreamOptions, SharedFrame } from "../hub/shared_frame.ts";
import type { StreamPosition } from "../hub/resume/sequence.ts";
import type { CloseName } from "../protocol/close_code.ts";
import type { JsonText } from "../protocol/codec.ts";
import type { ErrorEvent } from "../protocol/error_event.ts";
import type { StatusData } from "../protocol/status_data.ts";
import type { OwnedSockets } from "../server/sockets/socket_guard.ts";
import type { Drained } from "../server/shutdown.ts";
import type { ChannelSettings } from "../values/channel_settings.ts";
import type { ValueCopy } from "../values/value.ts";
import type { ThreadFigures } from "./figures.ts";

/** The channels there are, for who asks for one or for all. */
export interface ChannelList {
  readonly status: readonly string[];
  readonly offered: readonly string[];
  readonly settings: readonly (readonly [string, ChannelSettings])[];
}

/** What a client that was let in may do. */
export interface VisitRights {
  /** Names and patterns of channels. */
  readonly reads: readonly string[];
  readonly tokenName?: string;
}

/** A request as the main thread answers it. */
export interface ForwardedRequest {
  readonly method: string;
  /** As it came: nothing is decoded. */
  readonly url: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly hasBody: boolean;
  readonly remote: Deno.Addr;
  readonly isHttp2: boolean;
}

/** What the main thread answers. */
export interface ForwardedAnswer {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Uint8Array<ArrayBuffer> | undefined;
  /** The client is let in: the thread that has its connection goes on. */
  readonly admitted?: Admitted;
}

export interface Admitted {
  readonly visit: number;
  readonly way: "socket" | "events";
  readonly rights: VisitRights;
  /** It is to go as soon as it is here, and why. */
  readonly closing?: CloseName;
  readonly trustProxy: boolean;
  readonly origins: readonly string[];
}

/** How a thread begins. */
export interface ThreadStart {
  readonly config: Config;
  /** Where it listens, with the port that all share. */
  readonly listen: Config["listen"];
  readonly hub: HubRecord;
  readonly values: readonly ValueCopy[];
  readonly channels: ChannelList;
  /** The newest mark. */
  readonly mark: number;
  /** Counted from 1: how logs call it; and how many threads there are. */
  readonly number: number;
  readonly threads: number;
  /** How its log lines are written. Absent: nobody reads them. */
  readonly logs?: { readonly journal: boolean };
  /** The thread's clock when it asked, and the main thread's when it answered. */
  readonly clocks: ClockPair;
}

/** The same moment, or nearly, on two threads' monotonic clocks. */
export interface ClockPair {
  /** Read by the thread, before. */
  readonly thread: number;
  /** Read by the main thread, after. */
  readonly main: number;
}

/** What the main thread says to one that serves clients. */
export type ToThread =
  | { readonly kind: "start"; readonly start: ThreadStart }
  | { readonly kind: "clocks"; readonly clocks: ClockPair }
  | { readonly kind: "channels"; readonly channels: ChannelList }
  | { readonly kind: "copy"; readonly copy: ValueCopy }
  | { readonly kind: "retired"; readonly channel: string }
  | { readonly kind: "broadcast"; readonly frame: NumberedFrame }
  | {
    readonly kind: "value";
    readonly channel: string;
    /** Without `data` where the text is that of the newest copy. */
    readonly status: Omit<StatusData<JsonText>, "data"> & { readonly data?: JsonText };
    readonly place: NumberedPlace;
  }
  | { readonly kind: "relay"; readonly frame: SharedFrame; readonly hadBefore: number }
  | { readonly kind: "remember"; readonly frame: SharedFrame }
  | {
    readonly kind: "follow";
    readonly position: StreamPosition;
    readonly options: FollowStreamOptions;
  }
  | { readonly kind: "leave"; readonly position: StreamPosition }
  | { readonly kind: "learn"; readonly departure: Departure }
  | { readonly kind: "mark"; readonly mark: number }
  | { readonly kind: "answer"; readonly id: number; readonly answer: ForwardedAnswer }
  | { readonly kind: "pull"; readonly id: number }
  | { readonly kind: "expel"; readonly visit: number; readonly close: CloseName }
  | { readonly kind: "rights"; readonly visit: number; readonly rights: VisitRights }
  | { readonly kind: "report"; readonly id: number }
  | { readonly kind: "renew"; readonly id: number; readonly config: Config }
  | { readonly kind: "logs"; readonly log: Config["log"] }
  | { readonly kind: "drain"; readonly drainMs: number; readonly reconnectWithinMs: number }
  | { readonly kind: "close" };

/** What a thread that serves clients says to the main thread. */
export type FromThread =
  | { readonly kind: "hello"; readonly now: number }
  | {
    readonly kind: "listening";
    readonly url: string;
    readonly port: number;
    /** Absent where the main thread cannot end its sockets. */
    readonly sockets?: OwnedSockets;
  }
  | { readonly kind: "failed"; readonly fault: ThreadFault }
  | {
    readonly kind: "request";
    readonly id: number;
    readonly request: ForwardedRequest;
    /** The first part of its body comes unasked. */
    readonly isAhead: boolean;
  }
  | {
    readonly kind: "chunk";
    readonly id: number;
    /** The next part of a body; absent at its end. */
    readonly bytes?: Uint8Array;
    /** Nothing comes behind it. */
    readonly isLast?: boolean;
    /** It broke off. */
    readonly isBroken?: true;
  }
  | { readonly kind: "left"; readonly visit: number }
  | { readonly kind: "clients"; readonly clients: number }
  | { readonly kind: "loss"; readonly event: ErrorEvent }
  | { readonly kind: "departure"; readonly departure: Departure }
  | { readonly kind: "figures"; readonly id: number; readonly figures: ThreadFigures }
  | { readonly kind: "renewed"; readonly id: number; readonly fault?: ThreadFault }
  | { readonly kind: "drained"; readonly drained: Drained }
  | { readonly kind: "closed" }
  | { readonly kind: "log"; readonly line: string }
  | { readonly kind: "mishap"; readonly why: string }
  | {
    readonly kind: "pulse";
    /** Its clock. */
    readonly now: number;
    /** How much of what the main thread sent was taken, as that weighs it. */
    readonly taken: number;
    readonly figures?: ThreadFigures;
  };

/** An error that has to reach the other thread as the kind that it is. */
export interface ThreadFault {
  readonly name: string;
  readonly message: string;
}

/** Messages that cross together. */
export interface Batch<Message> {
  readonly messages: readonly Message[];
  /** Roughly their length, in characters. */
  readonly weight: number;
}
