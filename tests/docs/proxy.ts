import { OLD as CERTIFIED } from "../support/certificates.ts";
import { PATIENCE_MS } from "../support/until.ts";
import { substitute } from "./substitute.ts";
import { TlsTunnel } from "./tls_tunnel.ts";

const FOLDER = new URL("../../docs/operations/", import.meta.url);

/** How often to try whether it listens, in milliseconds. */
const TRY_EVERY_MS = 20;

/** None of them can be told to choose a port, and somebody else may take the one that was free. */
const TRIES = 3;

/** The idle timeout in all three snippets. */
const IDLE = "75s";

/** What stands in for what is this machine's own: where the files are, and which port is free. */
interface Place {
  /** A folder with `hub.pem`, `hub.key` and `both.pem`. */
  readonly folder: string;
  /** Port to listen on. */
  readonly port: number;
  /** HOST:PORT of the hub. */
  readonly hub: string;
  /** Idle timeout, such as `4s`. */
  readonly idle: string;
}

interface Kind {
  readonly program: string;
  readonly debianPackage: string;
  readonly file: string;
  /** The snippet, made to run in a place; writes further files if it must. */
  readonly render: (snippet: string, place: Place) => string;
  readonly args: (file: string, place: Place) => string[];
}

/** The proxies that docs/operations.md has snippets for. */
export const PROXIES = {
  nginx: {
    program: "nginx",
    debianPackage: "nginx-light",
    file: "nginx.conf",
    render: (snippet, { folder, port, hub, idle }) => {
      // As /etc/nginx/nginx.conf includes it, with everything else in the folder.
      const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map((what) => `${what}_temp_path ${folder}/${what};`).join("\n");
      const site = substitute(snippet, {
        "listen 443 ssl": `listen 127.0.0.1:${port} ssl`,
        "/etc/nginx/tls/hub.": `${folder}/hub.`,
        "/var/log/nginx/holdfast.log": `${folder}/access.log`,
        "127.0.0.1:8787": hub,
        [IDLE]: idle,
      });
      return `daemon off;\nmaster_process off;\npid ${folder}/pid;\n` +
        `events {}\nhttp {\n${temporary}\n${site}\n}\n`;
    },
    args: (file, { folder }) => ["-p", folder, "-c", file, "-e", `${folder}/error.log`],
  },
  Caddy: {
    program: "caddy",
    debianPackage: "caddy",
    file: "Caddyfile",
    render: (snippet, { folder, port, hub, idle }) =>
      `{\nadmin off\nauto_https disable_redirects\ndefault_bind 127.0.0.1\n` +
      `servers {\nprotocols h1 h2\n}\n}\n` +
      substitute(snippet, {
        "hub.example.com {":
          `https://localhost:${port}, https://127.0.0.1:${port} {\ntls ${folder}/hub.pem ${folder}/hub.key`,
        "127.0.0.1:8787": hub,
        [IDLE]: idle,
      }),
    args: (file) => ["run", "--adapter", "caddyfile", "--config", file],
  },
  HAProxy: {
    program: "haproxy",
    debianPackage: "haproxy",
    file: "haproxy.cfg",
    render: (snippet, { folder, port, hub, idle }) =>
      substitute(snippet, {
        "maxconn 11000": "maxconn 100", // descriptors may be few here
        "bind :443": `bind 127.0.0.1:${port}`,
        "/etc/haproxy/tls/hub.pem": `${folder}/both.pem`,
        "127.0.0.1:8787": hub,
        [IDLE]: idle,
      }),
    args: (file) => ["-db", "-f", file],
  },
} satisfies Record<string, Kind>;

export type ProxyName = keyof typeof PROXIES;

export interface ProxyOptions {
  /** The hub's address, such as `http://127.0.0.1:40123`. */
  hub: string;
  /** Whole seconds, instead of the documented 75. Default: those. */
  idleSeconds?: number;
}

