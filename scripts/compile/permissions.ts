/**
 * What the executable may do: for good, and the union of what its commands need, as there is no way
 * to give one more later. `serve` gives up what only others need before it opens its door
 * (`giveUpPermissions`), and the systemd unit narrows it further from outside.
 */
export const PERMISSIONS: readonly string[] = [
  // Where nobody can answer a question, what is not allowed is refused.
  "--no-prompt",
  // It listens where the configuration says, and calls the backends that the configuration names.
  "--allow-net",
  // `${NAME}` in a configuration is any variable; NOTIFY_SOCKET and its like are taken out again.
  "--allow-env",
  // The configuration, certificates, .proto files and, for the host backend, /proc and the disks.
  "--allow-read",
  // The host backend: memory, load, uptime.
  "--allow-sys",
  // The C library at exactly the places where `src/platform/libc_library.ts` looks for it.
  `--allow-ffi=${
    [
      "/lib/x86_64-linux-gnu/libc.so.6",
      "/lib/aarch64-linux-gnu/libc.so.6",
      "/lib64/libc.so.6",
    ].join(",")
  }`,
  // For gRPC backends and for `demo`, which start this executable once more (where it lies is not
  // known when it is made), and for `backend`, which writes into the folder it is given.
  "--allow-run",
  "--allow-write",
];
