import { assertEquals } from "../support/assert.ts";
import { ResumePosition } from "../../src/client/position.ts";
import { beatFrame, noteFrame, statusFrame, welcomeFrame } from "./fake_socket.ts";

function started(seq = 0): ResumePosition {
  const position = new ResumePosition();
  position.welcome(welcomeFrame({ seq }).data);
  return position;
}

const error = (seq: number) => ({ type: "rpc_error", seq });

Deno.test("ResumePosition begins at the welcome's seq", () => {
  assertEquals(new ResumePosition().resumePoint, undefined);
  assertEquals(started(7).resumePoint, { session: "s1", epoch: "e1", since: 7 });
});

Deno.test("ResumePosition follows events, not what may have overtaken them", () => {
  const position = started(1);
  position.accept(noteFrame("a", 2), 0);
  position.accept(beatFrame(9), 10);
  position.accept(error(10), 20);
  position.accept(statusFrame(1, 8), 30);
  assertEquals(position.resumePoint?.since, 2);
});

Deno.test("ResumePosition moves past a heartbeat when for a while nothing older came after it", () => {
  const position = started();
  position.accept(beatFrame(9), 0);
  position.accept(beatFrame(12), 999);
  assertEquals(position.resumePoint?.since, 0);
  position.accept(beatFrame(15), 1000);
  assertEquals(position.resumePoint?.since, 9);
});

Deno.test("ResumePosition stays where an older event came after a heartbeat", () => {
  const position = started();
  position.accept(beatFrame(9), 0);
  position.accept(noteFrame("late", 5), 500);
  position.accept(beatFrame(12), 2000);
  assertEquals(position.resumePoint?.since, 5);
});

Deno.test("ResumePosition never goes back", () => {
  const position = started();
  position.accept(noteFrame("a", 20), 0);
  position.accept(statusFrame(1, 3), 0);
  position.accept(statusFrame(1, 4), 5000);
  assertEquals(position.resumePoint?.since, 20);
});

Deno.test("ResumePosition recognises what was replayed twice, events and errors alike", () => {
  const position = started();
  assertEquals(position.accept(noteFrame("a", 1), 0), true);
  assertEquals(position.accept(error(2), 0), true);
  position.welcome(welcomeFrame({ recovered: true, seq: 3 }).data);
  assertEquals(position.accept(noteFrame("a", 1), 0), false);
  assertEquals(position.accept(error(2), 0), false);
  assertEquals(position.accept(noteFrame("b", 3), 0), true);
});

Deno.test("ResumePosition forgets an epoch that is over, and what it saw in it", () => {
  const position = started();
  position.accept(noteFrame("a", 5), 0);
  position.welcome(welcomeFrame({ epoch: "e2", seq: 1, gap: true }).data);
  assertEquals(position.resumePoint, { session: "s1", epoch: "e2", since: 1 });
  assertEquals(position.accept(noteFrame("b", 5), 0), true);
});
