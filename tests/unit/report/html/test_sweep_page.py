"""The page and the picture of a sweep: well-formed, the same every time, text stays text."""

from __future__ import annotations

import itertools
import json
import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from msgspec.structs import replace

from tests.support.reports.sweeps import SHARES, made_up_sweep
from tflite_sparse.pruning.measures import quality
from tflite_sparse.pruning.options import Allocation, Method
from tflite_sparse.report.html.svg.chart import (
    Axis,
    Chart,
    Dot,
    Series,
    _apart,
    _stepped,
    chart_svg,
    ticks,
)
from tflite_sparse.report.html.sweep import picture_size, sweep_page, sweep_svg
from tflite_sparse.report.html.sweep.charts import _time_series, sweep_charts
from tflite_sparse.report.html.sweep.view import _command
from tflite_sparse.runtime.data.images import Preparation, Source
from tflite_sparse.storage.values.options import StoredValues
from tflite_sparse.sweeping.result import MeasuredTime, Measurement, Rival, RivalKind

EVIL = "</script><img src=x onerror=alert(1)>&\u2028'\".tflite"


def data_of(page: str) -> dict:
    return json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])


def parsed(picture: str) -> ET.Element:
    # It is our own.
    return ET.fromstring(picture)  # noqa: S314


def test_the_page_says_how_sure_an_agreement_is_and_how_images_became_inputs():
    sweep = made_up_sweep()
    runs = [{"classes": np.array([[0.2, 0.8]], np.float32)}] * 99
    points = tuple(replace(point, quality=quality(runs, runs)) for point in sweep.points)
    known = Source.METADATA
    images = Preparation(48, 64, (0.0,), known, (255.0,), known, "nchw", Source.SHAPE)
    page = sweep_page(replace(sweep, points=points, held_out=99, images=images))
    assert "fitted to; ±3.7 points at most (95 % margin); 99 inputs held out give a rough" in page
    assert "Images became inputs: 48x64, NCHW by the input" in page
    assert "mean 0 and std 255, as the model" in page
    plain = sweep_page(sweep)
    assert "points at most" not in plain
    assert "Images became inputs" not in plain


@pytest.mark.parametrize("data", [True, False])
def test_every_point_has_its_facts_and_its_place_in_every_chart(data):
    page = sweep_page(made_up_sweep(data=data))
    told = data_of(page)
    assert len(told["points"]) == len(SHARES)
    assert len(told["charts"]) == page.count('class="chart"') == (5 if data else 3)
    for chart in told["charts"]:
        assert len(chart["rings"]) == len(SHARES)
        assert len(chart["line"]) in (0, len(SHARES))
    commands = [point["command"] for point in told["points"]]
    on = "--target arm64 --target wasm"
    assert commands[0] == f"tflite-sparse optimize net.tflite {on} -o net_sparse.tflite"
    assert commands[3] == f"tflite-sparse optimize net.tflite --prune 0.8 {on} -o net_80.tflite"
    assert [point["layers"] for point in told["points"]] == ["00000", "00000"] + ["11111"] * 3


def test_a_line_of_times_is_level_up_to_the_rule_of_two_thirds_and_falls_there():
    places = [(0.0, 1.0), (0.5, 1.0), (0.7, 0.6), (0.8, 0.5), (0.9, 0.4)]
    steep = Series("", "a", tuple(places), step=2 / 3)
    *before, edge, foot, first, _, _ = _stepped(steep)
    assert before == places[:2]
    assert (edge, first) == ((2 / 3, 1.0), places[2])
    # From the foot of the step on it goes as straight as behind it.
    assert foot == (2 / 3, pytest.approx(0.6 + 0.1 / 3))
    for without in (None, -0.1, 0.95):
        assert _stepped(replace(steep, step=without)) == places
    lines = {each.name: each for each in _time_series(made_up_sweep())}
    assert lines["browser, est."].step == 0.667
    # One that has won something before falls from there on.
    early = made_up_sweep()
    time = replace(early.points[1].times[1], gain=1.2)
    point = replace(early.points[1], times=(early.points[1].times[0], time))
    early = replace(early, points=(early.points[0], point, *early.points[2:]))
    assert {each.name: each for each in _time_series(early)}["browser, est."].step is None


