"""The laws that every chart keeps: legible, told apart, the same bytes, well-formed, spoken."""

import itertools
import math
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath

import mesoevidence as me
from mesoevidence.charts import certain, evidence_map as evidence_map_module, kit, lights
from tests import drawn

HOSTILE = [
    "$\\frac{",
    "_x",
    "<script>alert(1)</script>",
    "a & b \x00",
    "中文试验 " * 6,
    "L" * 40,
    "  ",
    "$$ = 2",
]
STUDIES = pd.DataFrame(
    {"slab": HOSTILE, "yi": np.linspace(-1, 0.5, 8), "vi": [0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 1, 9]}
)
STUDIES["study"] = range(8)
BIAS = pd.DataFrame(
    [
        (slab, domain, word)
        for slab in HOSTILE
        for domain, word in (
            ("a" * 30, "low"),
            ("$b$", "high"),
            ("c", "odd <b>"),
            ("overall", "some-concerns"),
        )
    ],
    columns=["study", "domain", "judgement"],
)


@cache
def skin():
    return me.load().select(topic="skin-dryness", outcome="skin-hydration")


def forest(width, grey):
    bias = BIAS.assign(study=BIAS["study"].replace({name: str(place) for place, name in enumerate(HOSTILE)}))
    return me.forest(me.pool(STUDIES, measure="RR"), rob=bias, arms=("$a", "<b>"), favours=("$f", "<g>"),
                     width=width, grey=grey, title="<title> & $")  # fmt: skip


def funnel(width, grey):
    pooled = me.pool(STUDIES.assign(**{"$g": ["$a", "<b>"] * 4}), measure="RR")
    return me.funnel(
        pooled, by="$g", fill=me.trim_and_fill(pooled), width=width, grey=grey, title="<title> & $"
    )


def traffic_light(width, grey):
    return me.traffic_light(BIAS, width=width, grey=grey, title="<title> & $")


def bias_bars(width, grey):
    return me.bias_bars(BIAS, width=width, grey=grey, title="<title> & $")


def overclaim(width, grey):
    table = pd.DataFrame(
        {
            "says": HOSTILE,
            "wording": ["certain", "probable", "possible", "certain"] * 2,
            "overclaim": [3, 1, 0, 2, 1, 0, 1, None],
            "evidence_strength": [
                "none",
                "low",
                "low",
                "low",
                "moderate",
                "moderate",
                "very-low",
                "not-graded",
            ],
            "verdict": ["insufficient", "overstated", "supported", "contradicted", "unverifiable", None]
            + [None] * 2,
        }
    )
    return me.overclaim(table, width=width, grey=grey, title="<title> & $")


def glance(width, grey):
    return me.overclaim(me.load(), width=width, grey=grey, title="<title> & $")


def verdict_matrix(width, grey):
    return me.verdict_matrix(skin(), width=width, grey=grey, title="<title> & $")


COUNTS = STUDIES[["slab"]].assign(
    ai=[0, 3, 9, 40, 1, 2, 8, 100], ci=[1, 5, 9, 30, 0, 6, 20, 90],
    n1i=[30, 40, 50, 90, 20, 30, 100, 900], n2i=[30, 40, 50, 90, 20, 30, 100, 900],
    year=[1999, 1999, 2001, 2003, 2010, 2011, 2019, 2024],
)  # fmt: skip


def labbe(width, grey):
    return me.labbe(me.pool(COUNTS, measure="RR"), width=width, grey=grey, title="<title> & $")


def baujat(width, grey):
    return me.baujat(me.pool(STUDIES, measure="RR"), width=width, grey=grey, title="<title> & $")


def timeline(width, grey):
    said = {2000: "$\\frac{ <b> " * 9, 2020: "中文试验"}
    pooled = me.pool(COUNTS, measure="RR")
    return me.timeline(pooled, year="year", events=said, width=width, grey=grey, title="<title> & $")


