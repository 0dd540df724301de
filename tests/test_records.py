"""Records and their forms in other libraries: frames, Arrow, CSV and Parquet hold the same numbers as the arrays."""

import csv
import dataclasses
import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

import nasbench_lab as nl
from nasbench_lab.analysis import study
from nasbench_lab.errors import MissingDataError, OutputError, UnknownNameError
from nasbench_lab.records import Categories, Records
from nasbench_lab.report import leaderboard_table, results_table
from nasbench_lab.simulation import save_traces
from nasbench_lab.simulation.trace import REGRETS
from nasbench_lab.suites import StrategyEntry, Suite, SuiteFolder, TableEntry, open_results, run_suite
from nasbench_lab.testing import synthetic_table

NAMES = ("random-search", "regularized-evolution", "local-search")


@pytest.fixture(scope="module")
def table():
    return synthetic_table("topology")


@pytest.fixture(scope="module")
def traces(table):
    return [nl.simulate(table, name, runs=7, budget=nl.Budget(seconds=4000)) for name in NAMES]


@pytest.fixture(scope="module")
def found(traces):
    return study(traces, resamples=50)


@pytest.fixture(scope="module")
def records(traces):
    return Records.stack([trace.records() for trace in traces])


class TestTraceFrames:
    def test_rows_are_the_evaluations(self, traces, table):
        for trace in traces:
            frame = trace.to_frame()
            assert len(frame) == trace.mask.sum()
            assert frame.groupby("run", observed=True).size().tolist() == trace.evaluations.tolist()
            for row in frame.sample(50, random_state=1).itertuples():
                at = row.run - trace.setting.first_run, row.step
                assert trace.mask[at]
                assert row.architecture == trace.architecture[at]
                assert table.space.resolve(row.notation) == row.architecture
                assert (row.fidelity, row.repeat) == (trace.fidelity[at], trace.repeat[at])
                assert (row.observed, row.seconds) == (trace.observed[at], trace.time[at])
                assert row.incumbent == trace.incumbent()[at]
                for kind in REGRETS:
                    assert getattr(row, f"regret_{kind}") == trace.regret(kind)[at]
            assert set(frame["strategy"]) == {trace.setting.label}
            assert frame.attrs["units"]["seconds"] == "s"

    def test_numbers_of_runs_begin_at_the_first_run(self, table):
        trace = nl.simulate(table, "random-search", runs=2, first_run=5, budget=nl.Budget(evaluations=3))
        assert trace.to_frame()["run"].tolist() == [5, 5, 5, 6, 6, 6]

    def test_pandas_computes_the_regret_curve(self, traces):
        for trace in traces:
            curve = trace.to_frame().groupby("step")["regret_test"].median()
            wanted = [np.median(column[~np.isnan(column)]) for column in trace.regret("test").T]
            np.testing.assert_array_equal(curve.to_numpy(), wanted)

    def test_results_are_the_traces_below_each_other(self, traces, tmp_path):
        save_traces(traces, tmp_path / "traces.h5")
        frame = open_results(tmp_path).to_frame()
        expected = pd.concat([trace.to_frame() for trace in traces], ignore_index=True)
        for text in ("strategy", "table", "notation"):
            assert frame[text].tolist() == expected[text].tolist()
        numbers = [name for name in frame if name not in ("strategy", "table", "notation")]
        pd.testing.assert_frame_equal(frame[numbers], expected[numbers])

    def test_a_trace_without_evaluations(self, table):
        trace = nl.simulate(table, "random-search", runs=2, budget=nl.Budget(seconds=1e-9))
        assert len(trace.to_frame()) == 0
        assert "regret_test" in trace.to_frame()


class TestTableFrames:
    def test_all_measurements(self, table):
        frame = table.to_frame("all", "all", metrics=["valid_accuracy", "parameters"])
        assert len(frame) == table.space.size * len(table.fidelities) * table.repeats
        for row in frame.sample(100, random_state=2).itertuples():
            assert table.space.format(row.architecture) == row.notation
            for metric in ("valid_accuracy", "parameters"):
                wanted = table.lookup(row.architecture, row.fidelity, row.repeat, metric)
                np.testing.assert_equal(getattr(row, metric), float(wanted))

    def test_means_at_the_highest_fidelity(self, table):
        frame = table.to_frame()
        assert frame["fidelity"].unique().tolist() == [table.fidelities[-1]]
        for metric in table.metrics:
            np.testing.assert_array_equal(frame[metric], table.mean_values(metric))

    def test_unknown_names(self, table):
        with pytest.raises(UnknownNameError):
            table.to_frame(5)
        with pytest.raises(UnknownNameError):
            table.to_frame(metrics=["speed"])
        with pytest.raises(nl.NasbenchLabError):
            table.to_frame(repeat=99)


