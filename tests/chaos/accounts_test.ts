import { assertEquals } from "../support/assert.ts";
import { Account } from "./accounts.ts";
import type { ResumePoint, Told } from "./journal.ts";

const AT = 0;

function welcome(data: object): Told {
  const told = { session: "s", epoch: "e", seq: 10, recovered: false, gap: false, ...data };
  return { type: "welcome", data: told, at: AT };
}

function event(number: number, seq = number): Told {
  return { type: "notification", seq, data: { number }, at: AT };
}

function accepted(...numbers: number[]): Map<number, { epoch: string; seq: number }> {
  return new Map(numbers.map((number) => [number, { epoch: "e", seq: number }]));
}

const RESUME: ResumePoint = { session: "s", epoch: "e", since: 12 };

Deno.test("Account misses what was accepted after the client came and never reached it", () => {
  const account = new Account();
  account.take(welcome({}), undefined);
  for (const number of [11, 12, 14]) account.take(event(number), undefined);
  assertEquals(account.missing(accepted(9, 11, 12, 14)), []);
  assertEquals(account.missing(accepted(13)), [
    "event 13 (13 of e) neither came nor was told as a gap",
  ]);
  assertEquals(account.resumePoint, { ...RESUME, since: 14 });
});

Deno.test("Account lets a gap excuse what lies in it, and nothing else", () => {
  const account = new Account();
  account.take(welcome({}), undefined);
  for (const number of [11, 12]) account.take(event(number), undefined);
  account.take(welcome({ gap: true, seq: 20 }), RESUME);
  assertEquals([account.gaps, account.missing(accepted(11, 13, 20))], [1, []]);
  assertEquals(account.missing(accepted(21)).length, 1);
});

Deno.test("Account lets no gap excuse what was missed before it, and no recovery anything", () => {
  const account = new Account();
  account.take(welcome({}), undefined);
  account.take(event(12), undefined);
  account.take(welcome({ recovered: true, seq: 12 }), RESUME);
  account.take(event(14), undefined);
  account.take(welcome({ gap: true, seq: 30 }), { ...RESUME, since: 14 });
  assertEquals(account.missing(accepted(11, 13)).length, 2);
  assertEquals(account.resumed, 1);
});

Deno.test("Account finds an event that came twice, and a return without a word", () => {
  const account = new Account();
  account.take(welcome({}), undefined);
  account.take(event(11), undefined);
  account.take(event(11, 15), undefined);
  account.take(welcome({}), RESUME);
  assertEquals(account.breaches, [
    "event 11 came twice",
    "resumed, but neither recovered nor a gap",
  ]);
});

Deno.test("Account takes another epoch with a gap for the end of the one before", () => {
  const account = new Account();
  account.take(welcome({}), undefined);
  account.take(event(12), undefined);
  account.take(welcome({ epoch: "other", gap: true, seq: 3 }), RESUME);
  assertEquals(account.missing(accepted(13, 99)), []);
  assertEquals(account.missing(accepted(11)).length, 1);
});
