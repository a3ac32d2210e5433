// @ts-types="../../src/std_types/deadline.d.ts"
import { deadline } from "@std/async/deadline";
import {
  assert,
  assertEquals,
  assertLessOrEqual,
  assertStringIncludes,
} from "../support/assert.ts";
import { encode, libcForTest, LONG_MS, openDescriptors, startPython } from "./support.ts";

/** A receiver of one datagram at `path`, which may be abstract. */
const datagramReceiver = (path: string) => `
import socket
path = ${JSON.stringify(path)}
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("\\0" + path[1:] if path.startswith("@") else path)
s.settimeout(${LONG_MS / 1000})
print("bound", flush=True)
print(s.recv(4096).decode(), flush=True)
`;

Deno.test("Libc.sendDatagram() reaches a socket with a path", async () => {
  using libc = libcForTest();
  const directory = await Deno.makeTempDir();
  try {
    const path = `${directory}/notify`;
    await using receiver = await startPython(datagramReceiver(path));
    assertEquals(libc.sendDatagram(path, encode("READY=1\nSTATUS=é")), { ok: true });
    assertEquals(await deadline(receiver.rest(), LONG_MS), "READY=1\nSTATUS=é\n");
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("Libc.sendDatagram() reaches a socket with an abstract name", async () => {
  using libc = libcForTest();
  const path = `@holdfast-${crypto.randomUUID()}`;
  await using receiver = await startPython(datagramReceiver(path));
  assertEquals(libc.sendDatagram(path, encode("WATCHDOG=1")), { ok: true });
  assertEquals(await deadline(receiver.rest(), LONG_MS), "WATCHDOG=1\n");
});

Deno.test("Libc.sendDatagram() says why nobody got it, and leaves no descriptor", async () => {
  using libc = libcForTest();
  const before = await openDescriptors();
  const missing = `@holdfast-${crypto.randomUUID()}`;
  for (let i = 0; i < 50; i++) {
    assertEquals(libc.sendDatagram(missing, encode("x")), {
      ok: false,
      why: `sendto ${missing}: ECONNREFUSED`,
    });
  }
  assertEquals(libc.sendDatagram("/nowhere/notify", encode("x")), {
    ok: false,
    why: "sendto /nowhere/notify: ENOENT",
  });
  const relative = libc.sendDatagram("notify", encode("x"));
  assert(!relative.ok);
  assertStringIncludes(relative.why, `"notify" is not a Unix socket`);
  assertLessOrEqual((await openDescriptors()).length, before.length + 10);
});

Deno.test("Libc.sendDatagram() does not wait for a receiver whose queue is full", async () => {
  using libc = libcForTest();
  const path = `@holdfast-${crypto.randomUUID()}`;
  await using _receiver = await startPython(`
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("\\0" + ${JSON.stringify(path.slice(1))})
print("bound", flush=True)
sys.stdin.read()
`);
  // Each send has a socket of its own, so it is the receiver's queue (`max_dgram_qlen`) that fills.
  let result = libc.sendDatagram(path, encode("x"));
  for (let i = 0; i < 100_000 && result.ok; i++) result = libc.sendDatagram(path, encode("x"));
  assertEquals(result, { ok: false, why: `sendto ${path}: EAGAIN` });
});
