"""Constants of a frozen TensorFlow graph, read as data: no TensorFlow, and nothing in the file is executed."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

# The few fields of TensorFlow's GraphDef that hold constants: message -> field -> (number, type, repeated).
# https://github.com/tensorflow/tensorflow/tree/master/tensorflow/core/framework
FIELDS = {
    "Graph": {"node": (1, "Node", True)},
    "Node": {"name": (1, "string", False), "op": (2, "string", False), "attr": (5, "Attr", True)},
    "Attr": {"key": (1, "string", False), "value": (2, "Value", False)},
    "Value": {"tensor": (8, "Tensor", False)},
    "Tensor": {
        "dtype": (1, "int32", False), "shape": (2, "Shape", False), "content": (4, "bytes", False),
        "floats": (5, "float", True),
    },
    "Shape": {"dim": (2, "Dim", True)},
    "Dim": {"size": (1, "int64", False)},
}  # fmt: skip
FLOAT = 1  # TensorFlow's number for float32


def float_constants(path: Path) -> dict[str, np.ndarray]:
    """Every float32 constant of the graph by its name, in TensorFlow's axis order. Raises ValueError."""
    graph = _graph_class()()
    try:
        graph.ParseFromString(path.read_bytes())
    except DecodeError as problem:
        raise ValueError(f"{path.name} is no frozen TensorFlow graph ({problem})") from None
    constants = {}
    for node in graph.node:
        if node.op == "Const":
            tensor = next(entry.value.tensor for entry in node.attr if entry.key == "value")
            if tensor.dtype == FLOAT:
                constants[node.name] = _array(tensor)
    return constants


def _array(tensor: Any) -> np.ndarray:
    shape = [dim.size for dim in tensor.shape.dim]
    if tensor.content:
        return np.frombuffer(tensor.content, dtype="<f4").reshape(shape)
    values = np.array(tensor.floats, dtype=np.float32)
    return np.full(shape, values[0], np.float32) if values.size == 1 else values.reshape(shape)


@cache
def _graph_class() -> Any:
    kinds = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="frozen_graph.proto", package="frozen_graph", syntax="proto3")
    for name, fields in FIELDS.items():
        message = file.message_type.add(name=name)
        for field, (number, kind, repeated) in fields.items():
            label = kinds.LABEL_REPEATED if repeated else kinds.LABEL_OPTIONAL
            if kind in FIELDS:
                added = message.field.add(name=field, number=number, label=label, type=kinds.TYPE_MESSAGE)
                added.type_name = f".frozen_graph.{kind}"
            else:
                number_of_kind = getattr(kinds, f"TYPE_{kind.upper()}")
                message.field.add(name=field, number=number, label=label, type=number_of_kind)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("frozen_graph.Graph"))
