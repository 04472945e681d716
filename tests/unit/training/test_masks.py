"""Zeros that hold while PyTorch trains, whatever it trains with."""

from __future__ import annotations

import copy
import io

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.optim.swa_utils import AveragedModel

from tests.support.training.nets import chain
from tests.support.training.sequential import converted
from tflite_sparse.errors import UsageError
from tflite_sparse.masking.arrays import NumpyArrays
from tflite_sparse.masking.engine import MaskEngine
from tflite_sparse.masking.schedule import Schedule
from tflite_sparse.pruning.options import Allocation, Method
from tflite_sparse.pruning.recipe import Recipe, RecipeLayer
from tflite_sparse.storage.values.options import StoredValues
from tflite_sparse.torch.training.masks import TorchArrays
from tflite_sparse.training import MaskOptions, Masks, eligible

SHARES = {"2.0": 0.8, "4.0": 0.8, "6.0": 0.8, "8.0": 0.8}
torch.set_num_threads(1)


def trained(net, masks, steps, *, seed=0, optimizer=None):
    """Some steps as anybody would write them."""
    generator = torch.Generator().manual_seed(seed)
    optimizer = optimizer or torch.optim.SGD(net.parameters(), 0.1, momentum=0.9)
    for _ in range(steps):
        pictures = torch.rand(4, 3, 16, 16, generator=generator)
        loss = nn.functional.cross_entropy(net(pictures), torch.arange(4))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        masks.step()
    return optimizer


def kept_of(net):
    return {name: net.get_parameter(f"{name}.weight").detach() != 0 for name in SHARES}


def same(one, other):
    return all(torch.equal(mask, other[name]) for name, mask in one.items())


def test_fixed_zeros_hold_and_rigl_moves_as_many():
    for kind in ("fixed", "rigl"):
        net = chain(width=16)
        masks = Masks(net, SHARES, MaskOptions(masks=kind, steps=8, every=2))
        before = kept_of(net)
        trained(net, masks, 5)
        after = kept_of(net)
        assert same(before, after) is (kind == "fixed")
        for name, mask in after.items():
            assert (
                int(mask.sum())
                <= int(before[name].sum())
                == mask.numel() - round(0.8 * mask.numel())
            )
        assert masks.zeros == pytest.approx(0.8, abs=0.01)
        assert net.get_parameter("0.0.weight").count_nonzero() == 16 * 27


def test_zeros_come_along_a_cubic_curve_between_two_steps():
    net = chain(width=16)
    options = MaskOptions(masks="magnitude", steps=20, begin=0.2, ramp=0.6, every=2)
    masks = Masks(net, SHARES, options)
    shares = []
    for _ in range(10):
        trained(net, masks, 2)
        shares.append(masks.zeros)
    curve = [0.8 * (1 - (1 - t) ** 3) for t in (0, 0, 0.25, 0.5, 0.75, 1, 1, 1, 1, 1)]
    assert shares == pytest.approx(curve, abs=0.004)


def test_zeros_are_spread_as_prune_spreads_them():
    net = chain(width=16).eval()
    known = eligible(net, tflite=converted(net, (1, 3, 16, 16)))
    for options in (
        MaskOptions(zeros=0.8),
        MaskOptions(zeros=0.8, allocation="erk"),
        MaskOptions(zeros=0.8, zeros_of={"2.*": 0.7, "8.0": 0.9}),
    ):
        masks = Masks(copy.deepcopy(net), known, options)
        report = masks.report()
        shares = {layer.name: layer.zeros / layer.elements for layer in report.layers}
        assert report.zeros == pytest.approx(0.8, abs=0.003)
        if options.allocation == "erk":
            assert shares["2.0"] < shares["4.0"] < shares["8.0"]
        elif options.zeros_of:
            assert [round(shares[n], 1) for n in ("2.0", "8.0")] == [0.7, 0.9]
        assert [speed.sparse for speed in report.speed] == [4, 4, 4]
        assert "80." in str(report)
        assert "wasm 4 sparse" in str(report)
    with pytest.raises(UsageError, match="no layer whose zeros count is called '11'"):
        Masks(net, known, MaskOptions(zeros_of={"11": 0.5}))
    with pytest.raises(UsageError, match="and run dense: together they need"):
        Masks(net, known, MaskOptions(zeros=0.5))
    with pytest.raises(UsageError, match="found for blocks of 1, not of 2"):
        Masks(net, known, MaskOptions(block=2))


