"""JSON as text: what the standard library writes, whatever the text in it."""

from __future__ import annotations

import json

from hypothesis import example, given
from hypothesis import strategies as st

from tflite_sparse.report.json.documents import dump

_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(_VALUES)
@example({"path": "name\udcff.tflite"})
def test_a_document_is_what_the_standard_library_indents(content):
    assert dump(content) == json.dumps(content, indent=2, ensure_ascii=False)