class TestStudyFrames:
    def test_leaderboard(self, found):
        frame = found.to_frame()
        assert frame["strategy"].tolist() == [row.strategy for row in found.leaderboard[found.kind]]
        assert frame["iqm_low"].tolist() == [row.iqm.low for row in found.leaderboard[found.kind]]

    def test_pairs(self, found):
        frame = found.to_frame("pairs")
        assert len(frame) == len(NAMES) * (len(NAMES) - 1)
        for row in frame.itertuples():
            one, other = found.labels.index(row.strategy), found.labels.index(row.other)
            assert row.a12 == found.pairwise[found.kind].a12[one, other, 0]
            assert row.verdict == found.pairwise[found.kind].verdict[one, other, 0]
            assert row.difference_low == found.pairwise[found.kind].difference.low[one, other, 0]

    def test_curves(self, found):
        frame = found.to_frame("curves", "valid", "seconds")
        curves = found.curves["valid", "seconds", 0]
        for place, label in enumerate(found.labels):
            rows = frame[frame["strategy"] == label]
            known = ~np.isnan(curves.quartiles[1, place])
            np.testing.assert_array_equal(rows["at"], curves.grid[known])
            np.testing.assert_array_equal(rows["median"], curves.quartiles[1, place, known])
            np.testing.assert_array_equal(rows["mean_low"], curves.mean.low[place, known])
        assert set(found.to_frame("curves")["axis"]) == {"evaluations", "seconds"}

    def test_runs(self, found, traces):
        frame = found.to_frame("runs")
        for trace in traces:
            rows = frame[frame["strategy"] == trace.setting.label]
            wanted = trace.reference.regret("test", trace.final("test"))
            np.testing.assert_array_equal(rows["regret"], wanted)

    def test_summaries(self, found):
        assert found.to_frame("summaries")["test_regret"].tolist() == [each.test_regret for each in found.summaries]

    def test_unknown_names(self, found):
        for wrong in (("boards",), ("leaderboard", "train"), ("curves", "test", "hours")):
            with pytest.raises(UnknownNameError):
                found.records(*wrong)

    def test_what_a_study_lacks(self, traces, table):
        alone = nl.simulate(synthetic_table("chain"), "random-search", runs=3, budget=nl.Budget(evaluations=5))
        apart = study([traces[1], alone], resamples=0)
        with pytest.raises(MissingDataError, match="no task has all strategies"):
            apart.records("leaderboard")
        assert "<Study: 2 strategies, 2 tasks, 3 to 7 runs each>" in repr(apart)


class TestFormats:
    def test_csv_gives_the_same_numbers(self, records, tmp_path):
        path = records.to_csv(tmp_path / "new" / "traces.csv")
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file))
        for name, column in records.to_dict().items():
            kind = type(column[0])
            np.testing.assert_equal([kind(row[name] or "nan") for row in rows], column)
        assert path.read_text() == records.to_csv()

    def test_arrow_and_parquet(self, records, tmp_path):
        table = parquet.read_table(records.to_parquet(tmp_path / "traces.parquet"))
        for name, column in records.to_dict().items():
            np.testing.assert_equal(table[name].to_pylist(), column)
        assert table.schema.field("seconds").metadata[b"unit"] == b"s"
        assert records.to_arrow().schema.names == list(records.columns)

    def test_a_file_that_cannot_be_written(self, records, tmp_path):
        (tmp_path / "file").touch()
        for write in (records.to_csv, records.to_parquet):
            with pytest.raises(OutputError):
                write(tmp_path / "file" / "x")

    def test_columns_of_different_lengths(self):
        with pytest.raises(ValueError, match="a: 1, b: 2"):
            Records({"a": np.zeros(1), "b": np.zeros(2)})

    texts = st.lists(st.none() | st.text(max_size=3), max_size=8)

    @given(st.lists(st.tuples(texts, st.booleans()), min_size=1, max_size=4))
    def test_stacking_texts(self, parts):
        def column(texts):
            known = list(dict.fromkeys(text for text in texts if text is not None))
            return Categories(np.array([-1 if t is None else known.index(t) for t in texts], int), tuple(known))

        records = [
            Records({"n": np.arange(len(texts)), **({"t": column(texts)} if has else {})}) for texts, has in parts
        ]
        stacked = Records.stack(records).to_dict()
        assert stacked["n"] == [n for texts, _ in parts for n in range(len(texts))]
        if any(has for _, has in parts):
            assert stacked["t"] == [text if has else None for texts, has in parts for text in texts]
        for each in records:
            frame = each.to_frame()
            if "t" in frame and len(frame):
                assert [None if pd.isna(text) else text for text in frame["t"]] == each.to_dict()["t"]

    def test_without_pandas_and_pyarrow(self):
        code = (
            "import sys; sys.modules['pandas'] = sys.modules['pyarrow'] = None\n"
            "import numpy as np; from nasbench_lab.records import Records\n"
            "records = Records({'a': np.arange(2)})\n"
            "for call in (records.to_frame, records.to_arrow, lambda: records.to_parquet('x')):\n"
            "    try: call()\n"
            "    except Exception as error: print(type(error).__name__, error)\n"
        )
        found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        assert found.count("ParameterError") == 3
        assert "nasbench-lab[pandas]" in found
        assert "nasbench-lab[parquet]" in found


