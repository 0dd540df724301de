"""Runs a suite in a process of its own, to be killed: ``python suite_process.py SUITE.toml FOLDER PROCESSES``."""

import sys

from nasbench_lab.suites import LocalProcesses, read_suite, run_suite

if __name__ == "__main__":
    run_suite(read_suite(sys.argv[1]), sys.argv[2], executor=LocalProcesses(int(sys.argv[3])))
