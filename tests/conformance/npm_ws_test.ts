// @ts-types="../support/npm_ws.d.ts"
import NpmWebSocket from "ws";
import { checkForeign } from "./foreign.ts";
import { type SocketLike, story } from "./web_story.ts";

Deno.test("npm:ws sees a hub as documented, from the door to the shutdown", async () => {
  const Socket = NpmWebSocket as unknown as new (url: string, protocols: string[]) => SocketLike;
  await checkForeign((options) => story({ ...options, Socket }));
});
