const AF_UNIX = 1;

/** Bytes of `sun_path` in `struct sockaddr_un`, its ending NUL included. */
const MAX_PATH_BYTES = 108;

export type UnixAddress =
  | { readonly ok: true; readonly sockaddr: Uint8Array<ArrayBuffer> }
  | { readonly ok: false; readonly why: string };

/**
 * The `sockaddr_un` of a Unix socket as systemd writes it in `NOTIFY_SOCKET`: an absolute path, or
 * `@name` for a name in the abstract namespace. Never throws.
 */
export function unixAddress(path: string): UnixAddress {
  const isAbstract = path.startsWith("@");
  if (!isAbstract && !path.startsWith("/")) {
    return bad(`"${path}" is not a Unix socket; an absolute path or "@name" is`);
  }
  const name = new TextEncoder().encode(path);
  if (name.includes(0)) return bad("a Unix socket's path must not contain a NUL");
  if (name.length >= MAX_PATH_BYTES) {
    return bad(
      `a Unix socket's path has at most ${MAX_PATH_BYTES - 1} bytes; this one has ${name.length}`,
    );
  }
  // A path ends with a NUL; an abstract name begins with one, and its end is the length alone.
  const sockaddr = new Uint8Array(2 + name.length + (isAbstract ? 0 : 1));
  sockaddr[0] = AF_UNIX;
  sockaddr.set(name, 2);
  if (isAbstract) sockaddr[2] = 0;
  return { ok: true, sockaddr };
}

function bad(why: string): UnixAddress {
  return { ok: false, why };
}
