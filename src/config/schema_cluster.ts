import * as z from "zod";
import { choice, duration, nonEmpty, section, text, url, yesOrNo } from "./fields.ts";

const SERVERS = "a URL that starts with nats:// or tls://, or a list of such";

const ONE_SERVER = "nats://host:port or tls://host:port of one server; several go into a list";

const ONE_LOGIN = "one login for all servers: that of the first is used everywhere";

const server = url(["nats", "tls"]).refine(isOneServer, { error: ONE_SERVER });

const servers = z.array(server, { error: SERVERS }).min(1, { error: SERVERS })
  .refine(haveOneLogin, { error: ONE_LOGIN });

/** Which clients hear of one that was lost. */
export const LOSSES_TOLD_TO = ["hub", "cluster"] as const;

export const clusterSchema = section({
  nats: z.union([server, servers], { error: SERVERS })
    .describe("Where the NATS server is; a list names the servers of one NATS cluster."),
  ca: nonEmpty("a path of a PEM file").exactOptional()
    .describe("PEM file of the authority behind tls:// servers. Default: the system's."),
  name: text(/^[a-z][a-z0-9_-]{0,63}$/, "lower-case letters, digits, - and _")
    .default("holdfast").describe("Hubs of the same name share one stream."),
  lease: duration({ min: 1000, max: 3_600_000 }).prefault("5s")
    .describe("A leader not heard of for this long is replaced."),
  grace: duration({ min: 0, max: 3_600_000 }).prefault("5s")
    .describe("A hub without NATS for this long polls for itself."),
  tell_losses: choice(LOSSES_TOLD_TO).default("hub")
    .describe("Who hears of a lost client: its own hub's clients, or all the cluster's."),
  share_port: yesOrNo().default(false)
    .describe("Let several hubs on this machine listen on the same port."),
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
