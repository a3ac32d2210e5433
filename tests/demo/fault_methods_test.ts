import { parseDuration } from "../../src/config/duration.ts";
import { faultMethods, readFaultOrder } from "../../src/demo/fault_methods.ts";
import { Faults } from "../../src/demo/faults.ts";
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { FakeClock } from "../support/fake_clock.ts";

const RULES = { faultable: ["GetAgents"], parseDuration };
const { signal } = new AbortController();

Deno.test("readFaultOrder() reads mode, method and for", () => {
  const params = { mode: "hang", method: "GetAgents", for: "10s" };
  const order = { mode: "hang", method: "GetAgents", forMs: 10_000 } as const;
  assertEquals(readFaultOrder(params, RULES), { ok: true, order });
  assertEquals(readFaultOrder({ mode: 500 }, RULES), { ok: true, order: { mode: "500" } });
  assertEquals(readFaultOrder({ mode: "none" }, RULES), { ok: true, order: { mode: "none" } });
});

for (
  const [params, why] of [
    [undefined, /object such as/],
    [["hang"], /object such as/],
    [{}, /"mode" must be one of "refuse", .*"none"/],
    [{ mode: "explode" }, /"mode" must be one of/],
    [{ mode: "hang", methd: "GetAgents" }, /no "methd"/],
    [{ mode: "hang", method: "SetFault" }, /"method" must be one of GetAgents/],
    [{ mode: "hang", for: 10 }, /"for" must be a duration/],
    [{ mode: "hang", for: "0s" }, /"for" must be a duration/],
    [{ mode: "hang", for: "soon" }, /"for" must be a duration/],
  ] as const
) {
  Deno.test(`readFaultOrder() says what is wrong with ${JSON.stringify(params)}`, () => {
    const read = readFaultOrder(params, RULES);
    assert(!read.ok);
    assertMatch(read.why, why);
  });
}

Deno.test("SetFault and GetFault say to start with --faults where there are none", async () => {
  const { SetFault, GetFault } = faultMethods(RULES);
  for (
    const answer of [await SetFault({ mode: "hang" }, { signal }), await GetFault({}, { signal })]
  ) {
    assert(!answer.ok);
    assertEquals(answer.code, -32000);
    assertMatch(answer.message, /start the backend with --faults/);
  }
});

Deno.test("SetFault switches faults, and tells what is on and that something changed", async () => {
  let changes = 0;
  const faults = new Faults({ clock: new FakeClock() });
  const { SetFault, GetFault } = faultMethods({ ...RULES, faults, onChange: () => changes++ });
  const on = { ok: true, value: { faults: [{ mode: "slow", method: "GetAgents" }] } } as const;
  assertEquals(await SetFault({ mode: "slow", method: "GetAgents" }, { signal }), on);
  assertEquals(await GetFault({}, { signal }), on);
  const refused = await SetFault({ mode: "refuse", method: "GetAgents" }, { signal });
  assertEquals([refused.ok, changes], [false, 1]);
  assertEquals(await SetFault({ mode: "none" }, { signal }), { ok: true, value: { faults: [] } });
  assertEquals(changes, 2);
});
