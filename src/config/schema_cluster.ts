import * as z from "zod";
import { choice, duration, filePath, section, text, url, yesOrNo } from "./fields.ts";
import { secret } from "./traits.ts";

const SERVERS = "a URL that starts with nats:// or tls://, or a list of such";

const ONE_SERVER = "nats://host:port or tls://host:port of one server; several go into a list";

const ONE_LOGIN = "one login for all servers: that of the first is used everywhere";

const HUB_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

const NKEY = "a user's seed: SU and 56 more letters and digits, as `nk -gen user` prints it";

const ONE_PROOF = "one way to log in: in the address of `nats`, `credentials` or `nkey`";

const server = url(["nats", "tls"]).refine(isOneServer, { error: ONE_SERVER });

const servers = z.array(server, { error: SERVERS }).min(1, { error: SERVERS })
  .refine(haveOneLogin, { error: ONE_LOGIN });

/** Which clients hear of one that was lost. */
export const LOSSES_TOLD_TO = ["hub", "cluster"] as const;

export const clusterSchema = section({
  nats: z.union([server, servers], { error: SERVERS })
    .describe("Where the NATS server is; a list names the servers of one NATS cluster."),
  ca: filePath("certificate", "a path of a PEM file").exactOptional()
    .describe("PEM file of the authority behind tls:// servers. Default: the system's."),
  cert: filePath("certificate", "a path of a PEM file").exactOptional()
    .describe("PEM file of this hub's certificate, for servers that ask for one; with `key`."),
  key: filePath("private_key", "a path of a PEM file").exactOptional()
    .describe("PEM file of the key to `cert`."),
  credentials: filePath("credentials", "a path of a .creds file").exactOptional()
    .describe("File with a user's JWT and seed, as NATS' tools write it."),
  nkey: secret(text(/^SU[A-Z2-7]{56}$/, NKEY)).exactOptional()
    .describe("Seed of a user's nkey. Use ${ENV} to keep it out of the file."),
  name: text(/^[a-z][a-z0-9_-]{0,63}$/, "lower-case letters, digits, - and _")
    .default("holdfast").describe("Hubs of the same name share one stream."),
  lease: duration({ min: 1000, max: 3_600_000 }).prefault("5s")
    .describe("A leader not heard of for this long is replaced."),
  grace: duration({ min: 0, max: 3_600_000 }).prefault("15s")
    .describe("A hub without NATS for this long polls for itself."),
  hub_name: text(HUB_NAME, "up to 64 letters, digits, . - and _").exactOptional()
    .describe("What this hub is called in /status, logs and metrics. Default: the host's name."),
  tell_losses: choice(LOSSES_TOLD_TO).default("hub")
    .describe("Who hears of a lost client: its own hub's clients, or all the cluster's."),
  share_port: yesOrNo().default(false)
    .describe("Let several hubs on this machine listen on the same port."),
}).superRefine(({ nats, cert, key, credentials, nkey }, context) => {
  if ((cert === undefined) !== (key === undefined)) {
    const [there, missing] = cert === undefined ? ["key", "cert"] : ["cert", "key"];
    context.addIssue({
      code: "custom",
      path: [missing],
      message: `the path of a PEM file, as "${there}" is set`,
    });
  }
  const hasLogin = [nats].flat().some((url) => loginOf(url) !== "");
  if (hasLogin && (credentials ?? nkey) !== undefined) {
    context.addIssue({ code: "custom", path: ["nats"], message: ONE_PROOF });
  }
});

/** Lists in one string are NATS' own tools' habit; here all behind a comma would be lost. */
function isOneServer(value: string): boolean {
  const parsed = URL.parse(value);
  if (parsed === null) return true; // told already
  return !value.includes(",") && /^\/?$/.test(parsed.pathname) && parsed.search === "";
}

function haveOneLogin(urls: readonly string[]): boolean {
  const [first = "", ...rest] = urls.map(loginOf);
  return rest.every((login) => login === "" || login === first);
}

function loginOf(value: string): string {
  const parsed = URL.parse(value);
  return parsed === null || parsed.username === "" ? "" : `${parsed.username}:${parsed.password}`;
}
