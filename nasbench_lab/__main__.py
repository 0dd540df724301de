"""``python -m nasbench_lab`` runs the command ``nasbench-lab``."""

from nasbench_lab.cli import main

main()
