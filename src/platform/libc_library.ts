/** The C library as it is opened: where it lies, and which of its functions are used. */

/** What of the C library is called, and nothing else. */
const SYMBOLS = {
  __errno_location: { parameters: [], result: "pointer" },
  clock_gettime: { parameters: ["i32", "buffer"], result: "i32" },
  memcpy: { parameters: ["buffer", "pointer", "usize"], result: "void" },
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  // `open` and `ioctl` take a variable list in C; on Linux x86_64 and aarch64 that is passed alike.
  open: { parameters: ["buffer", "i32"], result: "i32" },
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  // Not in a glibc before 2.30: missing there, and with it the count of descriptors.
  getdents64: { parameters: ["i32", "buffer", "usize"], result: "isize", optional: true },
  sendto: { parameters: ["i32", "buffer", "usize", "i32", "buffer", "u32"], result: "isize" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  // Variable in C as well; the kernel wants all five.
  prctl: { parameters: ["i32", "usize", "usize", "usize", "usize"], result: "i32" },
  shutdown: { parameters: ["i32", "i32"], result: "i32" },
  ioctl: { parameters: ["i32", "usize", "buffer"], result: "i32" },
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  getpeername: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

export type LibcLibrary = Deno.DynamicLibrary<typeof SYMBOLS>;

/** Why there is no C library, for the log. */
export interface LibcUnavailable {
  readonly unavailable: string;
}

/**
 * Where glibc lies: Debian and its kin, then Red Hat and its kin. musl is left out on purpose:
 * Deno itself is linked with glibc, and a second C library of another kind in one process would
 * keep its `errno` in memory that belongs to the first.
 */
const PATHS: Readonly<Record<string, readonly string[]>> = {
  x86_64: ["/lib/x86_64-linux-gnu/libc.so.6", "/lib64/libc.so.6"],
  aarch64: ["/lib/aarch64-linux-gnu/libc.so.6", "/lib64/libc.so.6"],
};

export interface OpenLibraryOptions {
  /** Default: `Deno.build`. */
  build?: { readonly os: string; readonly arch: string };
}

/** Opens the C library, or tells why not. Never asks for a permission, never throws. */
export function openLibrary(options: OpenLibraryOptions = {}): LibcLibrary | LibcUnavailable {
  const { os, arch } = options.build ?? Deno.build;
  if (os !== "linux") return { unavailable: `it is used on Linux only; this is ${os}` };
  const paths = PATHS[arch];
  if (paths === undefined) {
    return { unavailable: `it is used on x86_64 and aarch64 only; this is ${arch}` };
  }
  const reasons: string[] = [];
  for (const path of paths) {
    const { state } = Deno.permissions.querySync({ name: "ffi", path });
    if (state !== "granted") {
      reasons.push(`${path} needs --allow-ffi=${path}`);
      continue;
    }
    try {
      return Deno.dlopen(path, SYMBOLS);
    } catch (error) {
      reasons.push(`${path} could not be opened (${firstLine(error)})`);
    }
  }
  return { unavailable: reasons.join("; ") };
}

function firstLine(error: unknown): string {
  const [line = ""] = (error instanceof Error ? error.message : String(error)).split("\n");
  return line;
}
