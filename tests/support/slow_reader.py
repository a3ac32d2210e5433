"""Reads what a hub sends at a steady pace, through a small receive buffer; prints what came of it."""
import json
import socket
import sys
import time

host, port, path, bytes_a_second, seconds = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), float(sys.argv[5])
PIECES_A_SECOND = 20
connection = socket.socket()
connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
connection.connect((host, port))
head = "GET %s HTTP/1.1\r\nHost: %s:%d\r\n" % (path, host, port)
if path.startswith("/ws"):
    head += (
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    )
connection.sendall((head + "\r\n").encode())
connection.settimeout(1)
until = time.time() + seconds
taken, longest, alive, tail = 0, 0.0, True, b""
last = time.time()
while time.time() < until:
    try:
        piece = connection.recv(bytes_a_second // PIECES_A_SECOND)
    except socket.timeout:
        continue
    except OSError:
        alive = False
        break
    if not piece:
        alive = False
        break
    taken += len(piece)
    longest, last = max(longest, time.time() - last), time.time()
    tail = (tail + piece)[-2000:]
    time.sleep(1 / PIECES_A_SECOND)
print(json.dumps({"taken": taken, "alive": alive, "slow": b"SLOW_CLIENT" in tail}))
