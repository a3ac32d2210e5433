"""A gRPC server of another stack (grpcio): generic handlers, descriptors made by hand."""
import sys
import time
from concurrent import futures

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2

FIELD = descriptor_pb2.FieldDescriptorProto
PACKAGE = "holdfast.lab.v1"

file = descriptor_pb2.FileDescriptorProto(
    name="peer.proto", package=PACKAGE, syntax="proto3",
    dependency=["google/protobuf/timestamp.proto"])
request = file.message_type.add(name="DescribeRequest")
request.field.add(name="disk_name", number=1, type=FIELD.TYPE_STRING, label=FIELD.LABEL_OPTIONAL)
sample = file.message_type.add(name="Sample")
sample.field.add(name="disk_name", number=1, type=FIELD.TYPE_STRING, label=FIELD.LABEL_OPTIONAL)
sample.field.add(name="total_bytes", number=2, type=FIELD.TYPE_INT64, label=FIELD.LABEL_OPTIONAL)
sample.field.add(name="taken_at", number=6, type=FIELD.TYPE_MESSAGE, label=FIELD.LABEL_OPTIONAL,
                 type_name=".google.protobuf.Timestamp")

pool = descriptor_pool.DescriptorPool()
pool.AddSerializedFile(timestamp_pb2.DESCRIPTOR.serialized_pb)
pool.AddSerializedFile(file.SerializeToString())
factory = message_factory.MessageFactory(pool)


def message(name):
    descriptor = pool.FindMessageTypeByName(f"{PACKAGE}.{name}")
    if hasattr(message_factory, "GetMessageClass"):
        return message_factory.GetMessageClass(descriptor)
    return factory.GetPrototype(descriptor)


DescribeRequest, Sample = message("DescribeRequest"), message("Sample")


def describe(asked, context):
    if asked.disk_name == "":
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, "disk_name is missing")
    answer = Sample(disk_name=asked.disk_name, total_bytes=2**53 + 1)
    answer.taken_at.seconds = 1764000000
    return answer


def watch(_bytes, context):
    for at in (1, 2, 3):
        yield Sample(total_bytes=at)
        time.sleep(0.2)
    context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "no more")


server = grpc.server(futures.ThreadPoolExecutor(max_workers=2))
server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(f"{PACKAGE}.Lab", {
    "Describe": grpc.unary_unary_rpc_method_handler(
        describe, DescribeRequest.FromString, Sample.SerializeToString),
    "Watch": grpc.unary_stream_rpc_method_handler(
        watch, lambda message: message, Sample.SerializeToString),
})])
print(server.add_insecure_port("127.0.0.1:0"), flush=True)
server.start()
sys.stdin.read()
server.stop(0)
