"""Makes KxK convolutions sums of 1x1 convolutions of shifted maps.

XNNPACK has sparse kernels for 1x1 convolutions alone. A shift with zeros behind it is a depthwise
convolution with a single one. Which form is taken, and whether any, is a matter of price.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tflite_sparse.rewrite.adapt.convolution import is_kxk
from tflite_sparse.rewrite.adapt.kxk.build import build_by_taps, build_separable
from tflite_sparse.rewrite.adapt.kxk.lines import build_by_lines
from tflite_sparse.rewrite.adapt.kxk.price import KxkForm, kxk_price
from tflite_sparse.rewrite.adapt.kxk.taps import values_of_taps
from tflite_sparse.rewrite.adapt.passes.adapt_pass import Applied, Order, RegionPass
from tflite_sparse.rewrite.adapt.passes.names import PassName
from tflite_sparse.rewrite.adapt.queries import present

if TYPE_CHECKING:
    from tflite_sparse.model import Operator
    from tflite_sparse.rewrite.adapt.adaptation import Step
    from tflite_sparse.rewrite.adapt.context import Context
    from tflite_sparse.rewrite.adapt.regions.region import Region

__all__ = ["KXK"]


class Kxk(RegionPass):
    """Brings KxK convolutions into the sparse layout."""

    name = PassName.KXK
    summary = "make KxK convolutions sums of sparse 1x1 convolutions of shifted maps"
    detail = (
        "A convolution wider than 1x1 whose filter has zeros enough becomes 1x1 convolutions, one"
        " for each cell of its window, of maps that depthwise convolutions shift, added up; or one"
        " 1x1 convolution between shifts along the height and along the width, where that costs"
        " less. Cells of the window whose values are all zero drop out. A TRANSPOSE_CONV with"
        " stride 2 becomes four such sums, whose results are put between each other."
    )
    cost = "a depthwise convolution a shift; memory for the shifted maps"
    exact = "but for the order of sums"
    order = Order.WIDE

    def change(self, region: Region) -> None:
        """Gives every KxK convolution of the region the form that costs least."""
        context, editor = region.context, region.context.editor
        for op in list(region.members):
            if is_kxk(op):
                editor.apply(self, op, partial(_make, op, context))

    def ensures(self, subject: Region, result: tuple[Step, ...]) -> None:
        """Also: no member of the region is wider than 1x1 any more."""
        super().ensures(subject, result)
        gone = subject.context.editor.is_gone
        wide = any(is_kxk(op) and not gone(op) for op in subject.members)
        self.check(not wide, "KxK convolutions are sums of 1x1 convolutions")


KXK = Kxk()


def _make(operator: Operator, context: Context) -> Applied:
    editor = context.editor
    price = kxk_price(operator, context.mirrored, editor.max_arena, editor.costs)
    form, along = present(price).form, present(price).along
    height, width = values_of_taps(operator).shape
    taps = int((values_of_taps(operator) > 0).sum())
    if form is KxkForm.TAPS:
        build_by_taps(operator, context)
        what = f"became {taps} 1x1 convolutions of shifted maps, added up"
    elif form is KxkForm.LINES:
        build_by_lines(operator, context, along)
        what = f"became {taps} 1x1 convolutions of shifted maps, added up line by line, and shifted"
    else:
        build_separable(operator, context)
        what = "became a 1x1 convolution between shifts along height and width"
    return Applied(what, f"there are no sparse kernels for {height}x{width} convolutions")
