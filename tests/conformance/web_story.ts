/** The part of the WHATWG WebSocket that the story uses; `npm:ws`, Node and browsers all have it. */
export interface SocketLike {
  readonly protocol: string;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
  onerror: ((event: unknown) => void) | null;
  send(text: string): void;
  close(code?: number): void;
}

export interface StoryOptions {
  /** The hub, `http://…`. */
  url: string;
  token: string;
  /** The token as a subprotocol. */
  tokenProtocol: string;
  /** Default: the client's own `WebSocket`. */
  Socket?: new (url: string, protocols: string[]) => SocketLike;
}

/** What a client saw of a hub, step by step; every client has to report the same. */
export interface Report {
  readonly protocol: string;
  readonly first: string;
  readonly channels: readonly string[];
  /** What its subscribe, unsubscribe and ping were answered with. */
  readonly answers: readonly unknown[];
  readonly heartbeats: boolean;
  readonly queryToken: string;
  /** Whether the door was shut to a wrong token, and to none. */
  readonly refused: readonly boolean[];
  /** Whether a batching client got several frames as one list, and all of them in order. */
  readonly batch: { readonly hasList: boolean; readonly numbers: readonly number[] };
  readonly resumed: {
    readonly recovered: boolean;
    readonly gap: boolean;
    readonly numbers: readonly number[];
  };
  readonly ownClose: number;
  readonly badMessages: {
    readonly answers: number;
    readonly code: number;
    readonly reason: string;
  };
  readonly tooBig: { readonly code: number; readonly reason: string };
  readonly shutdown: { readonly told: string; readonly code: number; readonly reason: string };
}

/**
 * Lives through everything a client can, and reports it. It runs in other programs too, as text:
 * it may use nothing from outside itself. Its last notification, number 99, asks for the shutdown.
 */
export async function story({ url, token, tokenProtocol, Socket }: StoryOptions): Promise<Report> {
  // deno-lint-ignore no-explicit-any -- frames of a hub that is not trusted yet
  type Frame = any;
  const Web = Socket ??
    (globalThis as unknown as { WebSocket: NonNullable<StoryOptions["Socket"]> }).WebSocket;

  function connect(query: string, protocols: string[] = ["holdfast", tokenProtocol]) {
    const socket = new Web(`${url.replace(/^http/, "ws")}/ws${query}`, protocols);
    const client = {
      socket,
      frames: [] as Frame[],
      lists: 0,
      end: undefined as { code: number; reason: string } | undefined,
      look: () => {},
      say: (message: unknown) => socket.send(JSON.stringify(message)),
      of: (type: string) => client.frames.filter((frame) => frame.type === type),
      numbers: () => client.of("notification").map(({ data }) => data.n),
      until: (holds: () => boolean) =>
        new Promise<void>((resolve, reject) => {
          const giveUp = setTimeout(() => {
            const heard = client.frames.map(({ type, data }) => data.code ?? type);
            reject(new Error(`not true: ${holds}; heard ${heard}; end ${client.end?.code}`));
          }, 15_000);
          client.look = () => {
            if (!holds()) return;
            clearTimeout(giveUp);
            resolve();
          };
          client.look();
        }),
      ended: () => client.until(() => client.end !== undefined),
    };
    socket.onmessage = ({ data }) => {
      const value = JSON.parse(String(data));
      if (Array.isArray(value)) client.lists += 1;
      client.frames.push(...(Array.isArray(value) ? value : [value]));
      client.look();
    };
    socket.onerror = () => {
      // Node 20 leaves it at that where the door was shut; others tell of a close 1006 as well.
      if (client.frames.length === 0) client.end ??= { code: 1006, reason: "" };
      client.look();
    };
    socket.onclose = ({ code, reason }) => {
      client.end = { code, reason: String(reason) };
      client.look();
    };
    return client;
  }
  async function publish(n: number): Promise<void> {
    const response = await fetch(`${url}/publish`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify({ channel: "notification", data: { n } }),
    });
    if (response.status !== 202) throw new Error(`publishing was answered with ${response.status}`);
    await response.text();
  }

  const plain = connect("?channels=notification");
  await plain.until(() => plain.frames.length > 0);
  const { type: first, data: welcome } = plain.frames[0];
  plain.say({ type: "subscribe", channels: ["heartbeat"] });
  await plain.until(() => plain.of("heartbeat").length >= 2);
  plain.say({ type: "unsubscribe", channels: ["heartbeat"] });
  plain.say({ type: "ping", id: "é 😀" });
  await plain.until(() => plain.of("pong").length === 1);
  const answers = plain.frames.filter(({ type }) => type === "subscribed" || type === "pong")
    .map(({ data }) => data);
  await publish(1);
  await plain.until(() => plain.numbers().length === 1);
  const since = plain.of("notification")[0].seq;
  plain.socket.close(1000);
  await plain.ended();

  await publish(2);
  await publish(3);
  const { session, epoch } = welcome;
  const again = connect(
    `?channels=notification&session=${session}&epoch=${epoch}&since=${since}`,
  );
  await again.until(() => again.numbers().length === 2);
  const { recovered, gap } = again.frames[0].data;
  const resumed = { recovered, gap, numbers: again.numbers() };

  const byQuery = connect(`?channels=notification&token=${token}`, ["holdfast"]);
  await byQuery.until(() => byQuery.frames.length > 0);

  const refused: boolean[] = [];
  for (const query of ["?token=wrong", ""]) {
    const client = connect(query, ["holdfast"]);
    await client.ended();
    refused.push(client.frames.length === 0 && client.end?.code === 1006);
  }

  const batching = connect("?channels=notification&batch=1");
  await batching.until(() => batching.frames.length > 0);
  for (const id of [4, 5, 6, 7, 8]) batching.say({ type: "ping", id });
  await batching.until(() => batching.of("pong").length === 5);
  const batch = {
    hasList: batching.lists > 0,
    numbers: batching.of("pong").map(({ data }) => data.id),
  };

  const bad = connect("?channels=notification");
  await bad.until(() => bad.frames.length > 0);
  for (let nth = 0; nth < 25; nth++) bad.socket.send("?");
  await bad.ended();
  const big = connect("?channels=notification");
  await big.until(() => big.frames.length > 0);
  big.socket.send("x".repeat(65_537));
  await big.ended();

  const stays = connect("?channels=notification");
  await stays.until(() => stays.frames.length > 0);
  await publish(99);
  await stays.ended();
  return {
    protocol: plain.socket.protocol,
    first,
    channels: welcome.channels,
    answers,
    heartbeats: plain.of("heartbeat").length >= 2,
    queryToken: byQuery.frames[0].type,
    refused,
    batch,
    resumed,
    ownClose: plain.end?.code ?? 0,
    badMessages: {
      answers: bad.frames.filter(({ data }) => data.code === "BAD_MESSAGE").length,
      code: bad.end?.code ?? 0,
      reason: bad.end?.reason ?? "",
    },
    tooBig: { code: big.end?.code ?? 0, reason: big.end?.reason ?? "" },
    shutdown: {
      told: stays.of("error").map(({ data }) => data.code).join(),
      code: stays.end?.code ?? 0,
      reason: stays.end?.reason ?? "",
    },
  };
}
