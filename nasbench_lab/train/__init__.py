"""Training real networks. Needs torch: ``pip install 'nasbench-lab[torch]'``. No other folder imports torch."""
