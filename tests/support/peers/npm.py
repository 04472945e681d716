"""Packages of npm that only the tests need: pinned like those of the package itself."""

from __future__ import annotations

from tflite_sparse.runtime.packages.package import Package, contents

__all__ = ["AXE", "POSE", "SARIF_SCHEMA", "npm_file"]

SARIF_SCHEMA = (
    Package(
        "@microsoft/jest-sarif",
        "1.0.0-beta.0",
        "sha512-A1fOhPd6Ic5iDk4F9YPw1qNB4XF+7+IviR7xl8r2F6QzQkx5cpY9LsGk2rExiFIEcBbjpVnSmwWGBukASkiQ9A==",
    ),
    "lib/schemas/sarif-2.1.0-rtm.5.json",
)
"""A package with the published schema, and where it has it."""

AXE = (
    Package(
        "axe-core",
        "4.14.1",
        "sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==",
    ),
    "axe.min.js",
)
"""The rules by which a page can be used without seeing it, or without a mouse."""

POSE = Package(
    "@mediapipe/pose",
    "0.5.1675469404",
    "sha512-DFZsNWTsSphRIZppnUCuunzBiHP2FdJXR9ehc7mMi4KG+oPaOH0Em3d6kr7Py+TSyTXC1doH88KcF28k2sBxsQ==",
)
"""A package with the lite, full and heavy models of MediaPipe's pose landmarks."""


def npm_file(package: Package, path: str) -> bytes:
    """One file of a package; one that cannot be had is a test that fails."""
    return contents(package)[path]
