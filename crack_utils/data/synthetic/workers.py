"""Draw pictures with several processes.

Each worker is a separate Python process. It reads the numbers of specimens or pictures from standard input, one per
line, and answers when the pictures of a number are written. Unlike the workers of `multiprocessing`, it does not import
the caller's program, so a script needs no ``if __name__ == "__main__"``. It ends when the caller is killed, because
then its input ends.
"""

import json
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue

_PROGRAM = "from {module} import {name}; from crack_utils.data.synthetic.workers import serve; serve({name})"
_DONE = "done"


def share(job, numbers, workers, write):
    """Let several processes write pictures; each takes the next number when it has finished one.

    Parameters
    ----------
    job : dict
        Keyword arguments of `write` besides the number; values that JSON can store.
    numbers : list of int
        Of specimens or pictures.
    workers : int
    write : function
        At the top level of a module; called `write(number, **job)`.

    Yields
    ------
    int
        Each number, in the order given, when its pictures are written.

    Raises
    ------
    OSError
        If a worker fails; what has been written stays.
    """
    program = _PROGRAM.format(module=write.__module__, name=write.__name__)
    command = [sys.executable, "-c", program, json.dumps(job)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen(command, **pipes) for _ in range(min(workers, len(numbers)))]
    idle = SimpleQueue()
    for process in processes:
        idle.put(process)
    pool = ThreadPoolExecutor(len(processes))
    try:
        yield from pool.map(lambda number: _ask(idle, number), numbers)
    except BaseException:
        for process in processes:
            process.kill()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
        for process in processes:
            process.communicate()


def serve(write):
    """Write the pictures whose numbers come in on standard input; what `share` starts."""
    job, given = json.loads(sys.argv[1]), SimpleQueue()
    threading.Thread(target=_listen, args=(given,), daemon=True).start()
    while True:
        try:
            write(given.get(), **job)
            answer = _DONE
        except OSError as error:
            answer = str(error)
        print(answer, flush=True)


def _listen(given):
    """Pass on what is asked for. At the input's end the caller is done, or dead and called again."""
    for line in sys.stdin:
        given.put(int(line))
    os._exit(0)


def _ask(idle, number):
    process = idle.get()
    try:
        process.stdin.write(f"{number}\n")
        process.stdin.flush()
        answer = process.stdout.readline().strip()
    except BrokenPipeError:
        answer = ""
    finally:
        idle.put(process)  # also one that has failed: others wait for it, and it fails them at once
    if answer != _DONE:
        raise OSError(answer or f"the process that was to write number {number} ended with status {process.wait()}")
    return number
