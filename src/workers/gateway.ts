// @ts-types="../std_types/status.d.ts"
import { STATUS_CODE } from "@std/http/status";
import type { CloseName } from "../protocol/close_code.ts";
import type { AdmittedPlace } from "../server/door/admission.ts";
import type { Authenticator } from "../server/door/authenticator.ts";
import type { Expiries } from "../server/door/expiry.ts";
import type { Identity } from "../server/door/identity.ts";
import { type Served, type Visitor, Visitors } from "../server/door/visitors.ts";
import type { Visit } from "../server/http/routes.ts";
import type {
  Admitted,
  ForwardedAnswer,
  ForwardedRequest,
  FromThread,
  VisitRights,
} from "./messages.ts";
import type { ServingThread } from "./serving_thread.ts";

export interface GatewayOptions {
  authenticator: () => Authenticator;
  expiries: Expiries;
  /** What an admitted client's thread has to know of the rules. */
  rules: () => Pick<Admitted, "trustProxy" | "origins">;
  handler: () => Deno.ServeHandler;
}

/** A client that a thread serves, as far as the main thread knows it. */
class ThreadClient implements Served {
  hasEnded = false;
  rights: VisitRights = { reads: [] };
  /** Why it is to go, if it is. */
  closing: CloseName | undefined;
  readonly thread: ServingThread;
  readonly visit: number;

  constructor(thread: ServingThread, visit: number) {
    this.thread = thread;
    this.visit = visit;
  }

  /** It may not come in after all. */
  close(): void {
    this.expel("revoked");
  }

  expel(close: CloseName): void {
    this.closing = close;
    this.thread.post({ kind: "expel", visit: this.visit, close });
  }

  changeRights(rights: VisitRights): void {
    this.rights = rights;
    this.thread.post({ kind: "rights", visit: this.visit, rights });
  }
}

interface Inside {
  readonly thread: ServingThread;
  readonly place: AdmittedPlace;
  readonly client: ThreadClient;
  readonly visitor: Visitor<ThreadClient> | undefined;
}

type Way = Admitted["way"];

type MessageOf<Kind> = Extract<FromThread, { kind: Kind }>;

/** A body that a thread sends part by part. */
interface ForwardedBody {
  readonly controller: ReadableStreamDefaultController<Uint8Array>;
  /** A part is on its way without having been asked for. */
  isExpected: boolean;
}

/**
 * Requests that came to a thread, answered here: so that every answer is the same, and every limit
 * one of the whole process. Who is let in is known here for as long as the thread has the connection.
 */
export class Gateway {
  readonly #options: GatewayOptions;
  readonly #visitors: Visitors<ThreadClient, ThreadClient>;
  readonly #inside = new Map<number, Inside>();
  /** From whom the requests come that are answered just now. */
  readonly #origins = new WeakMap<Request, ServingThread>();
  readonly #admitted = new WeakMap<Request, { client: ThreadClient; way: Way }>();
  /** Peers with requests by HTTP/2 that are answered just now. */
  readonly #http2 = new Map<string, number>();
  readonly #bodies = new Map<string, ForwardedBody>();
  #visits = 0;

