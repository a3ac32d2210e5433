import { formatDuration } from "./duration.ts";
import type { ClusterConfig, Config } from "./schema.ts";

/** Shorter tokens can be guessed by whoever may ask often enough. */
const SHORT_TOKEN = 16;

/** RFC 7518 section 3.2: a key for HS256 has at least as many bits as its hash. */
const SHORT_SECRET_BYTES = 32;

/** A leader that dies is replaced within a lease and some two seconds more. */
/** NATS 2.9 took up to 9 seconds to elect another leader of its stream, in milliseconds. */
const NATS_FAILOVER_MS = 10_000;

const LONG_LEASE_MS = 8000;

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|::1|\[::1\])$/i;

/**
 * What is allowed and yet worth a second look, one line each: nothing here stops the hub. For the
 * log at the start and for `config check`.
 *
 * @param options.cores Of this machine.
 */
export function notesOn(
  config: Config,
  { cores }: { cores: number } = { cores: navigator.hardwareConcurrency },
): string[] {
  const { listen, auth, tls, trust_proxy, backends, sources, workers } = config;
  const notes: string[] = [];
  const isOpen = !isAuthOn(config);
  const isPublic = !LOOPBACK.test(listen.hostname);
  if (isOpen && isPublic) {
    notes.push("auth: none, and the hub listens on more than loopback: anyone may connect");
  }
  if (!isOpen && isPublic && tls === undefined && !trust_proxy) {
    notes.push("tls: none, so that tokens travel unencrypted unless a proxy adds it");
  }
  for (const { name, token } of auth.tokens) {
    if (token.length < SHORT_TOKEN) {
      notes.push(`auth.tokens: the token "${name}" has fewer than ${SHORT_TOKEN} characters`);
    }
  }
  for (const { secret } of auth.jwt) {
    if (secret === undefined) continue;
    if (new TextEncoder().encode(secret).length >= SHORT_SECRET_BYTES) continue;
    notes.push(`auth.jwt: a secret of fewer than ${SHORT_SECRET_BYTES} bytes`);
  }
  for (const { name, url, secret, body } of config.hooks) {
    const { protocol, hostname } = new URL(url);
    if (protocol === "http:" && !LOOPBACK.test(hostname)) {
      notes.push(`hooks: "${name}" is called without TLS`);
    }
    // With a body of its own it is a chat tool, which does not look at signatures.
    if (secret === undefined && body === undefined) {
      notes.push(`hooks: "${name}" has no secret, so that its calls are not signed`);
    }
  }
  for (const name of Object.keys(backends)) {
    if (!sources.some(({ backend }) => backend === name)) {
      notes.push(`backends.${name}: no source asks it`);
    }
  }
  if (workers !== "auto" && workers > cores) {
    notes.push(`workers: ${workers} on a machine of ${cores}: more than one a core brings nothing`);
  }
  return config.cluster === undefined ? notes : [...notes, ...notesOnCluster(config.cluster)];
}

function notesOnCluster(cluster: ClusterConfig): string[] {
  const { nats, ca, cert, credentials, nkey, lease, grace } = cluster;
  const servers = [nats].flat().flatMap((each) => URL.parse(each) ?? []);
  const [first] = servers;
  const isEncrypted = servers.some(({ protocol }) => protocol === "tls:");
  const isFar = servers.some(({ hostname }) => !LOOPBACK.test(hostname));
  const notes: string[] = [];
  const hasProof = [cert, credentials, nkey].some((proof) => proof !== undefined);
  if (isFar && first?.username === "" && !hasProof) {
    notes.push(
      "cluster.nats: no login, on more than loopback: anyone who reaches NATS can send to every client",
    );
  }
  if (isFar && !isEncrypted) {
    notes.push("cluster.nats: not tls://, so that all that hubs share travels unencrypted");
  }
  if (ca !== undefined && !isEncrypted) {
    notes.push("cluster.ca: of no use, as no server is a tls:// one");
  }
  if (credentials !== undefined && nkey !== undefined) {
    notes.push("cluster.nkey: of no use, as the seed in cluster.credentials goes");
  }
  if (cert !== undefined && !isEncrypted) {
    notes.push("cluster.cert: of no use, as no server is a tls:// one");
  }
  if (servers.length > 1 && grace < NATS_FAILOVER_MS) {
    notes.push(
      `cluster.grace: shorter than NATS may take to replace one of its servers (${
        formatDuration(NATS_FAILOVER_MS)
      }), so that each such time hubs go alone`,
    );
  }
  if (lease > LONG_LEASE_MS) {
    notes.push(
      `cluster.lease: a leader that dies is missed for up to ${
        formatDuration(lease)
      } and some seconds`,
    );
  }
  return notes;
}

/** Whether a client needs a token. */
export function isAuthOn({ auth }: Config): boolean {
  return auth.tokens.length > 0 || auth.jwt.length > 0;
}