def prisma(width, grey):
    parts = dict(zip(HOSTILE, range(8), strict=True))
    flow = {
        "identified": {"Databases": parts, "$x": 972}, "removed": parts,
        "screened": [("$a", 972), ("<b>", 72)], "excluded": [("c" * 90, 900), ("_d", {"e": 30, "f": 2})],
        "sought": 40, "assessed": 40, "not_retrieved": 0, "ineligible": parts,
        "included": {"reports": 12, "studies": 10, "$": 3},
    }  # fmt: skip
    other = {"identified": {"$": 9}, "sought": 9, "not_retrieved": 1, "assessed": 8, "ineligible": 0}
    more = {} if width == "single" else {"other": other, "included": {"reports": 20, "studies": 10}}
    return me.prisma({**flow, **more}, width=width, grey=grey, title="<title> & $")


def evidence_map(width, grey):
    return me.evidence_map(
        skin(), interventions=["ha-crosslinked", "skin-needling"], width=width, grey=grey, title="<title> & $"
    )


DIRECTIONS = pd.DataFrame({
    "study": HOSTILE, "outcome": ["$o", "<p>"] * 4, "direction": ["increase", "decrease", "mixed", "x"] * 2,
    "n": [None, 10, 100, 1000] * 2, "bias": ["low", "odd <b>", None, "high"] * 2, "design": ["rct", None] * 4,
})  # fmt: skip


def effect_direction(width, grey):
    return me.effect_direction(DIRECTIONS, width=width, grey=grey, title="<title> & $")


def harvest(width, grey):
    return me.harvest(DIRECTIONS, width=width, grey=grey, title="<title> & $")


CASES = {
    "L'Abbé": labbe,
    "Baujat": baujat,
    "timeline": timeline,
    "prisma": prisma,
    "evidence map": evidence_map,
    "effect direction": effect_direction,
    "harvest": harvest,
    "forest": forest,
    "funnel": funnel,
    "traffic light": traffic_light,
    "bias bars": bias_bars,
    "overclaim": overclaim,
    "overclaim at a glance": glance,
    "verdict matrix": verdict_matrix,
}
WIDTHS = ("natural", "double", "single")
EVERY = pytest.mark.parametrize("draw", CASES.values(), ids=CASES)


@EVERY
@pytest.mark.parametrize("width", WIDTHS)
def test_no_text_overlaps_another_none_leaves_the_page_and_none_is_too_small(draw, width):
    chart = draw(width, False)

    for figure in chart.figures:
        assert drawn.collisions(figure) == []
        assert drawn.strays(figure) == []
        assert min(drawn.sizes(figure)) >= 7
        if width != "natural":
            wide = {"double": 180, "single": 89}[width]
            assert math.isclose(figure.get_size_inches()[0] * 25.4, wide, abs_tol=0.01)


@EVERY
def test_a_grey_chart_has_no_colour_and_the_same_words(draw):
    colour, grey = draw("double", False), draw("double", True)
    found = {value.lower() for value in re.findall(r"#[0-9a-fA-F]{6}", grey.svg())}

    assert all(value[1:3] == value[3:5] == value[5:7] for value in found)
    assert drawn.words(grey.figure) == drawn.words(colour.figure)


@EVERY
def test_the_svg_is_well_formed_with_title_and_description(draw):
    chart = draw("natural", False)
    root = ElementTree.fromstring(chart.svg())
    space = "{http://www.w3.org/2000/svg}"

    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == "title desc"
    assert root.find(f"{space}title").text == kit.clean(chart.title)
    assert root.find(f"{space}desc").text.startswith(kit.clean(chart.alt))
    assert root.find(f".//{space}script") is None


@EVERY
def test_the_svg_holds_every_text_as_text_in_the_width_of_its_letters(draw):
    chart = draw("natural", False)
    texts = list(ElementTree.fromstring(chart.svg()).iter("{http://www.w3.org/2000/svg}text"))

    assert len(texts) == len(drawn.words(chart.figure)) > 3
    for text, shown in zip(texts, drawn.words(chart.figure), strict=True):
        size = float(text.get("font-size"))
        face = FontProperties(family="DejaVu Sans", weight=text.get("font-weight", "normal"))
        outline = TextPath((0, 0), shown.replace("$", r"\$"), size, face).get_extents()
        if "□" not in shown:
            assert text.text == shown
            assert abs(float(text.get("textLength")) - outline.width) < 0.3 * size, shown
        assert text.get("lengthAdjust") == "spacingAndGlyphs"


