"""Which strategy is first and whether that is significant, in plain sentences."""

from __future__ import annotations

from collections.abc import Sequence

from nasbench_lab.analysis.studies.leaders import FirstGroup
from nasbench_lab.analysis.studies.results import Study
from nasbench_lab.report.rank_tests import p_in_words
from nasbench_lab.report.study_selection import in_words, runs_in_words

_NAMES = 4  # of strategies in a sentence; of more, two are named


def leaders_in_words(study: Study, found: FirstGroup) -> str:
    """Return who is first, who cannot be distinguished from it, and by which test, in one or two sentences.

    >>> import nasbench_lab as nl
    >>> from nasbench_lab.analysis import first_group, study
    >>> from nasbench_lab.testing import synthetic_table
    >>> made = study([nl.simulate(synthetic_table(), "random-search", runs=5, budget=nl.Budget(evaluations=9))])
    >>> leaders_in_words(made, first_group(made))
    'random-search is the only strategy, so there is nothing to compare.'
    """
    if found.finding == "alone":
        return f"{study.labels[found.first[0]]} is the only strategy, so there is nothing to compare."
    lead = _lead(study, found)
    if found.finding == "too few":
        return f"{lead}, but {_too_few(study, found)}."
    if found.finding == "no difference":
        return f"{lead}, but no difference is proven ({name_of_test(study, found)})."
    return f"{lead}. {_comparison(study, found)} ({name_of_test(study, found)})."


def name_of_test(study: Study, found: FirstGroup) -> str:
    """Return the test that the answer comes from, with its level."""
    level = f"level {1 - study.level:.2g}"
    if len(found.tasks) == 1:
        return f"Mann-Whitney test over {runs_in_words(study, found.tasks)} each, Holm-adjusted, {level}"
    ranks = study.ranks[found.kind]
    tasks = in_words(len(found.tasks), "task")
    if len(found.order) == 2:
        return f"sign test over {tasks}, {p_in_words(ranks.p)}, {level}"
    overall = f"Friedman {p_in_words(ranks.p)}"
    if not ranks.exact:
        overall = f"Friedman and Iman-Davenport {p_in_words(ranks.iman_davenport_p)}"
    pairs = ", then Nemenyi" if found.finding == "group" else ""
    return f"{overall} over {tasks}{pairs}, {level}"


def rank_name(found: FirstGroup) -> str:
    """Return the name of the rank by which the strategies are ordered."""
    return "run rank" if len(found.tasks) == 1 else "average task rank"


def names_in_words(labels: Sequence[str]) -> str:
    """Return names as a list in a sentence; of many names, only the first two.

    >>> names_in_words(["a"]), names_in_words(["a", "b"]), names_in_words(list("abcdef"))
    ('a', 'a and b', 'a, b and 4 others')
    """
    shown = [*labels[:2], f"{len(labels) - 2} others"] if len(labels) > _NAMES else list(labels)
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _lead(study: Study, found: FirstGroup) -> str:
    first = [study.labels[s] for s in found.first]
    rank = f"{rank_name(found)} ({found.ranks[0]:.2f} of {len(found.order)})"
    if len(first) == 1:
        return f"{first[0]} has the best {rank}"
    return f"{names_in_words(first)} share the best {rank}"


def _comparison(study: Study, found: FirstGroup) -> str:
    """Return the two groups: those that cannot be distinguished from the first, and those that are worse."""
    one_task, several = len(found.tasks) == 1, len(found.first) > 1
    same, worse = ([study.labels[s] for s in part] for part in (found.same, found.worse))
    it, its = ("them", "Their") if several else ("it", "Its")
    parts = []
    if same:
        parts.append(
            f"{its} runs cannot be distinguished from those of {names_in_words(same)}"
            if one_task
            else f"{names_in_words(same)} cannot be distinguished from {it}"
        )
    if worse:
        others = _others(worse, everyone=not same)
        if one_task:
            owner = "they" if same else f"{its} runs"
            parts.append(f"{owner} end significantly better than those of {others}")
        else:
            parts.append(f"{others} {'is' if len(worse) == 1 else 'are'} significantly worse")
    text = "; ".join(parts)
    return text[0].upper() + text[1:] if not one_task and text.startswith(("the ", "all ")) else text


def _others(worse: Sequence[str], *, everyone: bool) -> str:
    if everyone and len(worse) > 1:
        return "all others"
    return names_in_words(worse) if len(worse) <= _NAMES else f"the {len(worse)} others"


def _too_few(study: Study, found: FirstGroup) -> str:
    unit = "task" if len(found.tasks) > 1 else "run"
    given = in_words(len(found.tasks), "task") if unit == "task" else runs_in_words(study, found.tasks)
    verb = "is" if given.startswith("1 ") else "are"
    each = "" if unit == "task" else " of each"
    return (
        f"{given} {verb} too few for a verdict: with {len(found.order)} strategies, a difference can only be "
        f"significant from {found.needed} {unit}s{each} on"
    )
