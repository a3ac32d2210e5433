"""A WebSocket client that is not ours (Debian's python3-websockets), driven by a test.

Usage: python_websockets.py URL
Prints every frame it hears as a line of JSON. After the welcome it subscribes to `heartbeat` alone
and pings; after the second heartbeat it closes, and prints the close code last.
"""

import asyncio
import json
import sys

import websockets


async def main(url):
    beats = 0
    async with websockets.connect(url, subprotocols=["holdfast"], max_size=None) as socket:
        print(json.dumps({"subprotocol": socket.subprotocol}))
        async for text in socket:
            print(text)
            kind = json.loads(text)["type"]
            if kind == "welcome":
                await socket.send(json.dumps({"type": "subscribe", "channels": ["heartbeat"]}))
                await socket.send(json.dumps({"type": "ping", "id": "from python"}))
                await (await socket.ping())
            beats += kind == "heartbeat"
            if beats == 2:
                break
    print(json.dumps({"close_code": socket.close_code}))


asyncio.run(asyncio.wait_for(main(sys.argv[1]), 20))
