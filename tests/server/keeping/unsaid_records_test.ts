import { UnsaidRecords } from "../../../src/server/keeping/unsaid_records.ts";
import type { JsonText } from "../../../src/protocol/codec.ts";
import type { Change, Kind } from "../../../src/state/change.ts";
import { assertEquals } from "../../support/assert.ts";

Deno.test("C44: UnsaidRecords keeps in order what the hub took while alone, until it is forgotten", () => {
  const kept = new Map<string, string>();
  const write = (changes: Change[]) => {
    for (const { key, body } of changes) {
      if (body === null) kept.delete(key);
      else kept.set(key, body);
    }
  };
  const lifeOf = (bodies: ReadonlyMap<string, string>) =>
    new UnsaidRecords(
      {
        past: {
          kept: new Map<Kind, ReadonlyMap<string, string>>([["unsaid", bodies]]),
          end: "crash",
        },
      },
      write,
    );
  const record = (id: string) => {
    const data = `{"title":"${id}"}` as JsonText;
    return { id, draft: { type: "notification", timestamp: 5, data } };
  };
  const first = lifeOf(new Map());
  for (const id of ["c", "a", "b"]) first.keep(record(id));
  first.forget("a");
  assertEquals(first.all().length, 2);
  const second = lifeOf(new Map([...kept].sort()));
  assertEquals(second.past.map(({ id }) => id), ["c", "b"]);
  second.keep(record("d"));
  assertEquals(lifeOf(new Map([...kept].sort())).past.map(({ id }) => id), ["c", "b", "d"]);
  for (const id of ["b", "c", "d", "unknown"]) second.forget(id);
  assertEquals([kept.size, second.all()], [0, []]);
});
