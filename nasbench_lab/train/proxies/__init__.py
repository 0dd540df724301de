"""Zero-cost proxies: scores of networks that are not trained.

=======================  ============================================================
`score`                  the score of one network
`score_networks`         the scores of several networks
`score_architectures`    the scores of architectures of a table or space
`with_scores`            a table with scores as columns
`list_proxies`           the names of all proxies
`make_proxy`             a proxy with parameters, from its name, a file or a function
`Proxy`                  the contract, for a proxy of your own
=======================  ============================================================

Needs torch: ``pip install 'nasbench-lab[torch]'``. Importing this package does not import torch; using its functions
does. `list_proxies` works without torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nasbench_lab.train.lazy_names import imported_when_used
from nasbench_lab.train.proxies.registry import list_proxies as list_proxies
from nasbench_lab.train.proxies.registry import make_proxy as make_proxy

if TYPE_CHECKING:
    from nasbench_lab.train.proxies.architecture_scoring import score_architectures as score_architectures
    from nasbench_lab.train.proxies.base import Proxy as Proxy
    from nasbench_lab.train.proxies.proxy_scores import Failure as Failure
    from nasbench_lab.train.proxies.proxy_scores import ProxyScores as ProxyScores
    from nasbench_lab.train.proxies.score_columns import with_scores as with_scores
    from nasbench_lab.train.proxies.scoring import score as score
    from nasbench_lab.train.proxies.scoring import score_networks as score_networks
    from nasbench_lab.train.proxies.subject import NoScoreError as NoScoreError
    from nasbench_lab.train.proxies.subject import ProxySubject as ProxySubject

_HOMES = {
    "Failure": "proxy_scores",
    "NoScoreError": "subject",
    "Proxy": "base",
    "ProxyScores": "proxy_scores",
    "ProxySubject": "subject",
    "score": "scoring",
    "score_architectures": "architecture_scoring",
    "score_networks": "scoring",
    "with_scores": "score_columns",
}

__all__ = [
    "Failure",
    "NoScoreError",
    "Proxy",
    "ProxyScores",
    "ProxySubject",
    "list_proxies",
    "make_proxy",
    "score",
    "score_architectures",
    "score_networks",
    "with_scores",
]


__getattr__ = imported_when_used(__name__, _HOMES)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
