"""What LiteRT for 64-bit Arm is run with: wheels, and Debian's Python with its libraries."""

from __future__ import annotations

from tflite_sparse.runtime.packages.package import Package

__all__ = ["LITERT", "PACKAGES"]

LITERT = "2.3.0"
"""The release of LiteRT."""


def _wheel(name: str, version: str, tags: str, sha256: str) -> Package:
    file = f"{name.replace('-', '_').replace('.', '_')}-{version}-{tags}.whl"
    return Package(name, version, f"sha256:{sha256}", "pip", file)


def _debian(name: str, version: str, sha256: str) -> Package:
    file = f"{name}_{version.replace(':', '%3a')}_arm64.deb"
    return Package(name, version, f"sha256:{sha256}", "apt", file)


_PYTHON = "3.11.2-6+deb12u9"
_PURE = "py3-none-any"

PACKAGES = (
    _debian(
        "libbz2-1.0",
        "1.0.8-5+b1",
        "d3a96ece03326498b39ff093a76800dfcbcb1d4049d6ae6e9f6fa1aa7a590ad6",
    ),
    _debian(
        "libc6",
        "2.36-9+deb12u14",
        "01f4330719fd4f65580e16ea5a0527f372fca750e8f588d26deaf09f2d3b1cf4",
    ),
    _debian(
        "libexpat1",
        "2.5.0-1+deb12u5",
        "4a733e7f636de4a4483e3e5d7b02dc8e788b115361a04dd58df89461ce2ae65a",
    ),
    _debian(
        "libffi8",
        "3.4.4-1",
        "80b5c36177dc0e29d531c7eddbed3cc7355cb490e49f8cfa5959572d161f27b3",
    ),
    _debian(
        "libgcc-s1",
        "12.2.0-14+deb12u1",
        "576926b283613db80168ddf76380a3bd877602778cf0d226caa7bfbfa71eacf3",
    ),
    _debian(
        "liblzma5",
        "5.4.1-1+deb12u2",
        "36358d245f246234721e6c1c2ee5d11a46c1c877023c63f7570df02cd79964f5",
    ),
    _debian(
        "libpython3.11-minimal",
        _PYTHON,
        "dd9847d2f77c5a924b1d3dd953b81f161db9374c94d03b9216191925350928c3",
    ),
    _debian(
        "libpython3.11-stdlib",
        _PYTHON,
        "9937cbe3f647aa89a590fec647438ce02098c113d1c6f70e4cb1230c368d42a4",
    ),
    _debian(
        "libstdc++6",
        "12.2.0-14+deb12u1",
        "26e138c677a985775331373828a6c286c551ff397cb735d00e2383cb273d1cb2",
    ),
    _debian(
        "python3.11-minimal",
        _PYTHON,
        "617855dbf3299e03873926c75d61feaf3d36924586aecc1951a0b965a95bc694",
    ),
    _debian(
        "zlib1g",
        "1:1.2.13.dfsg-1",
        "52b8b8a145bbe1956bba82034f77022cbef0c3d0885c9e32d9817a7932fe1913",
    ),
    _wheel(
        "ai-edge-litert",
        LITERT,
        "cp311-cp311-manylinux_2_27_aarch64",
        "853fc608f96da87bd5f3458465dfb9abbf18d5ae6b94eceacead407146f175ae",
    ),
    _wheel(
        "backports.strenum",
        "1.2.8",
        _PURE,
        "fc297cb26971f7d5e15a478a06a78575197f81daea47975771b1aae996dcccf4",
    ),
    _wheel(
        "flatbuffers",
        "25.12.19",
        "py2.py3-none-any",
        "7634f50c427838bb021c2d66a3d1168e9d199b0607e6329399f04846d42e20b4",
    ),
    _wheel(
        "msgspec",
        "0.22.0",
        "cp311-cp311-manylinux2014_aarch64.manylinux_2_17_aarch64.manylinux_2_28_aarch64",
        "b962000e11dd34fb210a5a2c57a8a62b2d92b381c8cb3b05c075a83e38f8d645",
    ),
    _wheel(
        "numpy",
        "2.2.6",
        "cp311-cp311-manylinux_2_17_aarch64.manylinux2014_aarch64",
        "b64d8d4d17135e00c8e346e0a738deb17e754230d7e0810ac5012750bbd85a5a",
    ),
    _wheel(
        "protobuf",
        "7.36.2",
        "cp310-abi3-manylinux2014_aarch64",
        "e11e1f0180583a2af89db6a2ecd9e8dc40aa6d2988ca175bfd0e6d12ea72d74e",
    ),
    _wheel(
        "tqdm",
        "4.70.1",
        _PURE,
        "c293e525e6fef9c20e8728fd4612df02a0aa31bb5fe91ecd93e123b1b7bffa73",
    ),
    _wheel(
        "typing_extensions",
        "4.16.0",
        _PURE,
        "481caa481374e813c1b176ada14e97f1f67a4539ce9cfeb3f350d78d6370c2e8",
    ),
)
"""All of them, pinned."""
