/** One mount of `/proc/self/mountinfo`. */
export interface Mount {
  readonly mountPoint: string;
  /** Where it comes from, such as `/dev/sda1` or `server:/export`. */
  readonly device: string;
  readonly fsType: string;
  readonly readOnly: boolean;
  /** The kernel's `major:minor` of the file system. */
  readonly deviceNumber: string;
}

/**
 * File systems that are no disk: the kernel's own, memory (tmpfs and its kin), automounter traps,
 * and the read-only images of snaps, which are always full and would only raise false alarms.
 */
const NOT_A_DISK: ReadonlySet<string> = new Set([
  ...["autofs", "binder", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "cpuset"],
  ...["debugfs", "devfs", "devpts", "devtmpfs", "efivarfs", "erofs", "functionfs", "fusectl"],
  ...["hugetlbfs", "mqueue", "none", "nsfs", "overlay", "pipefs", "proc", "pstore", "ramfs"],
  ...["resctrl", "rootfs", "rpc_pipefs", "securityfs", "selinuxfs", "smackfs", "sockfs"],
  ...["squashfs", "sysfs", "tmpfs", "tracefs"],
  ...["fuse.gvfsd-fuse", "fuse.lxcfs", "fuse.portal", "fuse.snapfuse", "fuse.vmware-vmblock"],
]);

/** Kinds of file system by the number `statfs(2)` gives, for when the mount table is out of reach. */
const BY_MAGIC: ReadonlyMap<number, string> = new Map([
  [0x01021994, "tmpfs"],
  [0x2fc12fc1, "zfs"],
  [0x4d44, "vfat"],
  [0x58465342, "xfs"],
  [0x65735546, "fuse"],
  [0x6969, "nfs"],
  [0x73717368, "squashfs"],
  [0x794c7630, "overlay"],
  [0x858458f6, "ramfs"],
  [0x9123683e, "btrfs"],
  [0xef53, "ext4"],
  [0xff534d42, "cifs"],
]);

/** The kind of file system with this number; `undefined` off Linux, where the numbers differ. */
export function fsTypeOfMagic(magic: number): string | undefined {
  return Deno.build.os === "linux" ? BY_MAGIC.get(magic) : undefined;
}

/** Whether file systems of this type keep their files on a disk, here or elsewhere. */
export function isDiskType(fsType: string): boolean {
  return !NOT_A_DISK.has(fsType);
}

/** Reads `/proc/self/mountinfo` (proc(5)). Lines it cannot read are left out. */
export function parseMountinfo(text: string): Mount[] {
  return text.split("\n").flatMap((line) => {
    const [left = "", right] = line.split(" - ");
    if (right === undefined) return [];
    const [, , deviceNumber, , mountPoint, options = ""] = left.split(" ");
    const [fsType, device, superOptions = ""] = right.split(" ");
    if (!deviceNumber || !mountPoint || !fsType || device === undefined) return [];
    return [{
      mountPoint: unescape(mountPoint),
      device: withoutUser(unescape(device)),
      fsType,
      readOnly: isReadOnly(options) || isReadOnly(superOptions),
      deviceNumber,
    }];
  });
}

/**
 * The mounts that are file systems of their own: no pseudo file systems; of mounts upon each other
 * the upper one; of several mounts of one file system that with the shortest path. Whatever is
 * mounted at `/` is included: a container has nothing else (`overlay`), nor has a live system.
 */
export function diskMounts(mounts: readonly Mount[]): Mount[] {
  const visible = new Map(mounts.map((mount) => [mount.mountPoint, mount]));
  const byFileSystem = new Map<string, Mount>();
  for (const mount of visible.values()) {
    if (mount.mountPoint !== "/" && !isDiskType(mount.fsType)) continue;
    // Subvolumes of one device have device numbers of their own, and one device's room.
    const key = mount.device.startsWith("/dev/") ? mount.device : mount.deviceNumber;
    const other = byFileSystem.get(key);
    if (other === undefined || mount.mountPoint.length < other.mountPoint.length) {
      byFileSystem.set(key, mount);
    }
  }
  return [...byFileSystem.values()].sort((a, b) => a.mountPoint < b.mountPoint ? -1 : 1);
}

/** Undoes the kernel's octal escapes of space, tab, newline and backslash. */
function unescape(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(parseInt(octal, 8)));
}

/** A device may be a URL (WebDAV, SSH) with a user and a password in it. */
function withoutUser(device: string): string {
  return device.replace(/^(\w+:\/\/)[^/@]*@/, "$1");
}

function isReadOnly(options: string): boolean {
  return options.split(",").includes("ro");
}
