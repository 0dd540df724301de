"""Convolutions as products of matrices against those of torch."""

import pytest
import torch
from torch import nn

from nasbench_lab.train.networks.blocks import ConvBn
from nasbench_lab.train.networks.small_convolutions import DepthwiseConv, PointwiseBn, PointwiseConv


def check(layer, x):
    """Outputs and all gradients are those of `nn.Conv2d`."""
    found = []
    for forward in (type(layer).forward, nn.Conv2d.forward):
        inputs = x.clone().requires_grad_()
        layer.zero_grad()
        outputs = forward(layer, inputs)
        (outputs * torch.linspace(-1, 1, outputs.numel(), dtype=x.dtype).view(outputs.shape)).sum().backward()
        found.append((outputs.detach(), inputs.grad, layer.weight.grad.clone()))
    for here, there in zip(*found, strict=True):
        torch.testing.assert_close(here, there)


def images(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@pytest.mark.parametrize("size", [(8, 8), (4, 4), (1, 1), (2, 5), (7, 9), (9, 9)])
@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize(("stride", "dilation"), [(1, 1), (2, 1), (1, 2), (2, 2)])
def test_depthwise(size, kernel, stride, dilation):
    check(DepthwiseConv(6, kernel, stride, dilation).double(), images(3, 6, *size))


@pytest.mark.parametrize("size", [(8, 8), (3, 5), (9, 9)])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("copies", [1, 2, 3])
def test_pointwise(size, stride, copies):
    check(PointwiseConv(4, 6, stride, copies=copies).double(), images(3, 4 * copies, *size))


@pytest.mark.parametrize("copies", [1, 2])
@pytest.mark.parametrize("training", [True, False])
def test_a_pointwise_block_is_the_usual_block(copies, training):
    usual, found = ConvBn(4, 6, 1, copies=copies).double(), PointwiseBn(4, 6, copies=copies).double()
    found.load_state_dict(usual.state_dict())
    x = images(5, 4 * copies, 4, 4)
    for _ in range(2):  # the first call moves the statistics of the normalisation
        torch.testing.assert_close(found(x), usual(x))
    torch.testing.assert_close(found.train(training)(x), usual.train(training)(x))
    torch.testing.assert_close(found.eval()(x), usual.eval()(x))