def test_the_svg_keeps_what_only_the_reader_may_have_a_font_for():
    frame = pd.DataFrame({"slab": ["研究 one", "B"], "yi": [0.1, 0.2], "vi": [0.1, 0.1]})
    root = ElementTree.fromstring(me.forest(me.pool(frame)).svg())

    assert "研究 one" in [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]


@EVERY
def test_what_is_heard_is_short_and_complete(draw):
    chart = draw("natural", False)

    assert 20 < len(chart.alt) <= 250
    assert len(chart.rows) >= len(chart.data) > 0


@EVERY
def test_jupyter_gets_a_figure_with_alt_text_table_and_png(draw):
    chart = draw("natural", False)
    shown = chart._repr_mimebundle_()
    page = shown["text/html"]

    assert page.startswith("<figure")
    assert "<details><summary>Data table</summary>" in page
    assert re.search(r'<img alt="[^"<>]{20,}"', page)
    assert "<script" not in page
    assert set(shown) == {"text/plain", "text/html", "image/png"}


def test_the_data_table_below_a_chart_shows_every_cell_whole():
    name = "A study " + "whose name is long " * 9
    frame = pd.DataFrame({"slab": [name.strip(), "B"], "yi": [0.1, 0.2], "vi": [0.1, 0.1]})

    assert f"<td>{name.strip()}</td>" in me.forest(me.pool(frame)).to_html()


def test_a_legend_wraps_what_is_wider_than_the_page():
    table = STUDIES.assign(slab=list("ABCDEFGH"), g=["group " * 30, "b"] * 4)
    figure = me.funnel(me.pool(table, measure="RR"), by="g", width="single").figure

    assert drawn.strays(figure) == []
    assert drawn.collisions(figure) == []


@EVERY
def test_every_format_is_written_and_another_refused(draw, tmp_path):
    chart = draw("natural", False)

    for kind, head in (("svg", b"<?xml"), ("pdf", b"%PDF"), ("png", b"\x89PNG")):
        assert chart.save(tmp_path / f"chart.{kind}", dpi=60)[0].read_bytes().startswith(head)
    with pytest.raises(me.EvidenceError, match=r"saved as \.svg, \.pdf or \.png, not as 'chart.gif'"):
        chart.save(tmp_path / "chart.gif")


@EVERY
def test_nothing_global_is_changed_and_nothing_global_matters(draw):
    before, plain = dict(mpl.rcParams), draw("natural", False).svg()

    with mpl.rc_context(
        {"font.size": 30, "text.color": "red", "lines.linewidth": 9, "axes.facecolor": "blue"}
    ):
        other = draw("natural", False).svg()

    assert dict(mpl.rcParams) == before
    assert other == plain
    assert isinstance(draw("natural", False).figure, Figure)


def test_no_chart_uses_pyplot():
    for path in Path(kit.__file__).parent.glob("*.py"):
        assert "pyplot" not in path.read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_same_bytes_come_from_every_hash_seed_time_zone_and_locale():
    code = (
        "import hashlib; from tests.test_charts_kit import CASES;"
        "[print(name, hashlib.sha256(c.svg().encode() + c.pdf() + c.png(dpi=90)).hexdigest())"
        " for name, draw in CASES.items() for c in (draw('natural', False),)]"
    )
    settings = [("0", "UTC", "C.UTF-8"), ("1", "Asia/Tokyo", "C"), ("77", "America/Lima", "de_DE.UTF-8")]
    found = [
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code], check=True, capture_output=True,
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": locale, "PYTHONUTF8": "1"},
        ).stdout
        for seed, zone, locale in settings
    ]  # fmt: skip

    assert found[0]
    assert found[0] == found[1] == found[2]


# Colours ------------------------------------------------------------------------------------------

