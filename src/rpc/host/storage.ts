import type { Clock } from "../../resilience/clock.ts";
import { type FileSystemUsage, fileSystemUsage } from "./file_system_usage.ts";
import { type Guarded, HangGuard } from "../hang_guard.ts";
import { type Missing, MissingParts } from "./missing_parts.ts";
import { diskMounts, fsTypeOfMagic, isDiskType, type Mount, parseMountinfo } from "./mountinfo.ts";
import { missingPermission } from "./permission.ts";
import { usualMountPoints } from "./usual_mount_points.ts";

/** What `GetStorage` of the host backend gives. */
export interface StorageStatus {
  readonly filesystems: readonly (FileSystemStatus | UnreadableFileSystem)[];
  readonly missing?: readonly Missing[];
}

interface FileSystemName {
  readonly mount_point: string;
  /** Absent where the mount table cannot be read. */
  readonly device?: string;
  readonly fs_type?: string;
  readonly read_only?: boolean;
}

export interface FileSystemStatus extends FileSystemName {
  readonly total_bytes: number;
  readonly used_bytes: number;
  /** Free, with what is kept back for the superuser. */
  readonly free_bytes: number;
  /** Free for everybody. */
  readonly available_bytes: number;
  /** Used, of what everybody can use: as `df` tells it. 0 to 1. */
  readonly used_ratio: number;
  /** Absent on file systems that do not count them. */
  readonly inodes_total?: number;
  readonly inodes_free?: number;
}

/** A file system that did not tell, such as that of a dead file server. */
export interface UnreadableFileSystem extends FileSystemName {
  readonly error: string;
}

export interface HostStorageOptions {
  /** Reads a file of `/proc`. */
  readText: (path: string) => Promise<string>;
  clock: Clock;
  /** Asks about the file system at a mount point. Default: the machine itself. */
  figuresOf?: typeof fileSystemUsage;
}

/** How long one file system may take to answer, in milliseconds. */
const LOOK_DEADLINE_MS = 2000;

/** Most file systems looked at; those with later names are left out and that is said. */
const MAX_FILE_SYSTEMS = 128;

/** Reads how full this machine's disks are. */
export class HostStorage {
  readonly #readText: (path: string) => Promise<string>;
  readonly #figuresOf: typeof fileSystemUsage;
  readonly #guard: HangGuard<FileSystemUsage | undefined>;

  constructor(options: HostStorageOptions) {
    const { readText, clock, figuresOf = fileSystemUsage } = options;
    this.#readText = readText;
    this.#figuresOf = figuresOf;
    this.#guard = new HangGuard({ clock, deadlineMs: LOOK_DEADLINE_MS });
  }

  /**
   * @throws The signal's reason when it is aborted, or the system's error when no file system can
   * be found.
   */
  async read(options: { signal: AbortSignal }): Promise<StorageStatus> {
    const missing = new MissingParts();
    const table = await missing.attempt(
      "filesystems.device",
      async () => parseMountinfo(await this.#readText("/proc/self/mountinfo")),
    );
    const found = table === undefined
      ? await this.#lookAround(options)
      : await this.#look(this.#bounded(diskMounts(table), missing), options);
    const filesystems = found.flatMap(([mount, look]) => statusOf(mount, look) ?? []);
    return { filesystems, ...(missing.parts.length > 0 ? { missing: missing.parts } : {}) };
  }

  #bounded(mounts: readonly Mount[], missing: MissingParts): readonly Mount[] {
    if (mounts.length <= MAX_FILE_SYSTEMS) return mounts;
    missing.add("filesystems", `only ${MAX_FILE_SYSTEMS} of ${mounts.length} are listed`);
    return mounts.slice(0, MAX_FILE_SYSTEMS);
  }

  #look(mounts: readonly NamedMount[], options: { signal: AbortSignal }): Promise<SeenMount[]> {
    return Promise.all(mounts.map(async (mount): Promise<SeenMount> => {
      const { mountPoint } = mount;
      const work = () => this.#figuresOf(mountPoint);
      return [mount, await this.#guard.run(mountPoint, work, options)];
    }));
  }

  /** Without the kernel's table: a directory is a mount point if it is on a device not seen yet. */
  async #lookAround(options: { signal: AbortSignal }): Promise<SeenMount[]> {
    const places = await usualMountPoints();
    const seen = await this.#look(places.map((mountPoint) => ({ mountPoint })), options);
    const devices = new Set<number | null>();
    return seen.filter(([{ mountPoint }, look]) => {
      if (look.kind === "stuck") return true;
      if (look.kind === "failed") return mountPoint === "/"; // others may not be for this process
      const device = look.value?.device ?? null;
      const isNew = !devices.has(device);
      devices.add(device);
      return isNew;
    });
  }
}

/** A mount of which perhaps only the place is known. */
type NamedMount = Pick<Mount, "mountPoint"> & Partial<Mount>;

type SeenMount = readonly [NamedMount, Guarded<FileSystemUsage | undefined>];

function statusOf(
  mount: NamedMount,
  look: Guarded<FileSystemUsage | undefined>,
): FileSystemStatus | UnreadableFileSystem | undefined {
  const { mountPoint, device, readOnly } = mount;
  const figures = look.kind === "done" ? look.value : undefined;
  const fsType = mount.fsType ?? (figures && fsTypeOfMagic(figures.magic));
  const name: FileSystemName = {
    mount_point: mountPoint,
    ...(device === undefined ? {} : { device }),
    ...(fsType === undefined ? {} : { fs_type: fsType }),
    ...(readOnly === undefined ? {} : { read_only: readOnly }),
  };
  if (look.kind === "stuck") {
    const seconds = (look.forMs / 1000).toFixed(1);
    return { ...name, error: `the file system has not answered for ${seconds} s` };
  }
  if (look.kind === "failed") {
    return { ...name, error: missingPermission(look.error) ?? "it could not be read" };
  }
  // A file system mounted on a file or without room is none of a disk, whatever its name.
  if (figures === undefined || figures.units === 0) return undefined;
  if (mountPoint !== "/" && fsType !== undefined && !isDiskType(fsType)) return undefined;
  return { ...name, ...roomOf(figures) };
}

function roomOf(figures: FileSystemUsage): Omit<FileSystemStatus, "mount_point"> {
  const { unitBytes, units, freeUnits, availableUnits, inodes, freeInodes } = figures;
  const usedUnits = units - freeUnits;
  const usable = usedUnits + availableUnits;
  return {
    total_bytes: units * unitBytes,
    used_bytes: usedUnits * unitBytes,
    free_bytes: freeUnits * unitBytes,
    available_bytes: availableUnits * unitBytes,
    used_ratio: usable === 0 ? 0 : usedUnits / usable,
    ...(inodes > 0 ? { inodes_total: inodes, inodes_free: freeInodes } : {}),
  };
}
