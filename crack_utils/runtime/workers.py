"""Worker processes that call functions for this process: for work in pure Python, which threads cannot do in parallel.

Each worker is a separate Python process. It reads a pickled function and its arguments from standard input, and answers
with what the function returns or raises. Unlike the workers of `multiprocessing`, these do not import the caller's
program again, so a script needs no `if __name__ == "__main__"`. When the caller is killed, the input of the workers
ends, and they end at once.
"""

import contextlib
import os
import pickle
import subprocess
import sys
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue

_PROGRAM = "from crack_utils.runtime.workers import serve; serve({modules!r})"


class Workers:
    """Several worker processes, each of which does one job at a time.

    Parameters
    ----------
    number : int
        Number of processes; all are started at once.
    modules : sequence of str
        Names of modules that they import while they wait for their first job.

    Use it as a context manager: at its end all processes are ended, also those that are still working.
    """

    def __init__(self, number, modules=()):
        self._number, self._modules = number, tuple(modules)
        self._processes, self._idle = [], SimpleQueue()
        self._stopped, self._changing = False, threading.Lock()
        for _ in range(number):
            self._start()

    def __len__(self):
        return self._number

    def call(self, function, *arguments):
        """Let a worker call a function, and return its result; several threads can do this at the same time.

        Parameters
        ----------
        function : callable
            At the top level of a module.
        *arguments
            They are pickled.

        Returns
        -------
        object

        Raises
        ------
        OSError
            If the worker ended, for example because it was killed for lack of memory. Another one replaces it.
        Exception
            What the function raised.
        """
        process, answered = self._idle.get(), False
        try:
            pickle.dump((function, arguments), process.stdin, pickle.HIGHEST_PROTOCOL)
            process.stdin.flush()
            answer, error = pickle.load(process.stdout)
            answered = True
        except (BrokenPipeError, EOFError, pickle.UnpicklingError):
            process.kill()
            raise OSError(f"the process that worked on it ended with status {process.wait()}") from None
        finally:
            self._give_back(process, answered)
        if error is not None:
            raise error
        return answer

    def stop(self):
        """End all workers; calls that still wait for an answer raise an OSError."""
        with self._changing:
            self._stopped = True
            for process in self._processes:
                process.kill()

    def _give_back(self, process, answered):
        """Make a process available to the next caller; replace it if it has not answered."""
        with self._changing:
            if answered or self._stopped:  # a stopped process makes waiting calls fail at once
                self._idle.put(process)
            else:
                process.kill()
                self._start()

    def _start(self):
        command = [sys.executable, "-c", _PROGRAM.format(modules=self._modules)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        # In a separate session, so that Ctrl-C reaches only this process, which then ends the workers.
        process = subprocess.Popen(command, **pipes, start_new_session=True)
        self._processes.append(process)
        self._idle.put(process)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        for process in self._processes:
            process.wait()
            for pipe in (process.stdin, process.stdout):
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()


def cores():
    """Return the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def share(function, items, processes):
    """Call a function for each of many items, with several processes.

    Useful for work that is the same for each item and takes seconds, such as drawing pictures: each process takes the
    next item when it has finished one.

    Parameters
    ----------
    function : callable
        Of one item; at the top level of a module, or a `functools.partial` of such a function.
    items : list
    processes : int
        With 1, or fewer than two items, the function is called in this process.

    Yields
    ------
    object
        Each item, in the order given, when the function has returned.

    Raises
    ------
    OSError
        If a process ended.
    Exception
        What the function raised; the other processes are stopped.
    """
    if processes == 1 or len(items) < 2:
        for item in items:
            function(item)
            yield item
        return
    with Workers(min(processes, len(items))) as workers:
        threads = ThreadPoolExecutor(len(workers))
        try:
            calls = threads.map(lambda item: workers.call(function, item), items)
            for item, _ in zip(items, calls, strict=True):
                yield item
        finally:
            workers.stop()  # threads that still wait for an answer must not wait longer
            threads.shutdown(cancel_futures=True)


def serve(modules):
    """Call the functions that arrive on standard input, without end: the program of a worker."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # so that the output of a function does not mix with the answers
    given = SimpleQueue()
    threading.Thread(target=_listen, args=(given,), daemon=True).start()
    for module in modules:
        __import__(module)
    while True:
        function, arguments = given.get()
        try:
            answer = function(*arguments), None
        except BaseException as error:
            answer = None, error
        try:
            content = pickle.dumps(answer, pickle.HIGHEST_PROTOCOL)
        except Exception as error:  # for example an exception that contains an open file
            content = pickle.dumps((None, RuntimeError(f"{answer[1] or answer[0]!r} ({error})")))
        answers.write(content)
        answers.flush()


def _listen(given):
    """Put messages from standard input into the queue. When the input ends, also within one, end the process."""
    try:
        while True:
            given.put(pickle.load(sys.stdin.buffer))
    except (EOFError, pickle.UnpicklingError):
        os._exit(0)
    except BaseException:  # the message cannot be read; the caller must not wait for ever
        traceback.print_exc()
        os._exit(1)
