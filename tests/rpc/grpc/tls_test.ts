import { assertEquals, assertMatch } from "../../support/assert.ts";
import { hasModernHttp2 } from "../../../src/rpc/grpc/runtime.ts";
import { ask, backendOf, startServer } from "./support.ts";

async function openssl(folder: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("openssl", { args, cwd: folder }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

/** An authority, a certificate for 127.0.0.1 and localhost, and one for a client. */
async function makeCertificates(folder: string): Promise<void> {
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  await openssl(
    folder,
    ...["req", "-x509", ...key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2"],
    ...["-subj", "/CN=test authority"],
  );
  await Deno.writeTextFile(`${folder}/names`, "subjectAltName=DNS:localhost,IP:127.0.0.1");
  for (const name of ["server", "client"]) {
    await openssl(
      folder,
      ...["req", ...key, "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${name}`],
    );
    await openssl(
      folder,
      ...["x509", "-req", "-in", `${name}.csr`, "-CA", "ca.pem", "-CAkey", "ca.key"],
      ...["-CAcreateserial", "-out", `${name}.pem`, "-days", "2", "-extfile", "names"],
    );
  }
}

async function hasOpenssl(): Promise<boolean> {
  try {
    return (await new Deno.Command("openssl", { args: ["version"] }).output()).success;
  } catch {
    return false;
  }
}

const canMake = await hasOpenssl();

Deno.test({
  name: "createGrpcBackend() speaks TLS with its own authority and client certificate" +
    (canMake ? "" : " (ignored: apt-get install openssl)"),
  ignore: !canMake || !hasModernHttp2(), // an older Deno takes no certificates here
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      await makeCertificates(folder);
      const [ca, serverCert, serverKey, cert, key] = [
        "ca.pem",
        "server.pem",
        "server.key",
        "client.pem",
        "client.key",
      ].map((name) => `${folder}/${name}`) as [string, string, string, string, string];
      await using server = await startServer(0, [ca, serverCert, serverKey]);
      for (const host of ["127.0.0.1", "localhost"]) {
        await using backend = backendOf(`https://${host}:${server.port}`, {
          tls: { ca, cert, key },
        });
        assertEquals((await ask(backend, "Seen")).kind, "ok");
      }
      await using stranger = backendOf(`https://127.0.0.1:${server.port}`, { tls: { ca } });
      assertEquals((await ask(stranger, "Seen")).kind, "unavailable");
      await using distrustful = backendOf(`https://127.0.0.1:${server.port}`);
      const outcome = await ask(distrustful, "Seen");
      assertMatch(JSON.stringify(outcome), /unavailable.*TLS certificate not trusted/);
      await using plain = backendOf(`http://127.0.0.1:${server.port}`);
      assertEquals((await ask(plain, "Seen")).kind, "unavailable");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