/** A proxy of Debian's with the documented snippet, on a port of its own in front of a hub. */
export class Proxy implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #folder: string;
  readonly #port: number;
  readonly #tunnel: TlsTunnel;
  readonly #stderr: Promise<string>;

  private constructor(child: Deno.ChildProcess, { folder, port }: Place) {
    this.#child = child;
    this.#folder = folder;
    this.#port = port;
    this.#stderr = new Response(child.stderr).text();
    this.#tunnel = new TlsTunnel({ hostname: "127.0.0.1", port }, CERTIFIED.cert);
  }

  /** Starts it and waits until it listens. */
  static async start(name: ProxyName, options: ProxyOptions): Promise<Proxy> {
    for (let triesLeft = TRIES - 1;; triesLeft--) {
      try {
        return await Proxy.#tryToStart(name, options);
      } catch (error) {
        if (triesLeft === 0) throw error;
      }
    }
  }

  static async #tryToStart(name: ProxyName, options: ProxyOptions): Promise<Proxy> {
    const { program, file, render, args }: Kind = PROXIES[name];
    const { hub, idleSeconds } = options;
    const folder = await Deno.makeTempDir({ prefix: "holdfast-test-" });
    const place: Place = {
      folder,
      port: freePort(),
      hub: new URL(hub).host,
      idle: idleSeconds === undefined ? IDLE : `${idleSeconds}s`,
    };
    const { cert, key } = CERTIFIED;
    const files = { "hub.pem": cert, "hub.key": key, "both.pem": cert + key };
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(`${folder}/${name}`, text);
    }
    const path = `${folder}/${file}`;
    await Deno.writeTextFile(path, render(await Deno.readTextFile(new URL(file, FOLDER)), place));
    const child = new Deno.Command(program, {
      args: args(path, place),
      // Debian has some of them where only the superuser looks; Caddy keeps things at home.
      env: { PATH: `${Deno.env.get("PATH")}:/usr/sbin`, HOME: folder, XDG_DATA_HOME: folder },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const proxy = new Proxy(child, place);
    try {
      await proxy.#listening();
      return proxy;
    } catch (error) {
      await proxy[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Where to reach it without TLS, by a tunnel: for clients that trust nobody. */
  get url(): string {
    return this.#tunnel.url;
  }

  get wsUrl(): string {
    return `${this.url.replace(/^http/, "ws")}/ws`;
  }

  /** What it logged of requests; empty if it keeps no log. */
  async accessLog(): Promise<string> {
    return await Deno.readTextFile(`${this.#folder}/access.log`);
  }

  /** Where it is itself. */
  get origin(): string {
    return `https://localhost:${this.#port}`;
  }

  /** Asks it by curl, over TLS; resolves with the status. */
  async curl(path: string, args: readonly string[] = [], body = ""): Promise<number> {
    const child = new Deno.Command("curl", {
      args: [
        ...["--silent", "--show-error", "--ipv4", "--max-time", "15"],
        ...["--cacert", `${this.#folder}/hub.pem`, "--output", "/dev/null"],
        ...["--write-out", "%{http_code}", ...args, `${this.origin}${path}`],
      ],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(body)).catch(() => {}); // it may not want it
    await writer.close().catch(() => {});
    const { code, stdout, stderr } = await child.output();
    const decoder = new TextDecoder();
    if (code !== 0) throw new Error(`curl failed: ${decoder.decode(stderr)}`);
    return Number(decoder.decode(stdout));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tunnel[Symbol.asyncDispose]();
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It ended by itself.
    }
    await this.#child.status;
    await this.#stderr;
    await Deno.remove(this.#folder, { recursive: true });
  }

  async #listening(): Promise<void> {
    let hasEnded = false;
    const ended = this.#child.status.then(() => hasEnded = true);
    const giveUpAt = performance.now() + PATIENCE_MS;
    while (!await accepts(this.#port)) {
      if (hasEnded) throw new Error(`it ended: ${await this.#stderr}`);
      if (performance.now() > giveUpAt) throw new Error("it does not listen");
      let timer: ReturnType<typeof setTimeout> | undefined;
      const next = new Promise((resolve) => timer = setTimeout(resolve, TRY_EVERY_MS));
      await Promise.race([ended, next]);
      clearTimeout(timer);
    }
  }
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function accepts(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch {
    return false;
  }
}
