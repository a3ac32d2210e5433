import * as z from "zod";
import { TRANSPORT_ALIASES } from "./aliases.ts";
import {
  choice,
  duration,
  filePath,
  inOrder,
  nonEmpty,
  section,
  text,
  url,
  wholeNumber,
  yesOrNo,
} from "./fields.ts";
import { secret, withTraits } from "./traits.ts";

/** Methods of the `host` transport, which answers in process. */
export const HOST_METHODS = ["GetSystemStatus", "GetStorage"] as const;

/** The one gRPC method that is known without a `.proto` file. */
export const GRPC_HEALTH_METHOD = "grpc.health.v1.Health/Check";

/** What a backend's name looks like; it is a key, so cross_checks.ts looks at it. */
export const BACKEND_NAME = /^[a-z][a-z0-9_-]{0,63}$/;

const MEBIBYTE = 1024 * 1024;

/** A frame is one string, and the runtime has none of more than 2^29 characters. */
const MOST_RESPONSE_BYTES = 384 * MEBIBYTE;

const retry = section({
  attempts: wholeNumber(1, 100).default(2)
    .describe("Calls made in all, the first one included: 1 is no retry."),
  min: duration({ min: 0 }).prefault("100ms")
    .describe("Nominal wait before the first retry; each further one is twice as long."),
  max: duration({ min: 0 }).prefault("2s").describe("Longest wait between two attempts."),
})
  .superRefine(inOrder({ shorter: "min", longer: "max" }))
  .prefault({})
  .describe("How a call that found its backend unavailable is tried again: full jitter.");

const breaker = section({
  failures: wholeNumber(1, 1000).default(3)
    .describe("Unavailable outcomes in a row, over all sources of the backend, that open it."),
  open_for: duration().prefault("30s").describe("How long it stays open before a trial call."),
  max_open_for: duration().prefault("5m")
    .describe("The most it stays open, as failed trials double the time."),
})
  .superRefine(inOrder({ shorter: "open_for", longer: "max_open_for" }))
  .prefault({})
  .describe("When to stop asking a backend that does not answer.");

const healthCheck = section({
  method: withTraits(nonEmpty("a method's name"), { query: true }).exactOptional().describe(
    "The method called to see whether the backend is alive again. Default: what the source asks " +
      "that found it unavailable last.",
  ),
  every: duration({ min: 10 }).prefault("10s").describe("Time between two checks."),
  timeout: duration().prefault("5s").describe("How long one check may take."),
}).prefault({}).describe(
  "How a backend is watched while its breaker is open. An answer closes it; a rejection does not.",
);

/** What every backend has, whatever it speaks. */
const common = {
  timeout: duration().prefault("5s").describe("How long one call may take, retries included."),
  retry,
  breaker,
  health_check: healthCheck,
  max_in_flight: wholeNumber(1, 1000).default(8)
    .describe("Calls at a time, over all its sources; further polls wait for their turn."),
  max_response_bytes: wholeNumber(1, MOST_RESPONSE_BYTES).default(8 * MEBIBYTE)
    .describe("Largest response body accepted, in bytes, after decompression."),
};

/** A name as RFC 9110 section 5.1 has it; no value may smuggle in a line of its own. */
export const headerRecord = secret(z.record(
  text(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, "a header name: letters, digits and -"),
  text(/^[\t\x20-\x7e\x80-\xff]*$/, "a string without line breaks or control characters"),
  { error: "an object of header names and values" },
));

export const headers = headerRecord.default({}).describe(
  "Headers (gRPC: metadata) sent with every call. Use ${ENV} for secrets.",
);

const httpUrl = url(["http", "https"]);

const PROXY = `"none", "environment" or a proxy's URL (http, https, socks5 or socks5h)`;

export const proxy = withTraits(
  text(/^(none|environment|(https?|socks5h?):\/\/[^\s/?#]+\/?)$/, PROXY)
    .refine((value) => !value.includes(":") || URL.canParse(value), { error: PROXY }),
  { url: true },
)
  .default("none")
  .describe(
    "How it is reached: straight, as http_proxy, https_proxy, all_proxy and no_proxy say, or " +
      "through this proxy. Loopback addresses never go through one.",
  );

const jsonRpc = section({
  transport: z.literal("json-rpc").describe("JSON-RPC 2.0 over HTTP POST."),
  url: httpUrl.describe("Where requests are posted to."),
  headers,
  proxy,
  batch: yesOrNo().default(false).describe(
    "Sources of one pace are polled together, in one batch request; the server has to know them.",
  ),
  ...common,
});

const httpJson = section({
  transport: z.literal("http-json").describe("GET url + method; the JSON body is the value."),
  url: httpUrl.describe("What a source's method is appended to."),
  headers,
  proxy,
  redirects: choice(["none", "same_host", "any"]).default("same_host").describe(
    "Where redirects may lead. Configured headers never go to another origin.",
  ),
  ...common,
});

const grpcTls = section({
  ca: filePath("certificate", "a file path").exactOptional().describe(
    "PEM file of the authorities to trust.",
  ),
  cert: filePath("certificate", "a file path").exactOptional().describe(
    "PEM file of the client certificate.",
  ),
  key: filePath("private_key", "a file path").exactOptional().describe(
    "PEM file of the client's private key.",
  ),
}).superRefine(({ cert, key }, context) => {
  if ((cert === undefined) === (key === undefined)) return;
  context.addIssue({
    code: "custom",
    path: [cert === undefined ? "cert" : "key"],
    message: `a file path: "cert" and "key" belong together`,
  });
});

const grpc = section({
  transport: z.literal("grpc").describe(
    "gRPC calls and server streams: method is package.Service/Method.",
  ),
  url: httpUrl.describe("http:// is plaintext, https:// is TLS."),
  proto: filePath("proto", "a path of a .proto file").exactOptional()
    .describe("The .proto file that describes the methods; needed for all but health checks."),
  tls: grpcTls.exactOptional().describe("For https:// only: other than the system's authorities."),
  headers,
  ...common,
});

const sse = section({
  transport: z.literal("sse")
    .describe("Server-sent events: a source's method is a path, each event's data is a value."),
  url: httpUrl.describe("What a source's method is appended to."),
  headers,
  proxy,
  ...common,
});

const host = section({
  transport: z.literal("host").describe("In process: reads this machine. No url, no headers."),
  ...common,
});

export const TRANSPORTS = ["json-rpc", "http-json", "grpc", "sse", "host"] as const;

/** One backend; `transport` decides which keys it has. */
export const backendSchema = z.discriminatedUnion(
  "transport",
  [jsonRpc, httpJson, grpc, sse, host],
  {
    error: (issue) =>
      issue.code === "invalid_union"
        ? choiceOfTransport(issue.input)
        : `an object with "transport" and what that transport needs`,
  },
);

function choiceOfTransport(backend: unknown): string {
  const found = (backend as { transport?: unknown }).transport;
  return choice(TRANSPORTS, TRANSPORT_ALIASES).safeParse(found).error?.issues[0]?.message ??
    TRANSPORTS.join(", ");
}
