"""Processes that call functions for this one: for work in pure Python, which threads cannot do side by side.

Each worker is a Python of its own. It gets a function and its arguments on standard input, pickled, and answers with
what the function returns or raises. Unlike the workers of `multiprocessing` these do not import the caller's program
again, so a script needs no guard, and they end by themselves, at once, when the caller is killed: their input ends.
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
    """Some processes, each of which does one thing at a time.

    Parameters
    ----------
    number : int
        How many are started, at once.
    modules : sequence of str
        What they import while they wait for their first work.

    Use it as a context manager: at its end the processes are gone, also those that still work.
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
        """Have a worker call a function, and wait for what it returns; to be called by as many threads as there are.

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
            If the worker ended: killed for its memory, say. Another one takes its place.
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
        """End all workers; whoever waits for an answer gets an OSError."""
        with self._changing:
            self._stopped = True
            for process in self._processes:
                process.kill()

    def _give_back(self, process, answered):
        """Let the next caller have a process, or another in the place of one that has not answered."""
        with self._changing:
            if answered or self._stopped:  # one that was stopped fails at once those who still wait for it
                self._idle.put(process)
            else:
                process.kill()
                self._start()

    def _start(self):
        command = [sys.executable, "-c", _PROGRAM.format(modules=self._modules)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        # In a session of its own: Ctrl-C ends this process, which ends it.
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
            workers.stop()  # whoever still waits for an answer must not wait longer
            threads.shutdown(cancel_futures=True)


def serve(modules):
    """Call what comes in on standard input; what `Workers` starts."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a function prints is not an answer
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
        except Exception as error:  # of an exception that holds what cannot be pickled
            content = pickle.dumps((None, RuntimeError(f"{answer[1] or answer[0]!r} ({error})")))
        answers.write(content)
        answers.flush()


def _listen(given):
    """Pass on what is asked for. At the input's end, also in the middle of a question, the caller is done or dead."""
    try:
        while True:
            given.put(pickle.load(sys.stdin.buffer))
    except (EOFError, pickle.UnpicklingError):
        os._exit(0)
    except BaseException:  # of what is asked for: a worker that cannot read it must not wait for ever
        traceback.print_exc()
        os._exit(1)
