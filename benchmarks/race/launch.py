"""Runs a command and prints what it took, as JSON: launch.py COMMAND...

The peak memory of a process starts at that of its parent at the time of the fork. This parent is as
small as a Python can be (run it with -S -E), so that every command's peak is its own.
"""

import json
import os
import sys
import time

quiet = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_WRONLY, 0) for number in (1, 2)]
start = time.perf_counter()
child = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=quiet)
_, status, usage = os.wait4(child, 0)
print(
    json.dumps(
        {
            "seconds": time.perf_counter() - start,
            "cpu": usage.ru_utime + usage.ru_stime,
            "peak": usage.ru_maxrss * 1024,
            "code": os.waitstatus_to_exitcode(status),
        }
    )
)
