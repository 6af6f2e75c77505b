"""Specimens shared among processes.

Each worker is a Python of its own that reads specimens' numbers from standard input, one a line, and answers every one
when its pictures are written. Unlike the workers of `multiprocessing` these do not import the caller's program again,
so a script needs no guard, and they end by themselves, at once, when the caller is killed: their input ends.
"""

import json
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue

_PROGRAM = "from crack_utils.data.synthetic.workers import serve; serve()"
_DONE = "done"


def share(job, specimens, workers):
    """Have specimens written by several processes, each of which takes the next one when it is done with one.

    Parameters
    ----------
    job : dict
        What `dataset.write_specimen` needs besides the specimen; as JSON can hold it.
    specimens : list of int
    workers : int

    Yields
    ------
    int
        Each specimen, in the order given, when it is written.

    Raises
    ------
    OSError
        If a worker fails; what has been written stays.
    """
    command = [sys.executable, "-c", _PROGRAM, json.dumps(job)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen(command, **pipes) for _ in range(min(workers, len(specimens)))]
    idle = SimpleQueue()
    for process in processes:
        idle.put(process)
    pool = ThreadPoolExecutor(len(processes))
    try:
        yield from pool.map(lambda specimen: _ask(idle, specimen), specimens)
    except BaseException:
        for process in processes:
            process.kill()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
        for process in processes:
            process.communicate()


def serve():
    """Write the specimens whose numbers come in on standard input; what `share` starts."""
    from crack_utils.data.synthetic.dataset import write_specimen

    job, given = json.loads(sys.argv[1]), SimpleQueue()
    threading.Thread(target=_listen, args=(given,), daemon=True).start()
    while True:
        try:
            write_specimen(**job, specimen=given.get())
            answer = _DONE
        except OSError as error:
            answer = str(error)
        print(answer, flush=True)


def _listen(given):
    """Pass on what is asked for. At the input's end the caller is done, or dead and called again."""
    for line in sys.stdin:
        given.put(int(line))
    os._exit(0)


def _ask(idle, specimen):
    process = idle.get()
    try:
        process.stdin.write(f"{specimen}\n")
        process.stdin.flush()
        answer = process.stdout.readline().strip()
    except BrokenPipeError:
        answer = ""
    finally:
        idle.put(process)  # also one that has failed: others wait for it, and it fails them at once
    if answer != _DONE:
        raise OSError(answer or f"the process that was to write specimen {specimen} ended with status {process.wait()}")
    return specimen
