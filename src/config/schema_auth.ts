import * as z from "zod";
import { isChannelName } from "../protocol/channel.ts";
import { duration, nonEmpty, section, text, url, yesOrNo } from "./fields.ts";
import { secret } from "./traits.ts";

const CHANNEL_PATTERN = { pattern: "^[a-z*][a-z0-9_*]{0,63}$" };

const channelOrPattern = 'a channel\'s name, a pattern such as "agent_*", or "*" for all';

function isChannelPattern(text: string): boolean {
  return isChannelName(text) || (text.includes("*") && /^[a-z*][a-z0-9_*]{0,63}$/.test(text));
}

/** A token has to travel in a header, so it is printable ASCII without spaces. */
const TOKEN = /^[\x21-\x7e]{1,4096}$/;

export const tokenSchema = section({
  name: text(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/, "a name of letters, digits, -, _ and .")
    .describe("Who this token is for; logs show it instead of the token."),
  token: secret(text(TOKEN, "1 to 4096 printable characters without spaces"))
    .describe("The secret itself. Use ${ENV} to keep it out of the file."),
  channels: z.array(
    z.string({ error: channelOrPattern })
      .refine(isChannelPattern, { error: channelOrPattern })
      .meta(CHANNEL_PATTERN),
    { error: `a list of channel names, or ["*"] for all` },
  ).default(["*"]).describe(`Channels its bearer may read; "agent_*" is a pattern, "*" is all.`),
  publish: yesOrNo().default(false).describe("Whether its bearer may POST /publish."),
  metrics: yesOrNo().default(false)
    .describe(`Whether its bearer may GET /metrics; one that may read "*" may in any case.`),
});

const jwtSchema = section({
  jwks_url: url(["https", "http"]).exactOptional()
    .describe("Where the issuer publishes its keys (JWKS)."),
  secret: secret(nonEmpty("the shared secret")).exactOptional()
    .describe("Shared secret for HS256. Use ${ENV} to keep it out of the file."),
  issuer: nonEmpty("the issuer's name, as in the token's iss").exactOptional()
    .describe("What a token's iss must be."),
  audience: nonEmpty("the audience, as in the token's aud").exactOptional()
    .describe("What a token's aud must contain."),
  clock_skew: duration({ min: 0, max: 3_600_000 }).prefault("30s")
    .describe("How far the issuer's clock may be off when exp and nbf are checked."),
  keep_keys_for: duration({ min: 0 }).prefault("24h")
    .describe("How long the keys of jwks_url stay in force when no newer ones can be had."),
}).superRefine(({ jwks_url, secret }, context) => {
  if (jwks_url !== undefined || secret !== undefined) return;
  context.addIssue({
    code: "custom",
    message: `"jwks_url" or "secret": without one no token can be checked`,
    params: { found: "neither" },
  });
});

const JWT = `an object with "jwks_url" or "secret", or a list of such`;

export const authSchema = section({
  tokens: z.array(tokenSchema, { error: "a list of tokens" }).default([])
    .describe("Tokens that open the door."),
  jwt: z.union([jwtSchema, z.array(jwtSchema)], { error: JWT })
    .transform((jwt) => [jwt].flat())
    .prefault([])
    .describe("Accept JSON Web Tokens of this issuer, or of each in a list, as well."),
}).prefault({}).describe(
  "Who may connect. With no token and no jwt: anyone who can reach the hub.",
);
