"""The errors of the package: one class per kind of mistake.

A message is one line that says what was wrong and what is allowed (see `nasbench_lab.messages`). The command line
prints the message and exits with code 2.
"""

from __future__ import annotations


class NasbenchLabError(Exception):
    """Base class of all errors of this package; ``except NasbenchLabError`` catches all of them."""


class UnknownNameError(NasbenchLabError, LookupError):
    """No table, space, strategy, metric or fidelity has the given name."""


class OutOfSpaceError(NasbenchLabError, ValueError):
    """An architecture is malformed or does not belong to the search space."""


class ParameterError(NasbenchLabError, ValueError):
    """A parameter has a value that is not allowed."""


class MissingDataError(NasbenchLabError, LookupError):
    """A measurement does not exist in the published data. Missing values are never imputed."""


class DataError(NasbenchLabError, ValueError):
    """A file is corrupt, truncated or hostile, or does not match its checksum."""


class SourceError(NasbenchLabError, OSError):
    """The published files of a table cannot be found or downloaded."""


class OutputError(NasbenchLabError, OSError):
    """A result cannot be written; no half-written file is left."""


class StrategyError(NasbenchLabError, RuntimeError):
    """A strategy broke its contract, for example by proposing an architecture outside the space."""


class PublishedFileWarning(UserWarning):
    """A file has the name of a published file but another content, or its table other numbers than published."""


class SearchOnTestWarning(UserWarning):
    """The table has no validation measurements, so a search can only observe test measurements."""


class OneFidelityWarning(UserWarning):
    """All evaluations of a multi-fidelity strategy have one fidelity, so it is no multi-fidelity search."""


class ImportedResultsWarning(UserWarning):
    """Something that a reader of imported results should know, such as values that are not the table's."""


class MissingFontWarning(UserWarning):
    """No installed font has some characters of the names that a figure shows."""


class CallbackWarning(UserWarning):
    """A callback of a training raised an error; the training goes on without it."""


class SettingWarning(UserWarning):
    """A setting of a search has no effect, or hides most of the table from it."""


class ChangedSuiteWarning(UserWarning):
    """A suite continues in its folder, and has changed since it was started."""


NOTED = (
    CallbackWarning,
    OneFidelityWarning,
    SearchOnTestWarning,
    SettingWarning,
    ImportedResultsWarning,
    MissingFontWarning,
    ChangedSuiteWarning,
)
"""The warnings that the command line prints as notes."""
