"""Checks of drawn figures: nothing is cut, nothing overlaps, and text can be read."""

import contextlib
import itertools

import numpy as np
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from nasbench_lab.report.figures.paper_styles import STYLES

TOLERANCE = 1.0  # pixels


@contextlib.contextmanager
def drawn(figure, style):
    """Draw a figure, and give its renderer."""
    with rc_context(STYLES[style].rc):
        renderer = FigureCanvasAgg(figure).get_renderer()
        figure.draw_without_rendering()
        yield renderer


def check_nothing_is_cut(figure, style):
    """All artists lie on the page, as far as they are not clipped by their panel on purpose."""
    with drawn(figure, style) as renderer:
        page = figure.bbox
        for artist in dict.fromkeys([*figure.texts, *figure.legends, *figure.axes, *figure.get_children()]):
            box = artist.get_tightbbox(renderer)
            if artist is figure.patch or box is None or not np.isfinite(box.extents).all() or box.width == 0:
                continue
            assert box.x0 >= page.x0 - TOLERANCE, (artist, box)
            assert box.y0 >= page.y0 - TOLERANCE, (artist, box)
            assert box.x1 <= page.x1 + TOLERANCE, (artist, box, page)
            assert box.y1 <= page.y1 + TOLERANCE, (artist, box, page)


def check_fonts(figure, style, least=None):
    """No visible text is smaller than can be read."""
    least = least or STYLES[style].smallest
    for text in figure.findobj(Text):
        if text.get_text().strip() and text.get_visible():
            assert text.get_fontsize() >= least - 1e-9, (text, text.get_fontsize())


def check_direct_labels(figure, style):
    """The names at the ends of lines overlap neither each other nor the next panel."""
    with drawn(figure, style) as renderer:
        labels = [text for panel in figure.axes for text in panel.texts if getattr(text, "arrow_patch", None)]
        boxes = [(label.get_text(), Text.get_window_extent(label, renderer)) for label in labels]
        for (one, a), (other, b) in itertools.combinations(boxes, 2):
            width, height = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
            assert width < TOLERANCE or height < TOLERANCE, (one, other)
        for panel in figure.axes:
            inside = panel.get_window_extent(renderer)
            for name, box in boxes:
                width = min(inside.x1, box.x1) - max(inside.x0, box.x0)
                height = min(inside.y1, box.y1) - max(inside.y0, box.y0)
                assert width < TOLERANCE or height < TOLERANCE, name
        return len(boxes)
