import { assertEquals, assertStringIncludes } from "../support/assert.ts";
import { startApp } from "../support/hub_in_process.ts";
import { within } from "../support/until.ts";
import { configOf, publish, TOKEN } from "./ended.ts";

Deno.test("an event stream is what WHATWG HTML 9.2 says, and resumes with Last-Event-ID", async () => {
  await using app = await startApp(configOf());
  let lastId: string;
  {
    await using stream = await RawStream.open(`${app.url}/events?channels=notification`);
    assertStringIncludes(stream.contentType, "text/event-stream");
    assertEquals(await stream.next(), { retry: true });
    const { type, epoch } = await stream.next();
    assertEquals(type, "welcome");
    await publish(app.url, 1);
    const event = await stream.next();
    assertEquals([event.type, event.n], ["notification", 1]);
    lastId = event.id ?? "";
    assertEquals(lastId, `${event.seq}.${epoch}`);
  }
  await publish(app.url, 2);
  await publish(app.url, 3);
  await using stream = await RawStream.open(`${app.url}/events?channels=notification`, lastId);
  assertEquals(await stream.next(), { retry: true });
  const welcome = await stream.next();
  assertEquals([welcome.type, welcome.recovered, welcome.gap], ["welcome", true, false]);
  assertEquals((await stream.next()).n, 2);
  assertEquals((await stream.next()).n, 3);
});

Deno.test("an event stream says the gap where the history does not reach", async () => {
  await using app = await startApp(configOf());
  await using stream = await RawStream.open(`${app.url}/events?channels=notification`, "4711");
  assertEquals(await stream.next(), { retry: true });
  const welcome = await stream.next();
  assertEquals([welcome.recovered, welcome.gap], [false, true]);
});

Deno.test("C16: an event stream is told the gap of another life of the hub, also by a number alone", async () => {
  const welcomed = async (url: string, lastId?: string) => {
    await using stream = await RawStream.open(`${url}/events?channels=notification`, lastId);
    await stream.next();
    return await stream.next();
  };
  await using before = await startApp(configOf());
  const first = await welcomed(before.url);
  assertEquals(first.id, `0.${first.epoch}`, "there is a place to come back to from the start");
  await publish(before.url, 1);
  assertEquals((await welcomed(before.url, first.id)).recovered, true);
  await using after = await startApp(configOf());
  for (let n = 0; n < 9; n++) await publish(after.url, n);
  for (const id of [first.id, `5.${first.epoch}`, "5", "0"]) {
    const { recovered, gap } = await welcomed(after.url, id);
    assertEquals([recovered, gap], [false, true], id);
  }
});

interface StreamEvent {
  readonly retry?: boolean;
  readonly id?: string;
  readonly type?: string;
  readonly seq?: number;
  readonly epoch?: string;
  readonly n?: number;
  readonly recovered?: boolean;
  readonly gap?: boolean;
}

/** A reader of event streams that knows lines and nothing else. */
class RawStream implements AsyncDisposable {
  readonly contentType: string;
  readonly #reader: ReadableStreamDefaultReader<string>;
  readonly #abort: AbortController;
  #rest = "";

  private constructor(response: Response, abort: AbortController) {
    if (response.body === null) throw new Error("the answer has no body");
    this.contentType = response.headers.get("content-type") ?? "";
    this.#reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    this.#abort = abort;
  }

  static async open(url: string, lastEventId?: string): Promise<RawStream> {
    const abort = new AbortController();
    const response = await fetch(url, {
      headers: {
        authorization: `Bearer ${TOKEN}`,
        ...(lastEventId === undefined ? {} : { "last-event-id": lastEventId }),
      },
      signal: abort.signal,
    });
    return new RawStream(response, abort);
  }

  /** The next block of lines that is no comment. */
  async next(): Promise<StreamEvent> {
    for (;;) {
      const at = this.#rest.indexOf("\n\n");
      if (at === -1) {
        const { value, done } = await within(this.#reader.read(), { explain: () => "no event" });
        if (done) throw new Error("the stream ended");
        this.#rest += value;
        continue;
      }
      const block = this.#rest.slice(0, at);
      this.#rest = this.#rest.slice(at + 2);
      if (!block.startsWith(":")) return eventOf(block);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.#reader.cancel().catch(() => {});
  }
}

function eventOf(block: string): StreamEvent {
  const fields = new Map(
    block.split("\n").map((line) => line.split(/: (.*)/s) as [name: string, value: string]),
  );
  if (fields.has("retry")) return { retry: Number(fields.get("retry")) > 0 };
  const id = fields.get("id");
  const { type, seq, data } = JSON.parse(fields.get("data") ?? "null");
  return {
    type,
    ...(id === undefined ? {} : { id }),
    ...(seq === undefined ? {} : { seq }),
    ...(data.n === undefined ? {} : { n: data.n }),
    ...(type === "welcome" ? { recovered: data.recovered, gap: data.gap, epoch: data.epoch } : {}),
  };
}