# Machado, Oliveira and Fernandes (2009), IEEE Trans Vis Comput Graph 15:1291, severity 1, on linear RGB.
SIGHT = {
    "normal": [1, 0, 0, 0, 1, 0, 0, 0, 1],
    "protan": [0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998],
    "deutan": [0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.011820, 0.042940, 0.968881],
    "tritan": [1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.303900],
}
LEVELS = [lights.light(word).fill for word in ("low", "some-concerns", "high", "critical", "no-information")]


def linear(colour):
    parts = np.array(to_rgb(colour))
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def contrast(first, second):
    """WCAG 2.2, relative luminance."""
    light = sorted(float(linear(colour) @ [0.2126, 0.7152, 0.0722]) + 0.05 for colour in (first, second))
    return light[1] / light[0]


def lab(rgb):
    """Return CIELAB (D65) of linear sRGB."""
    xyz = (
        np.array(
            [
                [0.4124564, 0.3575761, 0.1804375],
                [0.2126729, 0.7151522, 0.0721750],
                [0.0193339, 0.1191920, 0.9503041],
            ]
        )
        @ rgb
    )
    part = xyz / [0.95047, 1.0, 1.08883]
    x, y, z = np.where(part > 216 / 24389, np.cbrt(part), (24389 / 27 * part + 16) / 116)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def ciede2000(first, second):
    """Sharma, Wu and Dalal (2005), Color Res Appl 30:21."""
    (l1, a1, b1), (l2, a2, b2) = first, second
    mean = (math.hypot(a1, b1) + math.hypot(a2, b2)) / 2
    g = 0.5 * (1 - math.sqrt(mean**7 / (mean**7 + 25**7)))
    a1, a2 = a1 * (1 + g), a2 * (1 + g)
    c1, c2 = math.hypot(a1, b1), math.hypot(a2, b2)
    h1, h2 = (math.degrees(math.atan2(b, a)) % 360 for a, b in ((a1, b1), (a2, b2)))
    turn = 0.0 if c1 * c2 == 0 else (h2 - h1 + 180) % 360 - 180
    turn = 180.0 if turn == -180 and h2 > h1 else turn
    dl, dc, dh = l2 - l1, c2 - c1, 2 * math.sqrt(c1 * c2) * math.sin(math.radians(turn / 2))
    light, chroma = (l1 + l2) / 2, (c1 + c2) / 2
    hue = (
        h1 + h2
        if c1 * c2 == 0
        else (h1 + h2) / 2
        if abs(h1 - h2) <= 180
        else (h1 + h2 + (360 if h1 + h2 < 360 else -360)) / 2
    )
    turns = ((-0.17, 1, -30), (0.24, 2, 0), (0.32, 3, 6), (-0.2, 4, -63))
    t = 1 + sum(size * math.cos(math.radians(times * hue + shift)) for size, times, shift in turns)
    sl = 1 + 0.015 * (light - 50) ** 2 / math.sqrt(20 + (light - 50) ** 2)
    sc, sh = 1 + 0.045 * chroma, 1 + 0.015 * chroma * t
    rotated = (
        2
        * math.sqrt(chroma**7 / (chroma**7 + 25**7))
        * math.sin(math.radians(60 * math.exp(-(((hue - 275) / 25) ** 2))))
    )
    return math.sqrt((dl / sl) ** 2 + (dc / sc) ** 2 + (dh / sh) ** 2 - rotated * dc / sc * dh / sh)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [  # the published test pairs 1, 2, 4, 7, 17 and 25 of Sharma, Wu and Dalal
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 3.1571, -77.2803), (50, 0, -82.7485), 2.8615),
        ((50, -1.3802, -84.2814), (50, 0, -82.7485), 1.0),
        ((50, 0, 0), (50, -1, 2), 2.3669),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ],
)
def test_the_colour_distance_used_here_is_the_published_one(first, second, expected):
    assert math.isclose(ciede2000(first, second), expected, abs_tol=1e-4)


@pytest.mark.parametrize("sight", SIGHT)
def test_lights_are_told_apart_with_every_sight(sight):
    seen = [lab(np.clip(np.reshape(SIGHT[sight], (3, 3)) @ linear(colour), 0, 1)) for colour in LEVELS]

    assert min(ciede2000(a, b) for a, b in itertools.combinations(seen, 2)) >= 19.5


