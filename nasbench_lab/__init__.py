"""nasbench-lab: compare neural-architecture-search strategies over thousands of seeds on real tables, in seconds.

>>> import nasbench_lab as nl
>>> table = nl.load("digits/topology")
>>> trace = nl.simulate(table, "random-search", runs=100, budget=nl.Budget(evaluations=50))
>>> trace.regret("test").shape
(100, 50)
"""

from nasbench_lab import _startup as _startup
from nasbench_lab.errors import (
    ImportedResultsWarning,
    NasbenchLabError,
    OneFidelityWarning,
    SearchOnTestWarning,
    SettingWarning,
)
from nasbench_lab.simulation import Budget, Conditions, Trace, import_results, simulate
from nasbench_lab.strategies import PlainStrategy, Strategy, list_strategies
from nasbench_lab.tables import Table, cite, fetch, list_tables, load, read_columns, verify

__version__ = "0.1.0"

__all__ = [
    "Budget",
    "Conditions",
    "ImportedResultsWarning",
    "NasbenchLabError",
    "OneFidelityWarning",
    "PlainStrategy",
    "SearchOnTestWarning",
    "SettingWarning",
    "Strategy",
    "Table",
    "Trace",
    "cite",
    "fetch",
    "import_results",
    "list_strategies",
    "list_tables",
    "load",
    "read_columns",
    "simulate",
    "verify",
]
