/** How a hub shows a NATS server who it is, and how little it has to be allowed. */
import { nkeys } from "@nats-io/nats-core";
import type { NatsAddress } from "../../../src/cluster/nats/address.ts";
import { BrokerError } from "../../../src/cluster/broker.ts";
import { assert, assertEquals, assertRejects } from "../../support/assert.ts";
import { OLD, RENEWED } from "../../support/certificates.ts";
import { hasNatsServer, NatsServer } from "../../support/nats.ts";
import { open, readFrom } from "./support.ts";

const ignore = !hasNatsServer();

const decoder = new TextDecoder();

/** Does all that a hub does with its broker. */
async function useAll(address: NatsAddress, cluster = "test"): Promise<void> {
  await using broker = await open(address, { cluster });
  let freed = 0;
  await broker.onLeaseFreed(() => freed += 1);
  assert(await broker.lease.take("one"));
  assertEquals(await broker.lease.renew(), true);
  const { last } = await broker.state();
  const { until } = await readFrom(broker, last + 1);
  const fence = (await broker.newestOfLeaders())?.seq ?? 0;
  const claim = { as: "leader", id: crypto.randomUUID(), fence } as const;
  assertEquals((await broker.append("claim", claim)).kind, "stored");
  await broker.append("event", { as: "anyone", id: crypto.randomUUID() });
  await until(2);
  await broker.latest.put("a", last + 1, "value");
  assertEquals((await broker.latest.all()).size, 1);
  const heard = Promise.withResolvers<string>();
  broker.listen("topic", heard.resolve);
  broker.say("topic", "heard");
  assertEquals(await heard.promise, "heard");
  await broker.lease.release();
  assertEquals(broker.lost.aborted, false);
}

Deno.test({
  name: "NatsBroker logs in with an nkey, and is refused with another",
  ignore,
  async fn() {
    const user = nkeys.createUser();
    const users = [{ nkey: user.getPublicKey() }];
    await using nats = await NatsServer.start({ also: { authorization: { users } } });
    await useAll({ servers: [nats.url], nkey: decoder.decode(user.getSeed()) });
    const stranger = decoder.decode(nkeys.createUser().getSeed());
    const refused = () => open({ servers: [nats.url], nkey: stranger });
    const { message } = await assertRejects(refused, BrokerError);
    assert(/authorization/i.test(message) && !message.includes(stranger), message);
  },
});

Deno.test({
  name: "NatsBroker logs in with a file of credentials, read at each connection",
  ignore,
  async fn() {
    const [operator, account, system] = [
      nkeys.createOperator(),
      nkeys.createAccount(),
      nkeys.createAccount(),
    ];
    const jwtOf = (nats: object, { of, by, name }: Signed) => {
      const claims = {
        jti: crypto.randomUUID(),
        iat: Math.floor(Date.now() / 1000),
        iss: by.getPublicKey(),
        sub: of.getPublicKey(),
        name,
        nats: { version: 2, ...nats },
      };
      const parts = [{ typ: "JWT", alg: "ed25519-nkey" }, claims].map((part) =>
        base64url(new TextEncoder().encode(JSON.stringify(part)))
      );
      const signed = parts.join(".");
      return `${signed}.${base64url(by.sign(new TextEncoder().encode(signed)))}`;
    };
    const limits = {
      ...{ subs: -1, data: -1, payload: -1, imports: -1, exports: -1, wildcards: true },
      ...{ conn: -1, leaf: -1, mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 },
    };
    const accountJwt = (of: KeyPair, name: string) =>
      jwtOf({ type: "account", limits }, { of, by: operator, name });
    await using nats = await NatsServer.start({
      also: {
        operator: jwtOf(
          { type: "operator", system_account: system.getPublicKey() },
          { of: operator, by: operator, name: "op" },
        ),
        resolver: "MEMORY",
        system_account: system.getPublicKey(),
        resolver_preload: {
          [account.getPublicKey()]: accountJwt(account, "hubs"),
          [system.getPublicKey()]: jwtOf(
            { type: "account", limits: { ...limits, mem_storage: 0, disk_storage: 0 } },
            { of: system, by: operator, name: "SYS" },
          ),
        },
      },
    });
    const user = nkeys.createUser();
    const jwt = jwtOf(
      { type: "user", subs: -1, data: -1, payload: -1, pub: {}, sub: {} },
      { of: user, by: account, name: "hub" },
    );
    const file = await Deno.makeTempFile({ suffix: ".creds" });
    try {
      const address = { servers: [nats.url], credentials: file };
      const empty = await assertRejects(() => open(address), BrokerError);
      assert(/credentials/i.test(empty.message), empty.message);
      await Deno.writeTextFile(file, credentialsOf(jwt, decoder.decode(user.getSeed())));
      await useAll(address);
    } finally {
      await Deno.remove(file);
    }
    const missing = () => open({ servers: [nats.url], credentials: file });
    const { message } = await assertRejects(missing, BrokerError);
    assert(message.includes(file), message);
  },
});

