import { assertEquals } from "../support/assert.ts";
import {
  readAckedBytes,
  readReceivedBytes,
  readTcpInfo,
  TCP_INFO_BYTES,
} from "../../src/platform/tcp_info.ts";

function tcpInfo(): DataView {
  const view = new DataView(new ArrayBuffer(TCP_INFO_BYTES));
  for (let at = 0; at < TCP_INFO_BYTES; at += 4) view.setUint32(at, at, true);
  return view;
}

Deno.test("readTcpInfo() reads each field from its place", () => {
  const view = tcpInfo();
  assertEquals(readTcpInfo(view, 248), {
    receivedBytes: 132 * 2 ** 32 + 128,
    ackedBytes: 124 * 2 ** 32 + 120,
    notSentBytes: 144,
    unackedSegments: 24,
  });
});

Deno.test("readTcpInfo() takes nothing from beyond what the kernel filled in", () => {
  const view = tcpInfo();
  assertEquals(readTcpInfo(view, 147)?.notSentBytes, undefined);
  assertEquals(readTcpInfo(view, 148)?.notSentBytes, 144);
  assertEquals(readTcpInfo(view, 135), undefined);
  assertEquals(readReceivedBytes(view, 135), undefined);
  assertEquals(readReceivedBytes(view, 136), 132 * 2 ** 32 + 128);
  assertEquals(readAckedBytes(view, 127), undefined);
  assertEquals(readAckedBytes(view, 128), 124 * 2 ** 32 + 120);
});

Deno.test("readReceivedBytes() is exact past 4 GiB", () => {
  const view = new DataView(new ArrayBuffer(TCP_INFO_BYTES));
  view.setBigUint64(128, 2n ** 40n + 0xffff_ffffn, true);
  assertEquals(readReceivedBytes(view, 136), 2 ** 40 + 0xffff_ffff);
});
