"""A node data provider of Model Explorer, which imports this module under this name.

It has the same data sets as `tflite-sparse overlay`, made for the model that is open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from model_explorer import (
    GetConfigEditorsResult,
    NodeDataProvider,
    NodeDataProviderFilter,
    NodeDataProviderMetadata,
    NodeDataProviderResult,
)
from model_explorer.config_editor import DropDownConfigEditor, OptionItem
from model_explorer.node_data_builder import (
    GradientItem,
    GraphNodeData,
    NodeDataResult,
    ThresholdItem,
)

from tflite_sparse.errors import TfliteSparseError
from tflite_sparse.inspection.inspector import inspect
from tflite_sparse.model import Model
from tflite_sparse.report.overlay import overlays
from tflite_sparse.xnnpack.releases.targets import target, targets

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SparseNodeData"]

_TARGET = "target"


class SparseNodeData(NodeDataProvider):  # type: ignore[misc]
    """Fate, zeros and bytes saved of every operator of the model that is open."""

    metadata = NodeDataProviderMetadata(
        id="tflite_sparse",
        name="tflite-sparse",
        description="What the runtime does with the zeros of a model",
        icon="grain",
        filter=NodeDataProviderFilter(
            modelFileExts=["tflite"], adapterIds=["builtin_tflite_flatbuffer"]
        ),
    )

    def get_config_editors(self, provider_id: str) -> GetConfigEditorsResult:
        """The dialog before a run: which kind of processor."""
        del provider_id
        editor = DropDownConfigEditor(
            id=_TARGET,
            label="Processor",
            required=True,
            defaultValue=targets()[0].name,
            options=[OptionItem(each.name, each.title) for each in targets()],
        )
        return GetConfigEditorsResult([editor])

    def run(
        self,
        provider_id: str,
        model_path: str,
        graph_id: str,
        config_values: Mapping[str, Any],
        graph: object,
    ) -> NodeDataProviderResult:
        """The data sets of one graph; what is wrong with the model is answered as an error."""
        del provider_id, graph
        try:
            kind = target(config_values.get(_TARGET) or targets()[0].name)
            inspection = inspect(
                Model.read(model_path), targets=[kind], digest=False, gzip=False, releases=()
            )
        except TfliteSparseError as error:
            return NodeDataProviderResult(error=str(error))
        if inspection.problems:
            problem = inspection.problems[0]
            return NodeDataProviderResult(error=f"{problem.place}: {problem.message}")
        graphs = (overlay.graphs.get(graph_id) for overlay in overlays(inspection, kind.name))
        return NodeDataProviderResult(
            [_as_graph_data(data.to_dict()) for data in graphs if data is not None]
        )


def _as_graph_data(data: Mapping[str, Any]) -> GraphNodeData:
    """The data of a graph as the classes of Model Explorer, whose fields have the same names."""
    parts = {
        "results": {key: NodeDataResult(**value) for key, value in data["results"].items()},
        "thresholds": [ThresholdItem(**item) for item in data.get("thresholds", ())],
        "gradient": [GradientItem(**item) for item in data.get("gradient", ())],
    }
    return GraphNodeData(**{**data, **parts})
