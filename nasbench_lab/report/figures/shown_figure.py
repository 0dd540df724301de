"""A figure that notebooks show, without pyplot."""

from __future__ import annotations

import io

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from nasbench_lab.report.figures.fonts import drawing
from nasbench_lab.report.figures.style import RC

_DOTS_PER_INCH = 96
_DENSITY = 2  # image pixels per pixel of the page, for sharp text on screens of high density


class ShownFigure(Figure):
    r"""A matplotlib figure with a display of its own.

    A plain `Figure` shows itself in a notebook only after pyplot was imported there.

    >>> ShownFigure(figsize=(2, 1))._repr_png_()[0][:4]
    b'\x89PNG'
    """

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        """Return the figure as PNG, and its width and height on the page."""
        width, height = (round(_DOTS_PER_INCH * length) for length in self.get_size_inches())
        image = io.BytesIO()
        with drawing(RC):
            FigureCanvasAgg(self).print_figure(image, format="png", dpi=_DENSITY * _DOTS_PER_INCH, facecolor="white")
        return image.getvalue(), {"width": width, "height": height}
