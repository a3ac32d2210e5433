/** How a message reaches the service manager (systemd): a datagram, or else its own helper program. */
import { systemClock } from "../resilience/clock.ts";
import { withDeadline } from "../resilience/with_deadline.ts";
import { type Libc, openLibc as openSystemLibc } from "../platform/libc.ts";

/** How sending ended. */
export type Sent =
  | { readonly ok: true }
  /** `again`: only for the moment, as the receiver's queue is full. */
  | { readonly ok: false; readonly why: string; readonly again: boolean };

export interface NotifyChannel extends Disposable {
  /** Sends one message of `NAME=value` lines. Never throws. */
  send(message: string): Sent | Promise<Sent>;
  /** The machine's monotonic clock in microseconds; `undefined` if it cannot be read. */
  monotonicMicroseconds(): bigint | undefined;
}

export interface NotifyChannelOptions {
  /** Value of `NOTIFY_SOCKET`: an absolute path, or `@name` for an abstract socket. */
  socket: string;
  /** Value of `PATH`, to find the helper program by. */
  path?: string | undefined;
  /** Opens the C library. Default: the system's; a test may refuse it. */
  openLibc?: typeof openSystemLibc;
}

/** The helper program, from the package of systemd itself. */
const HELPER = "systemd-notify";

/** Longest run of the helper program, in milliseconds; it takes about 10. */
const HELPER_MS = 2000;

/**
 * Opens the best way there is, or tells why there is none. A datagram by the C library comes from
 * this very process, so systemd knows it as the service's (`NotifyAccess=main` is enough).
 */
export function openNotifyChannel(
  options: NotifyChannelOptions,
): NotifyChannel | { readonly unavailable: string } {
  const { socket, path, openLibc = openSystemLibc } = options;
  const libc = openLibc();
  if (!("unavailable" in libc)) return datagrams(libc, socket);
  const { state } = Deno.permissions.querySync({ name: "run", command: HELPER });
  if (state === "granted") return helperProgram(socket, path);
  const why = `${libc.unavailable}; ${HELPER} needs --allow-run=${HELPER}`;
  return { unavailable: why };
}

function datagrams(libc: Libc, socket: string): NotifyChannel {
  const encoder = new TextEncoder();
  return {
    send(message) {
      const result = libc.sendDatagram(socket, encoder.encode(message));
      if (result.ok) return result;
      return { ...result, again: /: (EAGAIN|ENOBUFS|EINTR)$/.test(result.why) };
    },
    monotonicMicroseconds: () => libc.monotonicMicroseconds(),
    [Symbol.dispose]: () => libc[Symbol.dispose](),
  };
}

/**
 * The helper is a process of its own, so the unit needs `NotifyAccess=all`; and there is no way to
 * the monotonic clock, which only `Type=notify-reload` asks for.
 */
function helperProgram(socket: string, path: string | undefined): NotifyChannel {
  const disposed = new AbortController();
  return {
    async send(message) {
      try {
        const run = (signal: AbortSignal) =>
          new Deno.Command(HELPER, {
            args: ["--no-block", ...message.split("\n")],
            clearEnv: true, // it needs none of our secrets
            env: { NOTIFY_SOCKET: socket, ...(path === undefined ? {} : { PATH: path }) },
            stdin: "null",
            stdout: "null",
            stderr: "null",
            signal,
          }).output();
        const ended = await withDeadline(systemClock, HELPER_MS, run, { signal: disposed.signal });
        if (ended.isLate) {
          return { ok: false, why: `${HELPER} did not end within ${HELPER_MS} ms`, again: false };
        }
        const { success, code } = ended.value;
        if (success) return { ok: true };
        return { ok: false, why: `${HELPER} ended with ${code}`, again: false };
      } catch (error) {
        const [why] = String(error instanceof Error ? error.message : error).split("\n");
        return { ok: false, why: `${HELPER}: ${why}`, again: false };
      }
    },
    monotonicMicroseconds: () => undefined,
    [Symbol.dispose]: () => disposed.abort(),
  };
}
