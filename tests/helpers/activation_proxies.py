"""Plain versions of the proxies of activations and input gradients: loops over images, units, layers and pixels."""

import itertools
import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional


def outputs_of(network, images, wanted, *, inputs=False):
    """Return the outputs (or inputs) of all calls of the modules that are wanted."""
    seen = []

    def keep(_module, given, output):
        seen.append((given[0] if inputs else output).detach().clone())

    handles = [module.register_forward_hook(keep) for module in network.modules() if wanted(module)]
    with torch.no_grad():
        network(images)
    for handle in handles:
        handle.remove()
    return seen


def codes_of_images(network, images):
    """Return a list of bits for every image, over all units of all ReLUs."""
    codes = [[] for _ in images]
    for values in outputs_of(network, images, lambda module: isinstance(module, nn.ReLU)):
        for image, bits in enumerate((values > 0).flatten(1).tolist()):
            codes[image] += bits
    return codes


def plain_naswot(network, images):
    """Count the agreements of every two images, and take the determinant."""
    codes = codes_of_images(network, images)
    kernel = [[sum(a == b for a, b in zip(one, other, strict=True)) for other in codes] for one in codes]
    sign, logarithm = np.linalg.slogdet(np.array(kernel, dtype=float))
    return logarithm if sign else math.nan


def plain_swap(network, images):
    """Put the pattern of every unit into a set."""
    return len(set(zip(*codes_of_images(network, images), strict=True)))


def input_gradients(network, images):
    """Return the gradient of the sum of outputs by every image, one row each."""
    images = images.clone().requires_grad_(True)
    outputs = network(images)
    outputs.backward(torch.ones_like(outputs))
    return images.grad.flatten(1).numpy().astype(float)


def plain_correlation(one, other):
    """Return the Pearson correlation between two vectors."""
    one, other = one - one.sum() / len(one), other - other.sum() / len(other)
    return float((one * other).sum() / math.sqrt((one**2).sum() * (other**2).sum()))


def correlation_table(rows):
    """Return the correlations between all rows."""
    return [[plain_correlation(one, other) for other in rows] for one in rows]


def plain_jacov(network, images):
    """Sum over the eigenvalues of the correlations between images."""
    values = np.linalg.eig(np.array(correlation_table(input_gradients(network, images))))[0].real
    return -sum(math.log(value + 1e-5) + 1 / (value + 1e-5) for value in values)


def plain_epe_nas(network, images, labels, classes):
    """Sum over classes, from the correlations of the images of each."""
    rows, score = input_gradients(network, images), {}
    for label in sorted(set(labels.tolist())):
        of_class = [row for row, each in zip(rows, labels.tolist(), strict=True) if each == label]
        table = correlation_table(of_class)
        score[label] = sum(math.log(abs(value) + 1e-5) for line in table for value in line)
        if classes > 100:
            if len(of_class) == 1:
                del score[label]
            else:
                score[label] /= len(of_class)
    if classes <= 100:
        return sum(abs(value) for value in score.values())
    return sum(abs(one - other) for one, other in itertools.product(score.values(), repeat=2)) / len(score)


def plain_zico(network, batches):
    """Compute the mean and the deviation of every weight over batches, and sum up."""
    gradients = {}
    for images, labels in batches:
        network.zero_grad()
        functional.cross_entropy(network(images), labels).backward()
        for name, module in network.named_modules():
            if isinstance(module, nn.Conv2d | nn.Linear) and module.weight.grad is not None:
                gradients.setdefault(name, []).append(module.weight.grad.flatten().tolist())
    score = 0.0
    for of_batches in gradients.values():
        ratios = []
        for values in zip(*of_batches, strict=True):
            mean = sum(values) / len(values)
            deviation = math.sqrt(sum((value - mean) ** 2 for value in values) / len(values))
            if deviation:
                ratios.append(sum(map(abs, values)) / len(values) / deviation)
        if ratios:
            score += math.log(sum(ratios))
    return score


def plain_smallest_eigenvalue(feature_map):
    """Return the smallest eigenvalue of the correlations of channels, where constant ones have zeros."""
    rows = [channel.flatten().numpy().astype(float) for channel in feature_map]
    table = np.zeros((len(rows), len(rows)))
    for i, j in itertools.product(range(len(rows)), repeat=2):
        if np.ptp(rows[i]) > 0 and np.ptp(rows[j]) > 0:
            table[i, j] = plain_correlation(rows[i], rows[j])
    return min(np.linalg.eigvals(table).real)


def plain_meco(network, image, nested=False):
    """Sum the smallest eigenvalues of the outputs of all modules without parts, or of all modules."""
    maps = outputs_of(network, image, lambda module: nested or not list(module.children()))
    return sum(plain_smallest_eigenvalue(each[0]) for each in maps if each.ndim == 4)


def plain_zen(network, images, noise, strength, features):
    """Return the Zen-score of a network that has its weights, for given images.

    Args:
        network: the network.
        images: that are changed.
        noise: how.
        strength: of the change.
        features: how many layers of the network come before global pooling.
    """
    with torch.no_grad():
        first, second = (network[:features](each) for each in (images, images + strength * noise))
        network[features:](second)  # for what the classifier normalises
    pairs = zip(first.flatten(1).tolist(), second.flatten(1).tolist(), strict=True)
    distances = [sum(abs(a - b) for a, b in zip(*pair, strict=True)) for pair in pairs]
    score = math.log(sum(distances) / len(distances))
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            variances = module.running_var.tolist()
            score += math.log(math.sqrt(sum(variances) / len(variances)))
    return score


def plain_entropy(features):
    """Return the entropy of the principal components of channels."""
    pixels = features.permute(0, 2, 3, 1).reshape(-1, features.shape[1]).double().numpy()
    values = np.linalg.eigvals(np.cov(pixels.T, bias=True).reshape(features.shape[1], -1)).real
    return -sum(v / values.sum() * math.log(v / values.sum() + 1e-8) for v in values if v > 0)


def plain_trainability(before, after, signs):
    """Return 2 - s - 1 / s of the mean outer product of gradients, pixel by pixel of the output."""
    (gradient,) = torch.autograd.grad(after, before, signs)
    batch, _, height, width = signs.shape
    factor = gradient.shape[2] // height
    total = 0
    for image, y, x in itertools.product(range(batch), range(height), range(width)):
        patch = gradient[image, :, y * factor : (y + 1) * factor, x * factor : (x + 1) * factor].flatten()
        total = total + torch.outer(patch.double(), signs[image, :, y, x].double())
    norm = np.linalg.svd((total / (batch * height * width)).numpy(), compute_uv=False).max()
    return 2 - norm - 1 / (norm + 1e-6)
