// deno-lint-ignore-file no-console -- the line that says where it listens
/**
 * A broadcasting server that does to the first of its clients what its argument says. Whoever measures
 * it has to notice: only one client is wronged, once.
 */
const [lie = "none"] = Deno.args;

/** The message at which it lies: well inside of a window. */
const AT = 8;

/** Far from the beginning, where the message's number is. */
const SPOILT_BYTE = 90;

const sockets: WebSocket[] = [];
let count = 0;
let held = "";

/** What the first client is sent in place of a message. */
function instead(text: string): string[] {
  count += 1;
  if (count === AT + 1 && lie === "reorder") return [text, held];
  if (count !== AT) return [text];
  switch (lie) {
    case "drop":
      return [];
    case "repeat":
      return [text, text];
    case "alter":
      return [`${text.slice(0, SPOILT_BYTE)}!${text.slice(SPOILT_BYTE + 1)}`];
    case "renumber":
      return [text.replace(/~0~\d{10}~/, "~0~0000004711~")];
    case "reorder":
      held = text;
      return [];
    case "cut":
      sockets[0]?.close();
      return [];
    default:
      return [text];
  }
}

async function handle(request: Request): Promise<Response> {
  if (request.method === "POST") {
    const text = await request.text();
    for (const each of instead(text)) sockets[0]?.send(each);
    for (const socket of sockets.slice(1)) socket.send(text);
    return new Response(null, { status: 204 });
  }
  const { socket, response } = Deno.upgradeWebSocket(request);
  socket.onopen = () => sockets.push(socket);
  return response;
}

Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => console.log(`listening ${port}`),
}, handle);
