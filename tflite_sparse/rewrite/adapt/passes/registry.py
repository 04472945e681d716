"""The passes inside `adapt`, in the order in which they are listed.

Options, the JSON Schema and the documentation are made from it. To add one, write a module with a
pass and add it here; where it gives operators a sparse form, list these in `forms.table` too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.rewrite.adapt.passes.barriers import BARRIERS
from tflite_sparse.rewrite.adapt.passes.canonicalize import CANONICALIZE
from tflite_sparse.rewrite.adapt.passes.entries import ENTRIES
from tflite_sparse.rewrite.adapt.passes.exits import EXITS
from tflite_sparse.rewrite.adapt.passes.fold import FOLD
from tflite_sparse.rewrite.adapt.passes.heads import HEADS
from tflite_sparse.rewrite.adapt.passes.kxk import KXK
from tflite_sparse.rewrite.adapt.passes.mirror import MIRROR
from tflite_sparse.rewrite.adapt.passes.permute import PERMUTE
from tflite_sparse.rewrite.adapt.passes.windows import WINDOWS
from tflite_sparse.rewrite.passes import Registry

if TYPE_CHECKING:
    from tflite_sparse.rewrite.adapt.passes.adapt_pass import AnyPass

__all__ = ["PASSES"]

PASSES: Registry[AnyPass] = Registry(
    FOLD, WINDOWS, MIRROR, EXITS, ENTRIES, HEADS, CANONICALIZE, KXK, BARRIERS, PERMUTE
)
