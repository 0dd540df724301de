"""Training real networks. The only folder that imports torch: install it with ``pip install 'nasbench-lab[torch]'``."""
