"""The names of zero-cost proxies: the built-in ones, and those that installed packages add. Does not import torch.

A built-in proxy is a module of the folder ``formulas``, named like the proxy: ``synflow.py`` defines "synflow". So a
new file is a new proxy. Another package adds one with an entry point in its ``pyproject.toml``, which names a `Proxy`::

    [project.entry-points."nasbench_lab.proxies"]
    my_proxy = "my_package.my_proxy:MyProxy"
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from nasbench_lab.strategies.lookup import import_path, split_path
from nasbench_lab.train.class_registry import ClassRegistry, make_object, name_and_parameters

if TYPE_CHECKING:
    from nasbench_lab.train.proxies.base import Proxy

GROUP = "nasbench_lab.proxies"


_PROXIES: ClassRegistry[Proxy] = ClassRegistry(
    what="proxy",
    group=GROUP,
    package="nasbench_lab.train.proxies.formulas",
    base="nasbench_lab.train.proxies.base:Proxy",
    public="nasbench_lab.train.proxies.Proxy",
    separator="_",
)


def built_in() -> tuple[str, ...]:
    """Return the names of the proxies of this package, sorted.

    >>> "synflow" in built_in()
    True
    """
    return _PROXIES.built_in()


def list_proxies() -> list[str]:
    """Return the names of all proxies, sorted.

    >>> "synflow" in list_proxies()
    True
    """
    return _PROXIES.names()


def proxy_class(name: str) -> type[Proxy]:
    """Return the class of a proxy; imports torch.

    Args:
        name: its name, another spelling, or an alias; or where it is defined, ``"file.py:Class"`` or
            ``"package.module:Class"``.

    Raises:
        UnknownNameError: no proxy has that name, or several have that alias.
        ParameterError: an installed package registered something else.
    """
    return _PROXIES.find(name)


def make_proxy(
    proxy: str | Proxy | type[Proxy] | Callable[..., Any], parameters: Mapping[str, Any] | None = None
) -> Proxy:
    """Return a proxy from its name and parameters, a class or a function; return an object unchanged.

    Args:
        proxy: a name (with parameters as ``name:key=value,...``), ``file.py:Class`` or ``file.py:function``, an object,
            a class, or a function ``(network, images, labels)`` that returns a number.
        parameters: of the proxy, besides those in the text.

    Raises:
        UnknownNameError: no proxy has that name, or it has no such parameter.
        ParameterError: a parameter has a value that is not allowed, or parameters come with an object.

    >>> make_proxy("synflow").name
    'synflow'
    >>> make_proxy(lambda network, images, labels: 1.0).name
    'lambda'
    """
    from nasbench_lab.train.proxies.base import FunctionProxy

    if isinstance(proxy, str) and split_path(proxy)[0]:
        place, given = name_and_parameters(proxy, parameters or {})
        return make_proxy(import_path(place), given)
    if isinstance(proxy, type):
        return make_object(_PROXIES.checked(proxy, proxy.__name__), parameters or {}, "proxy")
    if callable(proxy) and not isinstance(proxy, _PROXIES.base_class()):
        return FunctionProxy(proxy, dict(parameters or {}))
    return _PROXIES.make(proxy, parameters)
