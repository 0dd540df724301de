"""Every way in which Python copies an object, and a new process as another way."""

import concurrent.futures
import copy
import multiprocessing
import pickle

COPIES = {
    "pickle": lambda original: pickle.loads(pickle.dumps(original)),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}


def in_new_process(function, *arguments):
    """Call a function in a process that shares nothing with this one, as process pools on most systems do."""
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(function, *arguments).result()