def test_the_recipe_of_a_sweep_says_where_zeros_are(tmp_path):
    net = chain(width=16).eval()
    known = eligible(net, tflite=converted(net, (1, 3, 16, 16)), block=2)
    filters = known.selected.filters
    wanted = (0.7, 0.75, 0.8, 0.85)
    recipe = Recipe(
        recipe_version=1,
        sha256="0" * 64,
        zeros=0.8,
        method=Method.MAGNITUDE,
        allocation=Allocation.FIDELITY,
        block=2,
        values=StoredValues.FP32,
        targets=("arm64",),
        layers=tuple(
            RecipeLayer(p.weight.tensor.name, p.size, round(share * p.size))
            for p, share in zip(filters, wanted, strict=True)
        ),
    )
    path = tmp_path / "recipe.json"
    recipe.write(path)
    masks = Masks(net, known, MaskOptions(recipe=str(path), masks="fixed"))
    shares = [layer.zeros / layer.elements for layer in masks.report().layers]
    assert shares == pytest.approx(wanted, abs=0.01)
    for mask in kept_of(net).values():
        pairs = mask.reshape(-1, 2, *mask.shape[1:])
        assert torch.equal(pairs[:, 0], pairs[:, 1])


def test_a_training_that_was_stopped_goes_on_as_if_it_had_not_been():
    options = MaskOptions(steps=12, every=2)
    whole = chain(width=16)
    masks = Masks(whole, SHARES, options)
    optimizer = trained(whole, masks, 4)
    stopped = io.BytesIO()
    state = (whole.state_dict(), optimizer.state_dict(), masks.state_dict())
    torch.save(state, stopped)
    trained(whole, masks, 4, seed=1, optimizer=optimizer)

    stopped.seek(0)
    state = torch.load(stopped, weights_only=True)
    other = chain(width=16, seed=7)
    optimizer = torch.optim.SGD(other.parameters(), 0.1, momentum=0.9)
    masks = Masks(other, SHARES, options)
    other.load_state_dict(state[0])
    optimizer.load_state_dict(state[1])
    masks.load_state_dict(state[2])
    trained(other, masks, 4, seed=1, optimizer=optimizer)
    assert all(torch.equal(v, other.state_dict()[n]) for n, v in whole.state_dict().items())

    with pytest.raises(UsageError, match="another training: options of its masks differ"):
        Masks(other, SHARES, MaskOptions(steps=13)).load_state_dict(state[2])
    with pytest.raises(UsageError, match="another training: shapes of its masks differ"):
        Masks(chain(width=8), SHARES, options).load_state_dict(state[2])
    cut = {**state[2], "masks": {"kept": state[2]["masks"]["kept"]}}
    for wrong in ({"step": 1}, cut):
        with pytest.raises(UsageError, match="this is no state of masks"):
            masks.load_state_dict(wrong)


@pytest.mark.parametrize("options", [{"recipe": "recipe.json"}, {"zeros_of": {"2.0": 0.7}}])
def test_what_would_be_ignored_beside_shares_by_name_is_refused(options):
    with pytest.raises(UsageError, match="would be ignored; leave one of them out"):
        Masks(chain(width=8), SHARES, MaskOptions(**options))


def test_mixed_precision_holds_zeros_and_a_step_without_finite_gradients_moves_none():
    net = chain(width=16)
    masks = Masks(net, SHARES, MaskOptions(steps=100, every=1))
    optimizer = torch.optim.SGD(net.parameters(), 0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**8)
    moved = []
    for step in range(4):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = net(torch.rand(4, 3, 16, 16)).square().mean()
        optimizer.zero_grad()
        scaler.scale(loss).backward()
        if step == 2:
            for parameter in net.parameters():
                parameter.grad.fill_(torch.inf)
        before = kept_of(net)
        scaler.step(optimizer)
        scaler.update()
        masks.step()
        moved.append(not same(before, kept_of(net)))
        assert masks.zeros == pytest.approx(0.8, abs=0.01)
    assert moved == [True, True, False, True]
    assert all(torch.isfinite(p).all() for p in net.parameters())


