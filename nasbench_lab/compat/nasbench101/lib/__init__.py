"""The package ``nasbench.lib``, as far as it needs no TensorFlow: `config`, `graph_util` and `model_spec`."""
