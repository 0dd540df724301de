"""``python -m nasbench_lab`` is ``nasbench-lab``."""

from nasbench_lab.cli import main

main()
