"""The built-in model's process: llama.cpp's server on loopback, alive no longer than its parent.

Run as a program of its own; one JSON line on standard input says what to serve, one on standard
output where. When standard input closes, the process ends at once.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import threading
import time
from typing import Any

_PR_SET_PDEATHSIG = 1
_ALL_CHOSEN = 2**31 - 1


def _die_with_parent() -> None:
    """On Linux the kernel ends this process with its parent, even while it loads."""
    if not sys.platform.startswith("linux"):
        return
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL))
    if os.getppid() != parent:
        os._exit(0)  # It died between the two calls.


def _die_at_end_of_input() -> None:
    while os.read(0, 4096):
        pass
    # An ordinary exit would wait for a generation to end, which may take minutes.
    os._exit(0)


def _read_line() -> bytes:
    """The first line of standard input, read byte by byte: what follows is the watch's."""
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            os._exit(0)
        line += byte
    return line


def _taken_output() -> int:
    """Standard output for our one line alone: what the library prints goes to the log."""
    own = os.dup(1)
    os.dup2(2, 1)
    return own


def _threads() -> int:
    """Threads for one model; more than there are cores costs two thirds of the speed."""
    if hasattr(os, "sched_getaffinity"):
        return min(4, len(os.sched_getaffinity(0)))
    return min(4, os.cpu_count() or 1)


def _params(order: dict[str, Any]) -> Any:
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = order["path"]
    params.model_alias = {order["model"]}
    params.n_ctx = order["context"]
    # Cancelling waits for the end of a batch: about a second at this size.
    params.n_batch = params.n_ubatch = 256
    # Slots share the context, so that a count or a second window does not wait for a reply.
    params.n_parallel = 4
    params.kv_unified = True
    params.cache_ram_mib = 64
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = _threads()
    params.cpuparams.poll = params.cpuparams_batch.poll = 0
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [order["key"]]
    params.cors_origins = ""
    params.ui = False
    params.endpoint_slots = False
    params.verbosity = order["verbosity"]
    # What is not sent must change nothing; llama.cpp's own defaults are not neutral.
    params.sampling.temp = 1.0
    params.sampling.top_k = 0
    params.sampling.top_p = 1.0
    params.sampling.min_p = 0.0
    # A model file may recommend sampling of its own, which fills in whatever is not marked as chosen.
    params.sampling.user_sampling_config = _ALL_CHOSEN
    return params


def main() -> None:
    _die_with_parent()
    # Ctrl+C is the program's to handle; on Windows a new session does not keep it away.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    order = json.loads(_read_line())
    threading.Thread(target=_die_at_end_of_input, daemon=True).start()
    output = _taken_output()
    started = time.monotonic()
    import xllamacpp

    try:
        server = xllamacpp.Server(_params(order))
    except RuntimeError as error:
        sys.stderr.write(f"{error}\n")
        sys.stderr.flush()
        os._exit(1)
    loaded = time.monotonic() - started
    said = {"url": server.listening_address, "seconds": loaded}
    os.write(output, json.dumps(said).encode() + b"\n")
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    main()