def test_an_average_of_the_weights_gets_the_same_zeros_and_nothing_stays_on_the_module():
    net = chain(width=16)
    before = set(net.__dict__), set(dict(net.named_modules())), [*net.state_dict()]
    masks = Masks(net, SHARES, MaskOptions(steps=10, every=2))
    average = AveragedModel(net)
    trained(net, masks, 4)
    average.update_parameters(net)
    masks.apply_to(average.module)
    stripped = masks.strip()
    assert stripped is net
    assert (set(net.__dict__), set(dict(net.named_modules())), [*net.state_dict()]) == before
    for name, mask in kept_of(net).items():
        assert not (average.module.get_parameter(f"{name}.weight")[~mask]).any()
    with pytest.raises(UsageError, match="the masks were stripped"):
        masks.step()


def test_what_makes_no_sense_is_said_in_one_line():
    net = chain(width=8)
    with pytest.raises(UsageError, match="the module has no layer 'head' with a weight"):
        Masks(net, {"head": 0.5})
    with pytest.raises(UsageError, match="no layer is named"):
        Masks(net, {})
    with pytest.raises(UsageError, match=r"2\.0's is 1"):
        Masks(net, {"2.0": 1})
    with pytest.raises(UsageError, match=r"2\.0's is much"):
        Masks(net, {"2.0": "much"})
    masks = Masks(net, SHARES, MaskOptions(steps=10, every=1))
    with pytest.raises(UsageError, match=r"and before zero_grad\(\)"):
        masks.step()
    for changes, message in (
        ({"zeros": 1.0}, "zeros is 1.0"),
        ({"steps": 0}, "steps is a whole number, 1 or more, was 0"),
        ({"every": 2.5}, "every is a whole number, 1 or more, was 2.5"),
        ({"begin": 0.6, "ramp": 0.5}, "begin and ramp are shares"),
        ({"drop": 1.0}, "drop is from 0"),
        ({"masks": "RigL"}, "masks is one of fixed, magnitude, rigl"),
        ({"allocation": "fidelity"}, "allocation is uniform or erk"),
        ({"block": 3}, "no kernels for blocks of 3"),
    ):
        with pytest.raises(UsageError, match=message):
            MaskOptions(**changes)


@settings(max_examples=25, deadline=None)
@given(
    kind=st.sampled_from(["fixed", "magnitude", "rigl"]),
    block=st.sampled_from([1, 2, 4]),
    shape=st.sampled_from([(8, 5), (6, 3, 1, 1), (4, 4, 3, 3)]),
    seed=st.integers(0, 99),
)
def test_numpy_and_pytorch_decide_alike(kind, block, shape, seed):
    rng = np.random.default_rng(seed)
    schedule = Schedule(kind, 20, 0.1, 0.6, 2, 0.3)
    weights = rng.standard_normal(shape).astype(np.float32)
    one = MaskEngine({"w": weights}, {"w": 0.7}, schedule, block, NumpyArrays())
    other = MaskEngine({"w": torch.from_numpy(weights)}, {"w": 0.7}, schedule, block, TorchArrays())
    for step in range(1, 21):
        if one.is_due(step):
            slopes = rng.standard_normal(shape).astype(np.float32)
            weights = (rng.standard_normal(shape) * one.kept["w"]).astype(np.float32)
            one.update(step, {"w": weights}, {"w": slopes})
            other.update(step, {"w": torch.from_numpy(weights)}, {"w": torch.from_numpy(slopes)})
        assert np.array_equal(one.kept["w"], other.kept["w"].numpy())
    assert one.zeros == pytest.approx(0.7, abs=0.5 * block / weights.size + 0.05)
