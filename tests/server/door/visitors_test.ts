import { configSchema } from "../../../src/config/schema.ts";
import { Authenticator } from "../../../src/server/door/authenticator.ts";
import { Expiries } from "../../../src/server/door/expiry.ts";
import { Visitors } from "../../../src/server/door/visitors.ts";
import { assert, assertEquals } from "../../support/assert.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { FakeTransport } from "../../support/fake_transport.ts";

function authenticatorOf(...names: string[]): Authenticator {
  const tokens = names.map((name) => ({ name, token: `${name}-secret` }));
  return new Authenticator(configSchema.shape.auth.parse({ tokens }));
}

Deno.test("C26: Visitors.enter() looks again at who was let in before the rules changed", async () => {
  const stop = new AbortController();
  let authenticator = authenticatorOf("stays", "goes");
  const visitors = new Visitors({
    hub: {
      connect: () => assert(false, "nobody may come in") as never,
      expel: () => {},
      changeRights: () => false,
    },
    authenticator: () => authenticator,
    expiries: new Expiries({ clock: new FakeClock(), signal: stop.signal }),
  });
  const letIn = await authenticator.authenticate("goes-secret");
  assert(letIn.ok);
  authenticator = authenticatorOf("stays");
  const transport = new FakeTransport();
  assertEquals(visitors.enter(transport, letIn.identity, {}), undefined);
  assertEquals(transport.closed?.code, 1008);
  stop.abort();
});
