import { assertEquals } from "../../support/assert.ts";
import { hookPayload, inWords } from "../../../src/incidents/hooks/hook_event.ts";
import { fillIn } from "../../../src/incidents/hooks/template.ts";
import { HOOK_PLACEHOLDERS } from "../../../src/protocol/incident.ts";
import { down } from "./support.ts";

const NOW = 1_764_000_065_000;
const payload = hookPayload("down", down({ cause: 'refused by "<host>" & co' }), NOW);
const filled = (template: unknown) => JSON.parse(fillIn(template, payload));

Deno.test("fillIn() puts what was asked for into any place of the body", () => {
  assertEquals(
    filled({ text: "{{text}}", deep: [{ who: "backend {{ incident.backend }}!" }], n: 3 }),
    {
      text: `Backend "core" is down, for 1 min 5 s now: refused by "<host>" & co`,
      deep: [{ who: "backend core!" }],
      n: 3,
    },
  );
});

Deno.test("fillIn() keeps numbers numbers, and leaves out a member that has no value", () => {
  assertEquals(filled({ ms: "{{incident.duration_ms}}", end: "{{incident.ended_time}}" }), {
    ms: 65_000,
  });
  assertEquals(filled({ end: "at {{incident.ended_time}}", list: ["{{incident.channel}}"] }), {
    end: "at ",
    list: [null],
  });
});

Deno.test("fillIn() escapes where it is asked to, and what is filled in is never read again", () => {
  assertEquals(filled("{{incident.cause | escape}}"), 'refused by "&lt;host&gt;" &amp; co');
  const sly = hookPayload("down", down({ cause: "{{incident.id}}" }), NOW);
  assertEquals(JSON.parse(fillIn(["a {{incident.cause}}"], sly)), ["a {{incident.id}}"]);
  assertEquals(filled({ odd: "{{constructor}} {{nothing}}" }), { odd: " " });
});

Deno.test("fillIn() knows every placeholder that it says it knows", () => {
  const over = hookPayload("up", down({ endedMs: NOW, channel: "queue" }), NOW);
  for (const name of HOOK_PLACEHOLDERS) {
    assertEquals(JSON.parse(fillIn([`{{${name}}}`], over))[0] === null, false, name);
  }
});

Deno.test("inWords() says a length of time in two units at most", () => {
  assertEquals([0, 999, 1000, 65_000, 3_600_000, 93_600_000, 90_061_000].map(inWords), [
    "0 ms",
    "999 ms",
    "1 s",
    "1 min 5 s",
    "1 h",
    "1 d 2 h",
    "1 d 1 h",
  ]);
});
