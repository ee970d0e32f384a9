"""What a figure shows, measured on what was drawn: boxes of texts, and marks by name."""

from itertools import pairwise

from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.path import Path
from matplotlib.text import Text

_INK = 0.6  # points of a line box that hold no ink, above and below


def boxes(figure):
    """Return every text with its box in inches from the upper left corner."""
    wide, high = figure.get_size_inches()
    renderer = RendererAgg(int(wide * figure.dpi) + 1, int(high * figure.dpi) + 1, figure.dpi)
    found = []
    for text in figure.findobj(Text):
        if text.get_text() and text.get_visible():
            box = text.get_window_extent(renderer)
            left, right = box.x0 / figure.dpi, box.x1 / figure.dpi
            top, bottom = high - box.y1 / figure.dpi, high - box.y0 / figure.dpi
            found.append((text.get_text(), left, top + _INK / 72, right, bottom - _INK / 72))
    return found


def collisions(figure):
    """Return the pairs of texts that overlap."""
    placed = sorted(boxes(figure), key=lambda box: box[2])
    found = []
    for place, (first, left, _, right, bottom) in enumerate(placed):
        for second, other_left, other_top, other_right, _ in placed[place + 1 :]:
            if other_top >= bottom:
                break
            if other_left < right - 0.005 and left < other_right - 0.005:
                found.append((first, second))
    return found


def strays(figure):
    """Return the texts that leave the page."""
    wide, high = figure.get_size_inches()
    return [text for text, left, top, right, bottom in boxes(figure)
            if left < -0.001 or top < -0.001 or right > wide + 0.001 or bottom > high + 0.001]  # fmt: skip


def sizes(figure):
    """Return the sizes of all texts in points."""
    return {text.get_fontsize() for text in figure.findobj(Text) if text.get_text()}


def colours(figure):
    """Return the colour of each text."""
    return {text.get_text(): text.get_color() for text in figure.findobj(Text) if text.get_text()}


def words(figure):
    """Return all texts."""
    return [text for text, *_ in boxes(figure)]


def marks(figure, name):
    """Return the outlines of all marks of a name, in inches from the upper left corner, as drawn."""
    return [
        [tuple(point) for point in part.vertices + place]
        for artist in figure.artists
        if artist.get_gid() == name
        for path, place in _placed(artist)
        for part in _parts(path)
    ]


def _placed(artist):
    """Return the outlines of a collection, each with its place."""
    paths, places = artist.get_paths(), artist.get_offsets()
    return [(paths[number % len(paths)], places[number % len(places)])
            for number in range(max(len(paths), len(places)))]  # fmt: skip


def _parts(path):
    """Return the lines of a path that has several."""
    if path.codes is None or 79 in path.codes:
        return [path]
    starts = [place for place, code in enumerate(path.codes) if code == 1]
    return [Path(path.vertices[start:end]) for start, end in pairwise([*starts, len(path.codes)])]


def bounds(points):
    """Return left, top, right and bottom of an outline."""
    across, down = zip(*points, strict=True)
    return min(across), min(down), max(across), max(down)


def area(points):
    """Return the area of a polygon."""
    return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise([*points, points[0]]))) / 2
