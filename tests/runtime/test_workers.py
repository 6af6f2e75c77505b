"""Processes that work for this one: answers, errors, an end that is not theirs."""

import math
import operator
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from crack_utils.runtime.atomic import FullDiskError
from crack_utils.runtime.workers import Workers, share


def test_answers_and_errors_come_back():
    with Workers(2, ["math"]) as workers, ThreadPoolExecutor(2) as threads:
        assert len(workers) == 2
        assert list(threads.map(lambda n: workers.call(math.factorial, n), range(6))) == [1, 1, 2, 6, 24, 120]
        large = np.arange(2**18)  # more than a pipe holds
        np.testing.assert_array_equal(workers.call(operator.neg, large), -large)
        with pytest.raises(ZeroDivisionError):
            workers.call(operator.truediv, 1, 0)
        assert workers.call(print, "to the error stream") is None


def test_an_error_of_our_own_comes_back_whole():
    with Workers(1) as workers, pytest.raises(FullDiskError, match="no room"):
        workers.call(fail, 28, "no room")


def fail(number, text):
    raise FullDiskError(number, text)


def test_a_worker_that_was_killed_is_an_error_and_another_takes_its_place():
    with Workers(1) as workers:
        killed = workers.call(os.getpid)
        with pytest.raises(OSError, match="ended with status -9"):
            workers.call(os.kill, killed, signal.SIGKILL)
        assert workers.call(os.getpid) != killed
        workers.stop()
        with pytest.raises(OSError, match="ended"):
            workers.call(os.getpid)


def test_more_threads_than_workers_all_end_when_they_are_stopped():
    with Workers(1) as workers, ThreadPoolExecutor(3) as threads:
        calls = [threads.submit(workers.call, time.sleep, 60) for _ in range(3)]
        time.sleep(0.1)
        workers.stop()
        for call in calls:
            with pytest.raises(OSError, match="ended with status -9"):
                call.result(timeout=30)


def test_what_cannot_be_sent_or_read_costs_no_worker():
    with Workers(1) as workers:
        with pytest.raises(Exception, match="pickle"):
            workers.call(math.factorial, lambda: None)
        with pytest.raises(TypeError):
            workers.call(fail_unreadably)
        assert workers.call(math.factorial, 3) == 6


class UnreadableError(Exception):
    """Pickled with one argument, made with two."""

    def __init__(self, one, two):
        super().__init__(one)


def fail_unreadably():
    raise UnreadableError(1, 2)


@pytest.mark.parametrize("processes", [1, 3])
def test_each_item_once_and_in_order(processes, tmp_path):
    folders = [tmp_path / name for name in "cabd"]
    assert list(share(os.mkdir, folders, processes)) == folders
    assert sorted(tmp_path.iterdir()) == sorted(folders)


@pytest.mark.parametrize("processes", [1, 2])
def test_an_item_that_fails_ends_the_work(processes, tmp_path):
    items = [tmp_path / "a", tmp_path / "missing" / "b", *(tmp_path / str(number) for number in range(4))]
    done = share(os.mkdir, items, processes)
    assert next(done) == items[0]
    with pytest.raises(OSError, match="No such file"):
        list(done)


CALLER = """
import os, signal, time
from crack_utils.runtime.workers import Workers, share
workers = Workers(1)
print(workers.call(os.getpid), flush=True)
workers.call(time.sleep, 60)
"""


def test_workers_end_with_a_caller_that_is_killed():
    caller = subprocess.Popen([sys.executable, "-c", CALLER], stdout=subprocess.PIPE, text=True)
    worker = int(caller.stdout.readline())
    caller.kill()
    caller.communicate()
    for _ in range(200):
        if not Path(f"/proc/{worker}").exists() or "Z" in Path(f"/proc/{worker}/stat").read_text().split()[2]:
            return
        time.sleep(0.05)
    pytest.fail("the worker is still there")