  constructor(options: GatewayOptions) {
    this.#options = options;
    const { authenticator, expiries } = options;
    this.#visitors = new Visitors<ThreadClient, ThreadClient>({
      hub: {
        connect: (client, _wishes, identity) => {
          client.rights = rightsOf(identity);
          return client;
        },
        expel: (client, close) => client.expel(close),
        changeRights: (client, _rights, identity) => {
          client.changeRights(rightsOf(identity));
          return true;
        },
      },
      authenticator,
      expiries,
    });
  }

  /** What is done for those who become clients. */
  readonly visits = {
    openWebSocket: (visit: Visit, place: AdmittedPlace): Response =>
      this.#admit(visit, place, "socket"),
    openEventStream: (visit: Visit, place: AdmittedPlace): Response =>
      this.#admit(visit, place, "events"),
  };

  isHttp2({ hostname, port }: { readonly hostname: string; readonly port: number }): boolean {
    return this.#http2.has(`${hostname}:${port}`);
  }

  rulesChanged(): void {
    this.#visitors.rulesChanged();
  }

  /** Answers a request that came to a thread. */
  async answer(thread: ServingThread, asked: MessageOf<"request">): Promise<void> {
    const { id, request: forwarded, isAhead } = asked;
    const { remote, isHttp2 } = forwarded;
    const body = `${thread.number}/${id}`;
    const request = requestOf(forwarded, () => this.#bodyOf(thread, body, { id, isAhead }));
    const peer = "hostname" in remote ? `${remote.hostname}:${remote.port}` : "local";
    if (isHttp2) this.#http2.set(peer, (this.#http2.get(peer) ?? 0) + 1);
    this.#origins.set(request, thread);
    let answer: ForwardedAnswer;
    try {
      const info = { remoteAddr: remote, completed: Promise.resolve() };
      const response = await this.#options.handler()(request, info as Deno.ServeHandlerInfo);
      const admitted = this.#admitted.get(request);
      answer = admitted === undefined
        ? await answerOf(response)
        : { status: response.status, headers: [], body: undefined, admitted: this.#told(admitted) };
    } catch {
      // The handler answers whatever happens: what is left is an answer that could not be read.
      const status = STATUS_CODE.InternalServerError;
      answer = { status, headers: [], body: undefined };
    } finally {
      this.#bodies.delete(body);
      const others = (this.#http2.get(peer) ?? 1) - 1;
      if (others > 0) this.#http2.set(peer, others);
      else this.#http2.delete(peer);
    }
    thread.post({ kind: "answer", id, answer }, answer.body?.byteLength ?? 0);
  }

  /** A part of a request's body has come. */
  chunk(thread: ServingThread, part: MessageOf<"chunk">): void {
    const { id, bytes, isLast = false, isBroken = false } = part;
    const key = `${thread.number}/${id}`;
    const body = this.#bodies.get(key);
    if (body === undefined) return;
    body.isExpected = false;
    if (bytes !== undefined) body.controller.enqueue(bytes);
    if (bytes !== undefined && !isLast) return;
    this.#bodies.delete(key);
    if (isBroken) body.controller.error(new TypeError("the body broke off"));
    else body.controller.close();
  }

  /** A client's connection has ended, or never came to be. */
  left(visit: number): void {
    const inside = this.#inside.get(visit);
    if (inside === undefined) return;
    this.#inside.delete(visit);
    inside.client.hasEnded = true;
    inside.visitor?.[Symbol.dispose]();
    inside.place[Symbol.dispose]();
  }

  /** A thread is no more, and its connections with it. */
  ended(thread: ServingThread): void {
    for (const [visit, inside] of this.#inside) if (inside.thread === thread) this.left(visit);
    for (const key of this.#bodies.keys()) {
      if (!key.startsWith(`${thread.number}/`)) continue;
      this.#bodies.get(key)?.controller.error(new TypeError("the body broke off"));
      this.#bodies.delete(key);
    }
  }

  #admit({ request, identity }: Visit, place: AdmittedPlace, way: Way): Response {
    const thread = this.#origins.get(request);
    if (thread === undefined || thread.hasEnded) {
      place[Symbol.dispose]();
      return new Response(null, { status: STATUS_CODE.ServiceUnavailable });
    }
    const visit = ++this.#visits;
    const client = new ThreadClient(thread, visit);
    const visitor = this.#visitors.enter(client, identity, {});
    this.#inside.set(visit, { thread, place, client, visitor });
    this.#admitted.set(request, { client, way });
    return new Response();
  }

  /** What its thread has to know of a client, as it stands: the rules may have changed meanwhile. */
  #told({ client: { visit, rights, closing }, way }: { client: ThreadClient; way: Way }): Admitted {
    const { trustProxy, origins } = this.#options.rules();
    return {
      visit,
      way,
      rights,
      trustProxy,
      origins,
      ...(closing === undefined ? {} : { closing }),
    };
  }

  #bodyOf(
    thread: ServingThread,
    key: string,
    { id, isAhead }: { id: number; isAhead: boolean },
  ): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>({
      start: (controller) => void this.#bodies.set(key, { controller, isExpected: isAhead }),
      pull: () => {
        if (this.#bodies.get(key)?.isExpected === false) thread.post({ kind: "pull", id });
      },
      cancel: () => void this.#bodies.delete(key),
    }, { highWaterMark: 0 });
  }
}

function rightsOf({ reads, name, credential }: Identity): VisitRights {
  return { reads, ...(credential.kind === "none" ? {} : { tokenName: name }) };
}

/**
 * A request as it came to the thread. The constructor would follow `..` in an address and takes no
 * body with GET: what was sent is what is answered.
 */
function requestOf(
  { method, url, headers, hasBody }: ForwardedRequest,
  body: () => ReadableStream<Uint8Array>,
): Request {
  const request = new Request("http://forwarded.invalid/", {
    headers: headers.map(([name, value]): [string, string] => [name, value]),
    ...(hasBody ? { method: "POST", body: body() } : {}),
  });
  Object.defineProperty(request, "method", { value: method });
  Object.defineProperty(request, "url", { value: url });
  return request;
}

async function answerOf(response: Response): Promise<ForwardedAnswer> {
  const { status, headers } = response;
  const body = response.body === null ? undefined : await response.bytes();
  return { status, headers: [...headers], body };
}