def test_times_that_differ_by_noise_alone_are_one_level_and_dots_that_touch_share_a_name():
    sweep = made_up_sweep()
    noisy = [
        replace(r, measured=MeasuredTime(20, None, g, ""))
        for r, g in zip(sweep.rivals, (0.99, 1.01), strict=False)
    ]
    slow = replace(sweep.rivals[0], name="slow", measured=MeasuredTime(20, None, 0.9, ""))
    time = next(c for c in sweep_charts(replace(sweep, rivals=(*noisy, slow))) if c.key == "time")
    assert [level.name for level in time.chart.levels] == ["dense", "slow"]
    axis = Axis("", 0.0, 100.0, str)
    dots = (Dot("one", 50, 50.0), Dot("near", 50.5, 51.0), Dot("far", 60, 50.0))
    drawn = str(chart_svg(Chart("", axis, axis, (), dots=dots), ""))
    assert "one, near" in drawn
    assert drawn.count('class="rival"') == 2


def test_the_page_tells_where_it_pays_first():
    page = sweep_page(made_up_sweep())
    faster = "Faster in the browser from 67 % zeros on, twice as fast from 85 %: an estimate."
    assert page.index(faster) < page.index("It runs sparse on arm64 from 67 % zeros on.")
    assert "folder/" not in page


def test_what_was_measured_comes_first_with_its_times():
    sweep = made_up_sweep()
    dense = Rival(RivalKind.DENSE_FP32, "dense", None, 1, 1, measured=MeasuredTime(20, None, 1, ""))
    page = sweep_page(replace(sweep, rivals=(dense, *sweep.rivals)))
    measured = (
        "Measured in the browser: 1.26 times as fast at 67 % zeros (15.9 ms), 1.56 times at 80 %"
        " zeros (12.8 ms) and 1.92 times at 90 % zeros (10.4 ms). The dense model takes 20 ms."
    )
    # What was won at few zeros is left to the table.
    assert page.index(measured) < page.index("Faster in the browser")
    assert '<td class="num">12.8 ms, 1.56 times</td>' in page
    facts = dict(data_of(page)["points"][3]["facts"])
    assert facts["in the browser, measured"] == "1.56 times as fast, 12.8 ms"
    assert facts["in the browser, estimate"] == "1.56 times as fast"
    assert "Measured" not in sweep_page(made_up_sweep(data=False))


def test_instructions_that_were_counted_are_called_so():
    sweep = made_up_sweep()
    counted = tuple(
        replace(p, measured=MeasuredTime(None, 2_000_000, 2.5, "")) for p in sweep.points
    )
    how = Measurement("emulated", "LiteRT", "Cortex-A76", 3)
    page = sweep_page(replace(sweep, points=counted, measurement=how))
    assert "Measured on emulated arm64: 2.50 times fewer instructions at 67 % zeros (2 M)" in page
    assert '<td class="num">2 M, 2.50 times</td>' in page
    failed = replace(sweep.points[3], measured=MeasuredTime(None, None, None, "it aborted"))
    page = sweep_page(replace(sweep, points=(*sweep.points[:3], failed)))
    assert '<td class="num">failed</td>' in page


def test_unknown_quality_stands_beside_the_gain():
    page = sweep_page(made_up_sweep(data=False))
    assert "What quality is left is not known" in page
    facts = [dict(point["facts"]) for point in data_of(page)["points"]]
    assert [each.get("quality that is left") for each in facts] == [None, *["not known"] * 4]
    assert "not known" not in sweep_page(made_up_sweep())


def test_a_rival_that_is_not_there_is_a_note_and_no_row():
    page = sweep_page(made_up_sweep())
    assert "Full int8 is not among them: no data." in page
    assert '<th scope="row">full int8' not in page


