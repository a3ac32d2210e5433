"""A grpcio server that shuts down and comes back on its port: `goodbyes.py COUNT [PORT]`, as
goodbyes.ts."""
import random
import sys
import time
from concurrent import futures

import grpc


LEAST_ASKED = 5
asked = 0


def describe(_bytes, _context):
    global asked
    asked += 1
    time.sleep(random.random() * 0.02)
    return b"\x0a\x03sda"


def keep(message):
    return message


port = int(sys.argv[2]) if len(sys.argv) > 2 else 0
for at in range(int(sys.argv[1])):
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=8))
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("holdfast.lab.v1.Lab", {
        "Describe": grpc.unary_unary_rpc_method_handler(describe, keep, keep),
    })])
    port = server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    if at == 0:
        print(port, flush=True)
    # Each life is one that was asked something.
    asked = 0
    while asked < LEAST_ASKED:
        time.sleep(0.005)
    time.sleep(random.random() * 0.1)
    # With time for what is under way, or at once.
    server.stop(1 if at % 2 == 0 else 0).wait()
    print("goodbye", flush=True)
