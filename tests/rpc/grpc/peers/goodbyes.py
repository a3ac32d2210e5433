"""A grpcio server that shuts down and comes back on its port: `goodbyes.py COUNT`, as goodbyes.ts."""
import random
import sys
import time
from concurrent import futures

import grpc


def describe(_bytes, _context):
    time.sleep(random.random() * 0.02)
    return b"\x0a\x03sda"


def keep(message):
    return message


port = 0
for at in range(int(sys.argv[1])):
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=8))
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("holdfast.lab.v1.Lab", {
        "Describe": grpc.unary_unary_rpc_method_handler(describe, keep, keep),
    })])
    port = server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    if at == 0:
        print(port, flush=True)
    time.sleep(0.05 + random.random() * 0.1)
    # With time for what is under way, or at once.
    server.stop(1 if at % 2 == 0 else 0).wait()
    print("goodbye", flush=True)