def test_words_are_explained_where_the_page_has_them():
    page = sweep_page(made_up_sweep())
    for word in ("zeros", "fp32, fp16, int8", "runs dense, runs sparse", "estimate", "arm64"):
        assert f"<dt>{word}</dt>" in page
    assert "every filter has the same share of zeros (uniform)" in page
    for word in ("armv7", "fewer instructions"):
        assert f"<dt>{word}</dt>" not in page


@pytest.mark.parametrize(
    ("fields", "command"),
    [
        ({}, "optimize net.tflite --prune 0.8 -o net_80.tflite"),
        (
            {"allocation": Allocation.ERK, "block": 2},
            (
                "prune net.tflite --zeros 0.8 --allocate erk --block 2 -o net_80_dense.tflite"
                " && tflite-sparse optimize net_80_dense.tflite -o net_80.tflite"
            ),
        ),
        (
            {"method": Method.CALIBRATED},
            "optimize net.tflite --prune 0.8 --data DATA -o net_80.tflite",
        ),
        (
            {"method": Method.CALIBRATED, "values": StoredValues.INT8},
            (
                "prune net.tflite --zeros 0.8 --method calibrated --data DATA"
                " -o net_80_dense.tflite && tflite-sparse optimize net_80_dense.tflite"
                " --values int8 -o net_80.tflite"
            ),
        ),
    ],
)
def test_the_command_makes_the_file_of_the_point(fields, command):
    sweep = made_up_sweep()
    point = sweep.points[3]
    sweep = replace(sweep, targets=("arm64", "armv7", "wasm"), **fields)
    assert _command(sweep, point) == f"tflite-sparse {command}"


def test_a_file_whose_name_begins_like_an_option_is_named_as_a_path():
    sweep = made_up_sweep("folder/-a.tflite")
    words = _command(sweep, sweep.points[3]).split()
    assert [word for word in words if "a_80" in word or "-a.tflite" in word] == [
        *("./-a.tflite", "./-a_80.tflite")
    ]


def test_dense_at_all_shares_is_not_dense_for_ever():
    sweep = made_up_sweep()
    none = tuple(replace(t, sparse_from=None, faster_from=None) for t in sweep.thresholds)
    page = sweep_page(replace(sweep, thresholds=none))
    assert "It runs dense on arm64 and wasm with all of these shares." in page


def test_the_same_sweep_gives_the_same_page_and_picture():
    assert sweep_page(made_up_sweep()) == sweep_page(made_up_sweep())
    assert sweep_svg(made_up_sweep()) == sweep_svg(made_up_sweep())


def test_names_stay_text():
    page, picture = sweep_page(made_up_sweep(EVIL)), sweep_svg(made_up_sweep(EVIL))
    assert "<img" not in page
    assert "<img" not in picture
    assert EVIL.rsplit("/", maxsplit=1)[-1].encode("ascii", "ignore").decode()[:3] in picture
    parsed(picture)


@pytest.mark.parametrize("data", [True, False])
def test_everything_in_the_picture_lies_within_it(data):
    sweep = made_up_sweep(data=data)
    width, height = picture_size(sweep)
    root = parsed(sweep_svg(sweep))
    assert root.get("viewBox") == f"0 0 {width} {height}"
    for inner in root.iter("{http://www.w3.org/2000/svg}svg"):
        for circle in inner.iter("{http://www.w3.org/2000/svg}circle"):
            assert 0 <= float(circle.get("cx")) <= 460
            assert 0 <= float(circle.get("cy")) <= 300


def test_names_at_the_end_of_lines_keep_apart():
    placed = _apart([20.0, 21.0, 22.0, 250.0, 255.0, 256.0])
    assert all(later - sooner >= 15 for sooner, later in itertools.pairwise(placed))
    assert max(placed) <= 262


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0, 5.6), (0.83, 1), (0, 0.003), (3, 3)])
def test_ticks_are_few_round_and_within(low, high):
    found = ticks(low, high)
    assert all(low - 1e-9 <= tick <= high + 1e-9 for tick in found)
    assert 1 <= len(found) <= 8
