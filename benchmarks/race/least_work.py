"""The least that numpy can do to store a file of filters sparse: least_work.py MODEL OUT.

Finds what is not zero, and writes it with the column it stands in. Nothing is read as a model,
decided, laid out or proved, so no tool that works with numpy can be faster.
"""

import sys
from pathlib import Path

import numpy as np

COLUMNS = 4096
CHUNK = 1 << 22

values = np.memmap(sys.argv[1], np.float32, "r")
with Path(sys.argv[2]).open("wb") as out:
    for start in range(0, values.size, CHUNK):
        chunk = values[start : start + CHUNK]
        places = np.flatnonzero(chunk)
        out.write(chunk[places])
        out.write((places % COLUMNS).astype(np.uint16))
