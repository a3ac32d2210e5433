import { Admission, type AdmittedPlace } from "../../../src/server/door/admission.ts";
import { assert, assertEquals } from "../../support/assert.ts";

/** Takes a place that there must be. */
function placeOf(admission: Admission, address: string): AdmittedPlace {
  const place = admission.enter(address);
  if (typeof place === "string") throw new Error(`no place: ${place}`);
  return place;
}

Deno.test("C59: Admission lets nobody in before the hub has joined its cluster", () => {
  let isJoining = true;
  const limits = { maxClients: 1, maxClientsPerAddress: 0 };
  const admission = new Admission(limits, { isJoining: () => isJoining });
  assertEquals(admission.enter("a"), "joining");
  isJoining = false;
  const place = admission.enter("a");
  assert(typeof place !== "string");
  place[Symbol.dispose]();
  admission.startDraining();
  isJoining = true;
  assertEquals(admission.enter("a"), "draining");
});

Deno.test("Admission.enter() lets in as many as there are places, and gives them out again", () => {
  const admission = new Admission({ maxClients: 2, maxClientsPerAddress: 0 });
  const first = placeOf(admission, "a");
  placeOf(admission, "a");
  assertEquals(admission.enter("b"), "full");
  first[Symbol.dispose]();
  placeOf(admission, "b");
  assertEquals(admission.enter("c"), "full");
});

Deno.test("Admission.enter() counts a place given back twice once", () => {
  const admission = new Admission({ maxClients: 2, maxClientsPerAddress: 1 });
  const first = placeOf(admission, "a");
  placeOf(admission, "b");
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  placeOf(admission, "a");
  assertEquals(admission.enter("c"), "full");
});

Deno.test("Admission.enter() limits the clients of one address, and 0 does not", () => {
  const limited = new Admission({ maxClients: 100, maxClientsPerAddress: 2 });
  const first = placeOf(limited, "a");
  placeOf(limited, "a");
  assertEquals(limited.enter("a"), "too_many_from_address");
  placeOf(limited, "b");
  first[Symbol.dispose]();
  placeOf(limited, "a");
  const unlimited = new Admission({ maxClients: 100, maxClientsPerAddress: 0 });
  for (let nth = 0; nth < 100; nth++) placeOf(unlimited, "a");
  assertEquals(unlimited.enter("a"), "full");
});

Deno.test("Admission.enter() lets nobody in while draining, whatever is free", () => {
  const admission = new Admission({ maxClients: 2, maxClientsPerAddress: 0 });
  const place = placeOf(admission, "a");
  admission.startDraining();
  place[Symbol.dispose]();
  assertEquals(admission.isDraining, true);
  assertEquals(admission.enter("a"), "draining");
});
