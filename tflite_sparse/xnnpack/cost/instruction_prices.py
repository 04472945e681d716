"""What the work of operators takes on 64-bit Arm, in instructions.

benchmarks/arm64/estimate.py fits them to every operator of MobileNetV1 nets, and to other nets for
operators that those do not have, as LiteRT 2.3.0 runs them under emulation.
"""

from __future__ import annotations

__all__ = ["PRICES"]

PRICES: dict[str, dict[str, float]] = {
    "cortex-a76": {
        "averaged": 1.023,
        "dense": 0.3175,
        "dense_written": 1.742,
        "depthwise": 0.4038,
        "depthwise_large": 0.3527,
        "depthwise_large_pixel": 140.1,
        "depthwise_large_rest": 84.0,
        "depthwise_large_vector": 110.9,
        "depthwise_large_written": 8.817,
        "depthwise_pixel": 56.3,
        "depthwise_rest": 38.8,
        "depthwise_sparse": 1.233,
        "depthwise_sparse_large": 1.031,
        "depthwise_sparse_large_line": 29.84,
        "depthwise_sparse_large_vector": 25.78,
        "depthwise_sparse_line": 19.88,
        "depthwise_sparse_vector": 11.09,
        "depthwise_vector": 49.91,
        "depthwise_written": 3.634,
        "entry": 0.3911,
        "exponential": 9.831,
        "hard_swish": 1.827,
        "moved": 1.055,
        "narrow": 0.488,
        "narrow_rest": 1.063,
        "narrow_written": 5.765,
        "reversed": 0.48,
        "reversed_few": 5.2,
        "reversed_pixel": 20.4,
        "row": 0.4578,
        "sparse_1": 0.2976,
        "sparse_1_tile": 11.35,
        "sparse_1_written": 1.147,
        "sparse_2": 0.7813,
        "sparse_2_tile": 4.858,
        "sparse_2_written": 1.046,
        "sparse_4": 2.383,
        "sparse_4_tile": 0.0,
        "sparse_4_written": 1.13,
        "strided_sparse": 1.318,
        "strided_sparse_large": 1.738,
        "strided_sparse_large_line": 50.33,
        "strided_sparse_large_vector": 43.45,
        "strided_sparse_line": 37.94,
        "strided_sparse_vector": 11.86,
        # From a U-Net whose counts lie in benchmarks/arm64/planning.json.
        "transposed": 0.525,
        "wide": 0.3232,
        "wide_narrow": 0.509,
        "wide_narrow_written": 73.33,
        "wide_written": 8.727,
    },
    "cortex-a53": {
        "averaged": 1.023,
        "dense": 0.5273,
        "dense_written": 1.408,
        "depthwise": 0.8622,
        "depthwise_large": 0.3527,
        "depthwise_large_pixel": 140.1,
        "depthwise_large_rest": 84.0,
        "depthwise_large_vector": 110.9,
        "depthwise_large_written": 8.817,
        "depthwise_pixel": 43.32,
        "depthwise_rest": 31.29,
        "depthwise_sparse": 1.233,
        "depthwise_sparse_large": 1.031,
        "depthwise_sparse_large_line": 29.84,
        "depthwise_sparse_large_vector": 25.78,
        "depthwise_sparse_line": 19.88,
        "depthwise_sparse_vector": 11.09,
        "depthwise_vector": 29.15,
        "depthwise_written": 7.76,
        "entry": 0.3911,
        "exponential": 9.831,
        "hard_swish": 1.827,
        "moved": 1.055,
        "narrow": 0.488,
        "narrow_rest": 1.056,
        "narrow_written": 5.824,
        "reversed": 0.48,
        "reversed_few": 5.2,
        "reversed_pixel": 20.4,
        "row": 0.6448,
        "sparse_1": 0.2976,
        "sparse_1_tile": 11.35,
        "sparse_1_written": 1.147,
        "sparse_2": 0.7813,
        "sparse_2_tile": 4.858,
        "sparse_2_written": 1.046,
        "sparse_4": 2.383,
        "sparse_4_tile": 0.0,
        "sparse_4_written": 1.13,
        "strided_sparse": 1.318,
        "strided_sparse_large": 1.738,
        "strided_sparse_large_line": 50.33,
        "strided_sparse_large_vector": 43.45,
        "strided_sparse_line": 37.94,
        "strided_sparse_vector": 11.86,
        "transposed": 0.659,
        "wide": 0.3203,
        "wide_narrow": 0.509,
        "wide_narrow_written": 73.33,
        "wide_written": 8.648,
    },
}
"""Instructions by processor, and by what `tflite_sparse.xnnpack.cost.instructions.amounts` counts.

`dense`, `wide` and `row` are multiplications in products of matrices, in convolutions wider than
1x1, and in products with a single row; `transposed` those of a transposed convolution; `sparse_2`
is a block of 2 weights that are not all zero, times a pixel. `_written` is an element of the
result, `_tile` up to 32 pixels, `_vector` four columns, `_line` a row of a channel, `_large` a
window larger than 3x3; `moved`, `averaged` and the rest are elements of operators without
multiplications; `reversed_pixel` is a pixel whose channels are copied together, counted of
REVERSE_V2 alone, `_few` one of fewer than four channels.
"""
