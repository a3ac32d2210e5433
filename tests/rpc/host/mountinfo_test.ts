import { diskMounts, fsTypeOfMagic, parseMountinfo } from "../../../src/rpc/host/mountinfo.ts";
import { assert, assertEquals } from "../../support/assert.ts";

function mountPoints(table: string): string[] {
  return diskMounts(parseMountinfo(table)).map((mount) => mount.mountPoint);
}

Deno.test("parseMountinfo() reads places with spaces, optional fields and read-only mounts", () => {
  const table = `22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:1 / /mnt/my\\040disk\\134x rw,relatime shared:1 master:2 - ext4 /dev/my\\040disk rw,discard
28 1 254:2 / /a ro,nosuid - xfs /dev/b rw
29 1 254:3 / /b rw - xfs /dev/c ro,x
nonsense
`;
  const [, disk, a, b] = parseMountinfo(table);
  assertEquals(disk, {
    mountPoint: "/mnt/my disk\\x",
    device: "/dev/my disk",
    fsType: "ext4",
    readOnly: false,
    deviceNumber: "254:1",
  });
  assert(a?.readOnly && b?.readOnly);
  assertEquals(parseMountinfo(table).length, 4);
});

Deno.test("parseMountinfo() takes user and password out of a device that is a URL", () => {
  const [mount] = parseMountinfo("1 1 0:9 / /dav rw - fuse https://u:hunter2@h/dav rw");
  assertEquals(mount?.device, "https://h/dav");
});

Deno.test("diskMounts() leaves out what is no disk", () => {
  const table = `1 1 254:0 / / rw - ext4 /dev/vda rw
2 1 0:21 / /proc rw - proc proc rw
3 1 0:22 / /dev/shm rw - tmpfs tmpfs rw
4 1 7:1 / /snap/x ro - squashfs /dev/loop1 ro
5 1 0:30 / /var/lib/docker/overlay2/x/merged rw - overlay overlay rw
6 1 0:31 / /mnt/nfs rw - nfs4 server:/export rw
7 1 0:32 / /tank rw - zfs tank rw
8 1 0:33 / /mnt/ssh rw - fuse.sshfs h:/ rw
9 1 0:34 / /run/user/0/doc rw - fuse.portal portal rw`;
  assertEquals(mountPoints(table), ["/", "/mnt/nfs", "/mnt/ssh", "/tank"]);
});

Deno.test("diskMounts() includes whatever is mounted at the root", () => {
  assertEquals(mountPoints("1 1 0:9 / / rw - overlay overlay rw"), ["/"]);
  assertEquals(mountPoints("1 1 0:9 / / rw - tmpfs tmpfs rw"), ["/"]);
});

Deno.test("diskMounts() lists a file system once, at its shortest place", () => {
  const table = `1 1 254:1 /x /var/lib/bound rw - ext4 /dev/vdb rw
2 1 254:1 / /data rw - ext4 /dev/vdb rw
3 1 0:40 /home /home rw - btrfs /dev/vdc rw
4 1 0:41 /root / rw - btrfs /dev/vdc rw
5 1 0:50 / /mnt/a rw - nfs4 h:/a rw
6 1 0:51 / /mnt/b rw - nfs4 h:/b rw`;
  assertEquals(mountPoints(table), ["/", "/data", "/mnt/a", "/mnt/b"]);
});

Deno.test("diskMounts() sees only the upper of two mounts on one place", () => {
  const table = `1 1 254:1 / /data rw - ext4 /dev/lower rw
2 1 254:2 / /data rw - xfs /dev/upper rw`;
  assertEquals(diskMounts(parseMountinfo(table)).map((mount) => mount.device), ["/dev/upper"]);
});

Deno.test({
  name: "fsTypeOfMagic() knows the usual kinds",
  ignore: Deno.build.os !== "linux",
  fn() {
    assertEquals(fsTypeOfMagic(0xef53), "ext4");
    assertEquals(fsTypeOfMagic(1), undefined);
  },
});
