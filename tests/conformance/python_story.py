"""Debian's python3-websockets living through everything a client can; prints one report as JSON.

Usage: python_story.py OPTIONS, a JSON object of `url`, `token` and `tokenProtocol`. The report is the
one of web_story.ts. Its last notification, number 99, asks for the shutdown.
"""

import asyncio
import json
import sys
import urllib.request

import websockets

options = json.loads(sys.argv[1])
URL = options["url"]
TOKEN = options["token"]
BEARER = {"Authorization": f"Bearer {TOKEN}"}


def connect(query, headers=BEARER, subprotocols=("holdfast",)):
    url = URL.replace("http", "ws", 1) + "/ws" + query
    return websockets.connect(url, subprotocols=list(subprotocols), extra_headers=headers)


def post(number):
    body = json.dumps({"channel": "notification", "data": {"n": number}}).encode()
    request = urllib.request.Request(URL + "/publish", data=body, headers=BEARER, method="POST")
    with urllib.request.urlopen(request, timeout=10) as response:
        assert response.status == 202


async def publish(number):
    await asyncio.get_running_loop().run_in_executor(None, post, number)


class Client:
    def __init__(self, socket):
        self.socket = socket
        self.frames = []
        self.lists = 0

    async def until(self, holds):
        while not holds():
            value = json.loads(await self.socket.recv())
            self.lists += isinstance(value, list)
            self.frames.extend(value if isinstance(value, list) else [value])

    async def ended(self):
        try:
            await self.until(lambda: False)
        except websockets.ConnectionClosed:
            return {"code": self.socket.close_code, "reason": self.socket.close_reason}

    async def say(self, **message):
        await self.socket.send(json.dumps(message))

    def of(self, kind):
        return [frame for frame in self.frames if frame["type"] == kind]

    def codes(self):
        return [frame["data"]["code"] for frame in self.frames if "code" in frame["data"]]

    def numbers(self):
        return [frame["data"]["n"] for frame in self.of("notification")]


async def welcomed(query, **how):
    client = Client(await connect(query, **how))
    await client.until(lambda: client.frames)
    return client


async def is_refused(query):
    try:
        await connect(query, headers={})
        return False
    except websockets.InvalidStatusCode as refusal:
        return refusal.status_code == 401


async def main():
    plain = await welcomed("?channels=notification")
    first, welcome = plain.frames[0]["type"], plain.frames[0]["data"]
    await plain.say(type="subscribe", channels=["heartbeat"])
    await plain.until(lambda: len(plain.of("heartbeat")) >= 2)
    await plain.say(type="unsubscribe", channels=["heartbeat"])
    await plain.say(type="ping", id="é 😀")
    await plain.until(lambda: plain.of("pong"))
    answers = [f["data"] for f in plain.frames if f["type"] in ("subscribed", "pong")]
    await (await plain.socket.ping())
    await publish(1)
    await plain.until(plain.numbers)
    since = plain.of("notification")[0]["seq"]
    await plain.socket.close(1000)

    await publish(2)
    await publish(3)
    session, epoch = welcome["session"], welcome["epoch"]
    again = await welcomed(
        f"?channels=notification&session={session}&epoch={epoch}&since={since}"
    )
    await again.until(lambda: len(again.numbers()) == 2)

    by_query = await welcomed(f"?channels=notification&token={TOKEN}", headers={})
    await welcomed("", headers={}, subprotocols=["holdfast", options["tokenProtocol"]])
    refused = [await is_refused("?token=wrong"), await is_refused("")]

    batching = await welcomed("?channels=notification&batch=1")
    for number in range(4, 9):
        await batching.say(type="ping", id=number)
    await batching.until(lambda: len(batching.of("pong")) == 5)

    bad = await welcomed("?channels=notification")
    for _ in range(25):
        await bad.socket.send("?")
    bad_end = await bad.ended()
    big = await welcomed("?channels=notification")
    await big.socket.send("x" * 65537)
    big_end = await big.ended()

    stays = await welcomed("?channels=notification")
    await publish(99)
    stays_end = await stays.ended()
    return {
        "protocol": plain.socket.subprotocol,
        "first": first,
        "channels": welcome["channels"],
        "answers": answers,
        "heartbeats": len(plain.of("heartbeat")) >= 2,
        "queryToken": by_query.frames[0]["type"],
        "refused": refused,
        "batch": {
            "hasList": batching.lists > 0,
            "numbers": [f["data"]["id"] for f in batching.of("pong")],
        },
        "resumed": {
            "recovered": again.frames[0]["data"]["recovered"],
            "gap": again.frames[0]["data"]["gap"],
            "numbers": again.numbers(),
        },
        "ownClose": plain.socket.close_code,
        "badMessages": {"answers": bad.codes().count("BAD_MESSAGE"), **bad_end},
        "tooBig": big_end,
        "shutdown": {"told": ",".join(stays.codes()), **stays_end},
    }


print(json.dumps(asyncio.run(asyncio.wait_for(main(), 60))))