@pytest.mark.parametrize("sight", SIGHT)
def test_certainties_are_told_apart_with_every_sight_and_in_grey(sight):
    colours = [level.fill for level in evidence_map_module.LEVELS.values()]
    seen = [lab(np.clip(np.reshape(SIGHT[sight], (3, 3)) @ linear(colour), 0, 1)) for colour in colours]
    steps = [lab(linear(kit.grey_of(colour)))[0] for colour in colours]

    assert min(ciede2000(a, b) for a, b in itertools.combinations(seen, 2)) >= 10
    assert min(b - a for a, b in itertools.pairwise(steps)) >= 10


def test_lights_are_told_apart_in_grey():
    steps = sorted(lab(linear(kit.grey_of(colour)))[0] for colour in LEVELS[:4])

    assert min(b - a for a, b in itertools.pairwise(steps)) >= 20


@pytest.mark.parametrize("looks", [certain.VERDICTS, certain.DIRECTIONS], ids=["verdicts", "directions"])
def test_verdicts_and_directions_are_told_apart_with_every_sight_and_in_grey(looks):
    fills = {look.fill for look in looks.values()}
    steps = sorted(lab(linear(kit.grey_of(fill)))[0] for fill in fills)

    for sight in SIGHT.values():
        seen = [lab(np.clip(np.reshape(sight, (3, 3)) @ linear(fill), 0, 1)) for fill in fills]
        assert min(ciede2000(a, b) for a, b in itertools.combinations(seen, 2)) >= 20
    assert min(b - a for a, b in itertools.pairwise(steps)) >= 13
    assert len({look.sign for look in looks.values()}) == len(looks)
    assert all(contrast(look.fill, look.ink) >= 4.5 for look in looks.values())


@pytest.mark.parametrize("word", lights.ORDER)
def test_the_sign_in_a_light_stands_out_and_no_two_levels_share_one(word):
    shown = lights.light(word)

    assert contrast(shown.fill, shown.ink) >= 4.5
    assert contrast(lights.light(word, "cochrane").fill, shown.ink) >= 4.5
    assert {lights.light(other).sign for other in lights.ORDER if lights.light(other).fill == shown.fill} == {
        shown.sign
    }


@pytest.mark.parametrize("colour", [kit.INK, kit.MUTED])
@pytest.mark.parametrize("ground", [kit.WHITE, kit.ZEBRA, kit.BAND])
def test_text_is_legible_on_every_ground(colour, ground):
    assert contrast(colour, ground) >= 4.5


def test_text_that_no_font_can_write_becomes_a_box_and_stays_whole_in_words():
    frame = pd.DataFrame({"slab": ["研究 \U0001f600", "B"], "yi": [0.1, 0.2], "vi": [0.1, 0.1]})
    chart = me.forest(me.pool(frame))

    assert chart.data["label"].iloc[0] == "研究 \U0001f600"
    assert "研究 \U0001f600" in chart.svg()


@pytest.fixture
def another_font(monkeypatch):
    """Let the installed fonts be one that ships with matplotlib, has a sign DejaVu lacks, and has no bold."""
    monkeypatch.setattr(kit, "_FURTHER", ("STIXSizeFiveSym",))
    caches = [kit._known, kit._spelled, kit._ems, kit._face]
    for cache_of in caches:
        cache_of.cache_clear()
    yield
    for cache_of in caches:
        cache_of.cache_clear()


def test_an_installed_font_writes_what_dejavu_cannot_and_nothing_is_logged(another_font, caplog):
    frame = pd.DataFrame({"slab": ["\u23b4 one", "B"], "yi": [0.1, 0.2], "vi": [0.1, 0.1]})
    chart = me.forest(me.pool(frame), favours=("Favours \u23b4", "Favours B"))
    chart.png(dpi=60)

    assert {"\u23b4 one", "Favours \u23b4"} <= set(drawn.words(chart.figure))
    assert caplog.messages == []
