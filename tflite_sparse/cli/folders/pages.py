"""What pages about models have in common: what is looked at, and how they are written."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tflite_sparse.cli.progress import progress_bar
from tflite_sparse.cli.rewriting import STDOUT

if TYPE_CHECKING:
    from pathlib import Path

    from tflite_sparse.inspection.survey import Survey
    from tflite_sparse.model import Model
    from tflite_sparse.report.html.pruned import Pruned
    from tflite_sparse.xnnpack.releases.targets import Target

__all__ = ["PageOptions", "is_page", "write_page"]

_ENDINGS = (".html", ".htm")


class PageOptions(NamedTuple):
    """What is looked at for a page.

    Attributes:
        near: bound of magnitude for near zeros.
        gzip: whether sizes after gzip are computed; None leaves it to the size of the file.
        targets: the targets; None for all.
        input_shapes: shapes that were asked for, by the name of the input.
        batch: the first dimension that was asked for.
    """

    near: float
    gzip: bool | None
    targets: tuple[Target, ...] | None
    input_shapes: dict[str, tuple[int, ...]]
    batch: int | None

    def survey(self, path: str, model: Model, cells: int) -> Survey:
        """A model from all sides.

        Args:
            path: what it is called while that takes its time.
            model: the model.
            cells: how many cells the maps of its zeros have together, at most.
        """
        from tflite_sparse.inspection.survey import survey

        with progress_bar(path) as progress:
            return survey(
                model,
                near=self.near,
                gzip=self.gzip,
                targets=self.targets,
                cells=cells,
                progress=progress,
                input_shapes=self.input_shapes,
                batch=self.batch,
            )

    def pruned(self, model: Model, survey: Survey) -> Pruned | None:
        """What the model would be with more zeros; None where that wins nothing."""
        from tflite_sparse.report.html.pruned import pruned

        return pruned(model, survey.inspection, [each.name for each in self.targets or ()])


def is_page(output: str | None) -> bool:
    """Whether what a user names is a page, and not a folder of pages."""
    return output is not None and (output == STDOUT or output.lower().endswith(_ENDINGS))


def write_page(page: str, output: str | Path, *, fresh: bool) -> int:
    """Writes a page; its size in bytes.

    Args:
        page: its text.
        output: where to.
        fresh: whether a file that came meanwhile stays as it is, and is an error.
    """
    from tflite_sparse.files.output import replacing

    data = page.encode("utf-8")
    with replacing(output, fresh=fresh) as file:
        file.write(data)
    return len(data)
