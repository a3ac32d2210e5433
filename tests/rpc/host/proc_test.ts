import {
  parseCpuTimes,
  parseNetworkCounters,
  parseThreads,
  usageRatio,
} from "../../../src/rpc/host/proc.ts";
import { assertAlmostEquals, assertEquals } from "../../support/assert.ts";

Deno.test("parseCpuTimes() counts all time but guests', and idle and waiting as not busy", () => {
  const stat = "cpu  10 2 5 100 20 1 2 3 99 99\ncpu0 5 1 2 50 10 0 1 1 0 0\nintr 9\n";
  assertEquals(parseCpuTimes(stat), { busy: 23, total: 143 });
});

Deno.test("parseCpuTimes() gives nothing for what is no /proc/stat", () => {
  for (const text of ["", "intr 5", "cpu  1 2", "cpu  a b c d"]) {
    assertEquals(parseCpuTimes(text), undefined);
  }
});

Deno.test("usageRatio() is the busy share between two readings, within 0 and 1", () => {
  const from = { busy: 100, total: 1000 };
  assertAlmostEquals(usageRatio(from, { busy: 130, total: 1120 }), 0.25);
  assertEquals(usageRatio(from, from), 0);
  assertEquals(usageRatio(from, { busy: 90, total: 1100 }), 0); // the kernel's counters may slip back
  assertEquals(usageRatio(from, { busy: 300, total: 1100 }), 1);
});

Deno.test("parseThreads() reads the counts out of /proc/loadavg", () => {
  assertEquals(parseThreads("0.39 0.15 0.07 2/89 5018\n"), { running: 2, total: 89 });
  assertEquals(parseThreads("nothing"), undefined);
});

Deno.test("parseNetworkCounters() reads each interface, also where numbers touch the colon", () => {
  const text = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 2139927     881    1    0    0     0          0         0  2139928     882    2    0    0     0       0          0
eth0.5:17 18 19 0 0 0 0 0 20 21 22 0 0 0 0 0
  bad0: 1 2 3
`;
  assertEquals(parseNetworkCounters(text), [
    {
      name: "lo",
      received_bytes: 2139927,
      received_packets: 881,
      received_errors: 1,
      sent_bytes: 2139928,
      sent_packets: 882,
      sent_errors: 2,
    },
    {
      name: "eth0.5",
      received_bytes: 17,
      received_packets: 18,
      received_errors: 19,
      sent_bytes: 20,
      sent_packets: 21,
      sent_errors: 22,
    },
  ]);
});