class TestDisplays:
    def test_reprs_are_one_short_line(self, traces, table):
        for thing in (traces[0], table, table.space, study(traces, resamples=0), traces[0].records()):
            assert len(repr(thing)) < 200
            assert "\n" not in repr(thing)

    def test_one_is_singular(self, table):
        trace = nl.simulate(table, "random-search", runs=1, budget=nl.Budget(evaluations=1))
        assert repr(trace).endswith(": 1 run, up to 1 evaluation each>")
        assert "runs: 1, up to 1 evaluation each" in trace._repr_html_()
        assert repr(study([trace], resamples=0)) == "<Study: 1 strategy, 1 task, 1 run each>"
        assert repr(Suite(["random-search"], ["digits/chain"], nl.Budget(evaluations=3), runs=1)).endswith(
            "1 run each>"
        )

    def test_html(self, traces, table):
        found = study(traces, resamples=0)
        assert all(metric in table._repr_html_() for metric in table.metrics)
        assert f"{table.optimum('test'):.6g}" in table._repr_html_()
        assert all(f"<td>{label}</td>" in found._repr_html_() for label in found.labels)
        assert "random-search" in traces[0]._repr_html_()
        assert "15,625" in table.space._repr_html_()

    def test_suites_leaderboards_and_tables(self, traces, tmp_path):
        table = StrategyEntry("umda", {"selected": 5}, {"population_size": [10, 20]})
        own = TableEntry("digits/topology", budget=nl.Budget(evaluations=2))
        limits = nl.Conditions(nl.Budget(evaluations=9), workers=2, limits={"parameters": 5e4})
        names = ["random-search", table, "zero-cost-filter", "tpe"]
        suite = Suite(names, ["digits/chain", own], limits, title="<i>", runs=3)
        first = "random-search, umda, zero-cost-filter and 1 more"
        assert repr(suite) == f"<Suite '<i>': {first} on digits/chain, digits/topology, 3 runs each>"
        shown = suite._repr_html_()
        for part in (
            "&lt;i&gt;",
            "9 evaluations",
            "workers: 2",
            "parameters 50000",
            "selected=5, population_size=[10, 20]",
        ):
            assert part in shown
        assert "<td>digits/topology</td><td>2 evaluations</td>" in shown

        small = Suite(
            ["random-search", "zero-cost-filter:score=supernet_fair"],
            ["digits/chain"],
            nl.Budget(evaluations=3),
            runs=2,
        )
        with pytest.raises(MissingDataError):
            run_suite(small, tmp_path / "out")
        optional = [small.strategies[0], dataclasses.replace(small.strategies[1], optional=True)]
        run_suite(dataclasses.replace(small, strategies=optional), tmp_path / "out")
        folder = SuiteFolder.open(tmp_path / "out")
        assert repr(folder) == f"<SuiteFolder {tmp_path / 'out'}: 1 simulation, 1 shard, 2 runs each>"
        assert "<td>1 of 1 shards</td>" in folder._repr_html_()
        assert "<li>skipped zero-cost-filter:score=supernet_fair on digits/chain: " in folder._repr_html_()
        folder.traces_path(folder.plan.shards[0]).unlink()
        assert "<td>0 of 1 shards</td>" in folder._repr_html_()

        found = study(traces, resamples=0)
        board = found.leaderboard["test"]
        assert (
            repr(board)
            == f"<Leaderboard of {len(board)} strategies: "
            + ", ".join(f"{row.place}. {row.strategy}" for row in board)
            + ">"
        )
        assert all(f"<td>{row.strategy}</td><td>{row.task_rank:.2f}</td>" in board._repr_html_() for row in board)
        assert pickle.loads(pickle.dumps(board)).reference == board.reference == found.labels[0]
        result = leaderboard_table(found)
        assert repr(result) == f"<ResultTable leaderboard-test: {len(board)} rows, {len(result.headings)} columns>"
        assert all(f"<th>{heading}</th>" in result._repr_html_() for heading in result.headings)
        assert result._repr_html_().count("<tr>") == len(board) + 1
        best = [cell.text for row in results_table(found).rows for cell in row if cell.best]
        assert best
        assert all(f"<td><b>{text}</b></td>" in results_table(found)._repr_html_() for text in best)

    def test_html_is_escaped(self):
        shown = Records({"<script>": Categories.of(["<img src=x>"])})._repr_html_()
        assert "<script>" not in shown
        assert "<img" not in shown

    def test_html_of_many_rows_is_short(self):
        assert len(Records({"a": np.arange(10**6)})._repr_html_()) < 1000