Deno.test({
  name: "NatsBroker shows its certificate to a server that asks for one",
  ignore,
  async fn() {
    await using nats = await NatsServer.start({ tls: OLD, clientsSignedBy: OLD });
    const url = nats.url.replace("127.0.0.1", "localhost");
    const address = { servers: [url], ca: nats.caFile };
    await useAll({ ...address, cert: nats.caFile, key: nats.keyFile });
    await assertRejects(() => open(address), BrokerError);
    const folder = await Deno.makeTempDir();
    const [cert, key] = [`${folder}/cert.pem`, `${folder}/key.pem`];
    await Deno.writeTextFile(cert, RENEWED.cert);
    await Deno.writeTextFile(key, RENEWED.key);
    try {
      await assertRejects(() => open({ ...address, cert, key }), BrokerError);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
    await nats.kill();
    await assertRejects(
      () => open({ ...address, cert: nats.caFile, key: nats.keyFile }),
      BrokerError,
    );
  },
});

Deno.test({
  name: "NatsBroker makes do with the rights that the documents give its user",
  ignore,
  async fn() {
    const docs = await Deno.readTextFile(new URL("../../../docs/cluster.md", import.meta.url));
    const listOf = (key: string): string[] =>
      JSON.parse(new RegExp(`\\n  ${key}: (\\[[^\\]]*\\])`).exec(docs)?.[1] ?? "[]");
    const permissions = { publish: listOf("publish"), subscribe: listOf("subscribe") };
    const login = { user: "hub", password: "secret" };
    await using nats = await NatsServer.start({
      also: {
        accounts: {
          HOLDFAST: { jetstream: "enabled", users: [{ ...login, permissions }] },
          SYS: { users: [{ user: "sys", password: "secret" }] },
        },
        system_account: "SYS",
      },
    });
    const servers = [nats.url.replace("//", "//hub:secret@")];
    await useAll({ servers }, "holdfast");
    const { message } = await assertRejects(
      () => open({ servers }, { cluster: "another" }),
      BrokerError,
    );
    assert(/permissions violation/i.test(message), `what it may not is told: ${message}`);
  },
});

Deno.test({
  name:
    "C56: NatsBroker reads entry by entry where NATS can make no consumer, and keeps all it is asked to",
  ignore,
  async fn() {
    const login = { user: "hub", password: "secret" };
    const permissions = { publish: { deny: ["$JS.API.CONSUMER.>"] } };
    await using nats = await NatsServer.start({
      also: { authorization: { users: [{ ...login, permissions }] } },
    });
    await using broker = await open({ servers: [nats.url.replace("//", "//hub:secret@")] });
    for (const text of ["a", "b", "c"]) await broker.append(text, { as: "anyone", id: text });
    const { read, until } = await readFrom(broker, 2);
    await until(2);
    for (const text of ["d", "e"]) await broker.append(text, { as: "anyone", id: text });
    await until(4);
    assertEquals(read.map(({ seq, text }) => `${seq} ${text}`), ["2 b", "3 c", "4 d", "5 e"]);
    await broker.latest.put("a", 1, "value");
    assertEquals([...await broker.latest.all()], [["a", { seq: 1, text: "value" }]]);
    assert(await broker.lease.take("one"));
    assertEquals(broker.lost.aborted, false);
  },
});

type KeyPair = ReturnType<typeof nkeys.createUser>;

interface Signed {
  readonly of: KeyPair;
  readonly by: KeyPair;
  readonly name: string;
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function credentialsOf(jwt: string, seed: string): string {
  return `-----BEGIN NATS USER JWT-----\n${jwt}\n------END NATS USER JWT------\n\n` +
    `-----BEGIN USER NKEY SEED-----\n${seed}\n------END USER NKEY SEED------\n`;
}
