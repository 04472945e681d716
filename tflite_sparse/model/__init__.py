"""The graph: models, subgraphs, operators, tensors, constants, producers and consumers."""

from tflite_sparse.model.model import Metadata, Model, Signature
from tflite_sparse.model.operator import Operator
from tflite_sparse.model.subgraph import Subgraph
from tflite_sparse.model.tensor import Buffer, Tensor
from tflite_sparse.model.uses import Use

__all__ = ["Buffer", "Metadata", "Model", "Operator", "Signature", "Subgraph", "Tensor", "Use"]
