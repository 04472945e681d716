"""Brings a region into the sparse layout: its exits, its entries, then every operator in it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tflite_sparse.rewrite.adapt.forms.table import form_of
from tflite_sparse.rewrite.adapt.passes.adapt_pass import Order, RegionPass

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tflite_sparse.model import Operator
    from tflite_sparse.rewrite.adapt.forms.table import Change
    from tflite_sparse.rewrite.adapt.passes.adapt_pass import AnyPass
    from tflite_sparse.rewrite.adapt.regions.region import Region

__all__ = ["carry_out"]


def carry_out(region: Region, passes: Iterable[AnyPass]) -> None:
    """Brings a region into the sparse layout.

    Args:
        region: the region.
        passes: the passes to choose from; those that work on regions run where they are wanted.
    """
    context, editor = region.context, region.context.editor
    wanted = [p for p in passes if isinstance(p, RegionPass) and p.is_wanted(region)]
    wanted.sort(key=lambda region_pass: region_pass.order)
    for region_pass in wanted:
        if region_pass.order == Order.LEAVE:
            region_pass.run(region)
    for op in region.members:
        form = form_of(op)
        if form is not None and (form.leaves or op in context.ends):
            _change(op, form.ending, region)
    for region_pass in wanted:
        if region_pass.order > Order.LEAVE:
            region_pass.run(region)
    for op in region.members:
        form = form_of(op)
        if form is not None and not editor.is_gone(op):
            _change(op, form.change, region)
    editor.sweep()


def _change(operator: Operator, change: Change | None, region: Region) -> None:
    if change is not None:
        make = partial(change.make, operator, region.context)
        region.context.editor.apply(change.by, operator, make)
