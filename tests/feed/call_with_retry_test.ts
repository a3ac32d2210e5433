import { ask, type CallWithRetryOptions } from "../../src/feed/call_with_retry.ts";
import { systemClock } from "../../src/resilience/clock.ts";
import type { Outcome } from "../../src/rpc/backend.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
} from "../support/assert.ts";
import { hang, ok, rejected, ScriptedBackend, unavailable } from "../support/scripted_backend.ts";

const CALL = { method: "m", params: { a: 1 } };

/** Retries that wait for no time worth speaking of; a deadline that never comes. */
function options(changes: Partial<CallWithRetryOptions> = {}): CallWithRetryOptions {
  return {
    clock: systemClock,
    timeoutMs: 60_000,
    retry: { attempts: 3, minMs: 0, maxMs: 0 },
    signal: new AbortController().signal,
    ...changes,
  };
}

/** Gives these outcomes, one a call, the last one for ever. */
function inTurn(...outcomes: [Outcome, ...Outcome[]]): ScriptedBackend {
  let at = 0;
  return new ScriptedBackend(() => outcomes[at++] ?? outcomes.at(-1) ?? outcomes[0]);
}

Deno.test("ask() gives the first answer and asks no more", async () => {
  for (const outcome of [ok(1), rejected()]) {
    const backend = inTurn(outcome);
    assertEquals(await ask(backend, CALL, options()), outcome);
    assertEquals(backend.calls.length, 1);
  }
});

Deno.test("ask() retries what is unavailable, up to its attempts, and gives the last outcome", async () => {
  const recovering = inTurn(unavailable("first"), unavailable("second"), ok(3));
  assertEquals(await ask(recovering, CALL, options()), ok(3));
  assertEquals(recovering.calls.length, 3);

  let attempts = 0;
  const dead = inTurn(unavailable("first"), unavailable("second"), unavailable("third"));
  const outcome = await ask(dead, CALL, options({ onAttempt: () => attempts += 1 }));
  assertEquals(outcome, unavailable("third"));
  assertEquals([dead.calls.length, attempts], [3, 3]);
});

Deno.test("ask() does not retry what was rejected after a retry", async () => {
  const backend = inTurn(unavailable(), rejected("no"));
  assertEquals(await ask(backend, CALL, options()), rejected("no"));
  assertEquals(backend.calls.length, 2);
});

Deno.test("ask() makes a single attempt where one is all there is", async () => {
  const backend = inTurn(unavailable("x"));
  const retry = { attempts: 1, minMs: 0, maxMs: 1 };
  assertEquals(await ask(backend, CALL, options({ retry })), unavailable("x"));
  assertEquals(backend.calls.length, 1);
});

Deno.test("ask() does not retry once nobody wants the answer", async () => {
  let wanted = 1;
  const backend = inTurn(unavailable("late"));
  const outcome = await ask(backend, CALL, options({ isWanted: () => wanted-- > 0 }));
  assertEquals(outcome, unavailable("late"));
  assertEquals(backend.calls.length, 2);
});

Deno.test("ask() calls a deadline unavailable and aborts the call under way", async () => {
  let aborted = false;
  const backend = new ScriptedBackend((_, signal) => {
    signal.addEventListener("abort", () => aborted = true);
    return hang(signal);
  });
  assertEquals(
    await ask(backend, CALL, options({ timeoutMs: 10 })),
    unavailable("no answer within 10 ms"),
  );
  assert(aborted);
  assertEquals(backend.active.get("m"), 0);
});

Deno.test("ask() holds retries to the same deadline and tells of the attempt before", async () => {
  let calls = 0;
  const backend = new ScriptedBackend((_, signal) =>
    ++calls === 1 ? unavailable("connection reset") : hang(signal)
  );
  assertEquals(
    await ask(backend, CALL, options({ timeoutMs: 100 })),
    unavailable("no answer within 100 ms; the attempt before: connection reset"),
  );
  assertEquals(calls, 2);
});

