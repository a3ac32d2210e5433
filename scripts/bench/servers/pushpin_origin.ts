// deno-lint-ignore-file no-console -- the line that says where it listens
/**
 * The origin behind pushpin. To each WebSocket, which pushpin tells of by POST (WebSocket over HTTP), it
 * answers that it is open, subscribed to one channel (GRIP), and welcome. It starts pushpin itself,
 * says where clients connect once one was welcomed, and ends when pushpin does.
 */
const [configuration = "", originPort, clientPort] = Deno.args;

/** A client that is not welcomed by then tries again: pushpin's parts find each other in their time. */
const WELCOME_MS = 1000;
const TRY_EVERY_MS = 50;

/** A frame that goes to the client, or to pushpin if it begins with `c:`. */
function textEvent(text: string): string {
  return `TEXT ${text.length.toString(16)}\r\n${text}\r\n`;
}

const OPENED = "OPEN\r\n" +
  textEvent(`c:${JSON.stringify({ type: "subscribe", channel: "bench" })}`) +
  textEvent("m:welcome");

async function answer(request: Request): Promise<Response> {
  const events = await request.text();
  return new Response(
    events.startsWith("OPEN") ? OPENED : events.startsWith("CLOSE") ? events : "",
    {
      headers: {
        "Content-Type": "application/websocket-events",
        "Sec-WebSocket-Extensions": "grip",
      },
    },
  );
}

/** Whether a client is let in and welcomed. */
function isServing(): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = new WebSocket(`ws://127.0.0.1:${clientPort}/sub`);
  const timer = setTimeout(() => socket.close(), WELCOME_MS);
  socket.onmessage = () => resolve(true);
  socket.onclose = () => resolve(false);
  return promise.finally(() => {
    clearTimeout(timer);
    socket.close();
  });
}

Deno.serve({ hostname: "127.0.0.1", port: Number(originPort), onListen() {} }, answer);
const pushpin = new Deno.Command("pushpin", {
  args: ["--config", configuration, "--merge-output"],
  stdin: "null",
}).spawn();
Deno.addSignalListener("SIGTERM", () => pushpin.kill("SIGTERM"));
pushpin.status.then(({ code }) => Deno.exit(code)); // `serve` never ends by itself
while (!await isServing()) await new Promise((resolve) => setTimeout(resolve, TRY_EVERY_MS));
console.log(`listening ${clientPort}`);
