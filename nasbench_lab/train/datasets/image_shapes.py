"""The shapes of the data sets that have a name, known without loading them."""

from __future__ import annotations

_SHAPES: dict[str, tuple[tuple[int, int, int], int]] = {
    "ImageNet16-120": ((3, 16, 16), 120),
    "cifar10": ((3, 32, 32), 10),
    "cifar100": ((3, 32, 32), 100),
    "digits": ((1, 8, 8), 10),
}


def image_shape(name: str) -> tuple[tuple[int, int, int], int] | None:
    """Return the shape of an image (channels, height, width) and the number of classes; None for an unknown name.

    >>> image_shape("cifar100"), image_shape("mine.npz")
    (((3, 32, 32), 100), None)
    """
    return _SHAPES.get(name)