Deno.test("ask() ends at its deadline also when it is waiting for a retry", async () => {
  const backend = inTurn(unavailable("x"));
  const waits = Math.random;
  Math.random = () => 0.99; // nearly the whole wait
  try {
    const retry = { attempts: 2, minMs: 60_000, maxMs: 60_000 };
    const outcome = await ask(backend, CALL, options({ timeoutMs: 10, retry }));
    assertEquals(outcome.kind, "unavailable");
  } finally {
    Math.random = waits;
  }
  assertEquals(backend.calls.length, 1);
});

Deno.test("ask() gives up on a backend that is deaf to its signal, and ignores its late answer", async () => {
  const answer = Promise.withResolvers<Outcome>();
  const backend = new ScriptedBackend(() => answer.promise);
  const outcome = await ask(backend, CALL, options({ timeoutMs: 10 }));
  assertEquals(outcome.kind, "unavailable");
  answer.reject(new Error("a late last word")); // nobody may trip over it
  await new Promise((resolve) => setTimeout(resolve, 1));
});

Deno.test("ask() throws the signal's reason when aborted, before, during and between attempts", async () => {
  const reason = new Error("stop");
  const before = inTurn(ok(1));
  const aborted = AbortSignal.abort(reason);
  const error = await assertRejects(() => ask(before, CALL, options({ signal: aborted })), Error);
  assertStrictEquals(error, reason);
  assertEquals(before.calls.length, 0);

  const during = new AbortController();
  const hanging = new ScriptedBackend((_, signal) => {
    queueMicrotask(() => during.abort(reason));
    return hang(signal);
  });
  const { signal } = during;
  assertStrictEquals(
    await assertRejects(() => ask(hanging, CALL, options({ signal })), Error),
    reason,
  );
  assertEquals(hanging.active.get("m"), 0);

  const between = new AbortController();
  const failing = new ScriptedBackend(() => {
    setTimeout(() => between.abort(reason), 0);
    return unavailable();
  });
  const retry = { attempts: 2, minMs: 60_000, maxMs: 60_000 };
  const asked = ask(failing, CALL, options({ signal: between.signal, retry }));
  assertStrictEquals(await assertRejects(() => asked, Error), reason);
});

Deno.test("ask() calls a throwing adapter unavailable, without retries and without its secrets", async () => {
  for (
    const thrown of [new Error("Bearer s3cret"), "s3cret", undefined, new TypeError("s3cret")]
  ) {
    const backend = new ScriptedBackend(() => {
      throw thrown;
    });
    const outcome = await ask(backend, CALL, options());
    assertEquals(outcome, unavailable("the backend's adapter failed"));
    assertEquals(backend.calls.length, 1);
  }
});

Deno.test("ask() leaves no listener on its caller's signal", async () => {
  const { signal } = new AbortController();
  let listeners = 0;
  const { addEventListener, removeEventListener } = EventTarget.prototype;
  signal.addEventListener = function (...args: Parameters<typeof addEventListener>) {
    listeners += 1;
    return addEventListener.apply(signal, args);
  };
  signal.removeEventListener = function (...args: Parameters<typeof removeEventListener>) {
    listeners -= 1;
    return removeEventListener.apply(signal, args);
  };
  await ask(inTurn(ok(1)), CALL, options({ signal }));
  await ask(inTurn(unavailable()), CALL, options({ signal }));
  await ask(new ScriptedBackend((_, its) => hang(its)), CALL, options({ signal, timeoutMs: 5 }));
  assertEquals(listeners, 0);
});

Deno.test("ask() passes the question on as it is", async () => {
  const seen: unknown[] = [];
  const backend = new ScriptedBackend((call) => {
    seen.push(call);
    return ok(1);
  });
  await ask(backend, CALL, options());
  assertEquals(seen, [CALL]);
});

Deno.test("ask() names what happened in its reason", async () => {
  const outcome = await ask(inTurn(unavailable("DNS: no such host")), CALL, options());
  assertStringIncludes(outcome.kind === "ok" ? "" : outcome.reason, "no such host");
});
