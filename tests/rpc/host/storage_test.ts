import {
  type FileSystemStatus,
  HostStorage,
  type StorageStatus,
} from "../../../src/rpc/host/storage.ts";
import type { FileSystemUsage } from "../../../src/rpc/host/file_system_usage.ts";
import { systemClock } from "../../../src/resilience/clock.ts";
import { assert, assertAlmostEquals, assertEquals, assertRejects } from "../../support/assert.ts";
import { FakeClock } from "../../support/fake_clock.ts";

const { signal } = new AbortController();

const figures: FileSystemUsage = {
  unitBytes: 4096,
  units: 1000,
  freeUnits: 400,
  availableUnits: 300,
  inodes: 50,
  freeInodes: 20,
  magic: 0xef53,
  device: 1,
};

const TABLE = `1 1 254:0 / / rw - ext4 /dev/vda rw
2 1 0:31 / /mnt/nfs ro - nfs4 server:/export rw
`;

function readTable(): Promise<string> {
  return Promise.resolve(TABLE);
}

function placesOf({ filesystems }: StorageStatus): string[] {
  return filesystems.map((each) => each.mount_point);
}

Deno.test({
  name: "HostStorage.read() tells what df tells",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const storage = new HostStorage({ readText: Deno.readTextFile, clock: systemClock });
    const { filesystems, missing } = await storage.read({ signal });
    assertEquals(missing, undefined);
    assert(filesystems.some((each) => each.mount_point === "/"));
    for (const each of filesystems) {
      assert(!("error" in each), JSON.stringify(each));
      const { stdout } = await new Deno.Command("df", { args: ["-kP", each.mount_point] }).output();
      const [device, total, used, available] = new TextDecoder().decode(stdout).trim().split("\n")
        .at(-1)?.split(/\s+/) ?? [];
      assertEquals(each.device, device);
      assertEquals(Math.floor(each.total_bytes / 1024), Number(total));
      const room = each.total_bytes / 100; // others write while this test reads
      assertAlmostEquals(each.used_bytes, Number(used) * 1024, room);
      assertAlmostEquals(each.available_bytes, Number(available) * 1024, room);
    }
  },
});

Deno.test("HostStorage.read() tells room in bytes and the used share as df does", async () => {
  const clock = new FakeClock();
  const storage = new HostStorage({
    readText: readTable,
    clock,
    figuresOf: () => Promise.resolve(figures),
  });
  const { filesystems } = await storage.read({ signal });
  const expected: FileSystemStatus = {
    mount_point: "/mnt/nfs",
    device: "server:/export",
    fs_type: "nfs4",
    read_only: true,
    total_bytes: 4_096_000,
    used_bytes: 2_457_600,
    free_bytes: 1_638_400,
    available_bytes: 1_228_800,
    used_ratio: 600 / 900,
    inodes_total: 50,
    inodes_free: 20,
  };
  assertEquals(filesystems[1], expected);
  assertEquals(clock.sleeping, 0);
});

Deno.test("HostStorage.read() reports a dead file system, with the others beside it", async () => {
  const clock = new FakeClock();
  let asked = 0;
  const storage = new HostStorage({
    readText: readTable,
    clock,
    figuresOf: (path) => {
      if (path === "/") return Promise.resolve(figures);
      asked += 1;
      return new Promise(() => {});
    },
  });
  for (const seconds of ["2.0", "2.5"]) {
    const reading = storage.read({ signal });
    // The second reading finds the first one's look still out and does not wait for it again.
    await clock.advance(seconds === "2.0" ? 2000 : 0);
    const { filesystems: [root, dead] } = await reading;
    assert(root !== undefined && !("error" in root));
    assertEquals(dead, {
      mount_point: "/mnt/nfs",
      device: "server:/export",
      fs_type: "nfs4",
      read_only: true,
      error: `the file system has not answered for ${seconds} s`,
    });
    await clock.advance(500);
  }
  assertEquals(asked, 1);
});

Deno.test("HostStorage.read() leaves out what has no room or is mounted on a file", async () => {
  const answers: (FileSystemUsage | undefined)[] = [undefined, { ...figures, units: 0 }];
  for (const answer of answers) {
    const storage = new HostStorage({
      readText: readTable,
      clock: new FakeClock(),
      figuresOf: (path) => Promise.resolve(path === "/" ? figures : answer),
    });
    assertEquals(placesOf(await storage.read({ signal })), ["/"]);
  }
});

Deno.test("HostStorage.read() names no inodes where there are none to count", async () => {
  const storage = new HostStorage({
    readText: readTable,
    clock: new FakeClock(),
    figuresOf: () => Promise.resolve({ ...figures, inodes: 0, freeInodes: 0 }),
  });
  const { filesystems: [root] } = await storage.read({ signal });
  assert(root !== undefined && !("inodes_total" in root) && "total_bytes" in root);
});

Deno.test("HostStorage.read() lists no more than 128 file systems and says so", async () => {
  const table = Array.from({ length: 200 }, (_, each) => {
    return `1 1 8:${each} / /m${each} rw - ext4 /dev/s${each} rw\n`;
  });
  const storage = new HostStorage({
    readText: () => Promise.resolve(table.join("")),
    clock: new FakeClock(),
    figuresOf: () => Promise.resolve(figures),
  });
  const { filesystems, missing } = await storage.read({ signal });
  assertEquals(filesystems.length, 128);
  assertEquals(missing, [{ field: "filesystems", reason: "only 128 of 200 are listed" }]);
});

Deno.test("HostStorage.read() finds the root without a mount table, and says what is missing", async () => {
  const readText = () => Promise.reject(new Deno.errors.NotFound());
  const storage = new HostStorage({ readText, clock: systemClock });
  const status = await storage.read({ signal });
  assertEquals(placesOf(status)[0], "/");
  assert(status.filesystems[0] && "total_bytes" in status.filesystems[0]);
  assertEquals(status.missing, [
    { field: "filesystems.device", reason: "this system does not tell" },
  ]);
});

Deno.test("HostStorage.read() without a mount table lists each device once, and the dead ones", async () => {
  const clock = new FakeClock();
  const asked: string[] = [];
  const storage = new HostStorage({
    readText: () => Promise.reject(new Deno.errors.NotFound()),
    clock,
    figuresOf: (path) => {
      asked.push(path);
      if (path === "/") return Promise.resolve(figures);
      if (asked.length === 2) return Promise.resolve({ ...figures, device: 2 });
      if (asked.length === 3) return new Promise(() => {});
      if (asked.length === 4) return Promise.reject(new Deno.errors.PermissionDenied());
      return Promise.resolve({ ...figures, device: asked.length % 2 + 1 });
    },
  });
  let isDone = false;
  const reading = storage.read({ signal }).finally(() => isDone = true);
  while (!isDone) await clock.advance(500); // the directories are listed in real time
  const status = await reading;
  assertEquals(placesOf(status), asked.slice(0, 3));
  assertEquals(asked[0], "/");
  assert(status.filesystems[2] && "error" in status.filesystems[2]);
});

Deno.test("HostStorage.read() throws the signal's reason while a file system hangs", async () => {
  const clock = new FakeClock();
  const abort = new AbortController();
  const storage = new HostStorage({
    readText: readTable,
    clock,
    figuresOf: () => new Promise(() => {}),
  });
  const reading = storage.read({ signal: abort.signal });
  await clock.advance(1);
  const reason = new Error("enough");
  abort.abort(reason);
  assertEquals(await assertRejects(() => reading), reason);
  await clock.advance(0);
  assertEquals(clock.sleeping, 0);
});
