"""`Chart`: the value every chart function returns, and how it is saved and shown."""

import base64
import hashlib
import io
import os
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

from mesoevidence import __version__, escape, files
from mesoevidence.charts.kit import SETTINGS, clean
from mesoevidence.evidence import Evidence
from mesoevidence.ledger import Ledger
from mesoevidence.problems import EvidenceError


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Chart:
    """A chart: a figure a page, the data drawn, and the same in words.

    Attributes
    ----------
    figures : tuple of Figure
        Of matplotlib, one a page; `figure` is the first.
    data : DataFrame
        What was drawn, on the scale of reading.
    title, alt : str
        Its name; and one sentence for those who cannot see it.
    rows : tuple of str
        Each row in words, as a screen reader would announce it.
    """

    figures: tuple[Figure, ...]
    data: pd.DataFrame
    title: str
    alt: str
    rows: tuple[str, ...] = ()

    @property
    def figure(self) -> Figure:
        """The figure, or the first page of several."""
        return self.figures[0]

    def svg(self, page: int = 0) -> str:
        """Return a page as SVG with title and description; the same bytes each time."""
        source = f"mesoevidence {__version__}; data sha256 {self.digest()}"
        about = {"Date": None, "Creator": "mesoevidence", "Source": source}
        head, rest = self._drawn(page, format="svg", metadata=about).decode("utf-8").split("<svg ", 1)
        said = (self.title, " | ".join((self.alt, *self.rows)))
        title, words = (escape.html(clean(part)) for part in said)
        spoken = f'<title id="title">{title}</title>\n <desc id="desc">{words}</desc>'
        named = rest.replace(">", f' role="img" aria-labelledby="title desc">\n {spoken}', 1)
        return f"{head}<svg {named}"

    def png(self, page: int = 0, dpi: int = 300) -> bytes:
        """Return a page as PNG."""
        about = {"Software": None, "Title": clean(self.title), "Description": clean(self.alt)}
        return self._drawn(page, format="png", dpi=dpi, metadata=about)

    def _drawn(self, page: int, **how: Any) -> bytes:  # noqa: ANN401 - as in `savefig`
        """Return a page as matplotlib writes it, whatever its settings are."""
        held = io.BytesIO()
        with mpl.rc_context(SETTINGS):
            self.figures[page].savefig(held, **how)
        return held.getvalue()

    def pdf(self) -> bytes:
        """Return all pages as PDF, fonts embedded; matplotlib cannot tag it, so keep the table beside it."""
        held = io.BytesIO()
        words = {"Title": clean(self.title), "Subject": clean(self.alt), "Creator": "mesoevidence"}
        about = {**words, "CreationDate": None, "Producer": None}
        with mpl.rc_context(SETTINGS), PdfPages(held, metadata=about) as pages:
            for figure in self.figures:
                pages.savefig(figure)
        return held.getvalue()

    def digest(self) -> str:
        """Return 12 hex digits of the data drawn."""
        return hashlib.sha256(self.data.to_csv(index=False).encode("utf-8", "replace")).hexdigest()[:12]

    def save(self, path: str | os.PathLike[str], *, dpi: int = 300) -> tuple[Path, ...]:
        """Write the chart; the ending of the name (svg, pdf, png) says as what. Return the files written.

        Further pages of an SVG or PNG go to ``name-2.svg`` and so on.
        """
        target = Path(path)
        kind = target.suffix.lower()
        if kind == ".pdf":
            files.write(target, self.pdf())
            return (target,)
        if kind not in (".svg", ".png"):
            raise EvidenceError(f"a chart is saved as .svg, .pdf or .png, not as {target.name!r}")
        written = []
        for page in range(len(self.figures)):
            name = target if page == 0 else target.with_stem(f"{target.stem}-{page + 1}")
            files.write(name, self.svg(page) if kind == ".svg" else self.png(page, dpi))
            written.append(name)
        return tuple(written)

    def to_html(self) -> str:
        """Return an HTML figure: each page as an image with its alt text, and a table of the data."""
        images = "".join(
            f'<img alt="{escape.html(clean(self.alt))}" style="max-width:100%;background:#fff" '
            f'src="data:image/svg+xml;base64,{base64.b64encode(self.svg(page).encode()).decode()}">'
            for page in range(len(self.figures))
        )
        unfold = f"<details><summary>Data table</summary>{html_table(self.data)}</details>"
        caption = f"<figcaption>{escape.html(clean(self.title))}</figcaption>"
        return f'<figure style="margin:0">{images}{caption}{unfold}</figure>'

    def _repr_mimebundle_(
        self, include: Iterable[str] | None = None, exclude: Iterable[str] | None = None
    ) -> dict[str, object]:
        """Return what Jupyter shows; the HTML keeps the alt text where nbconvert would drop it."""
        png = base64.b64encode(self.png(dpi=110)).decode()
        return {"text/plain": repr(self), "text/html": self.to_html(), "image/png": png}

    def __repr__(self) -> str:
        return f"<Chart: {self.alt}>"


def having(table: pd.DataFrame, names: Sequence[str]) -> Sequence[str]:
    """Return these columns if the table has them all; else say which there are."""
    if missing := [name for name in names if name not in table]:
        there = ", ".join(map(str, table.columns))
        raise EvidenceError(f"there is no column `{missing[0]}`; the columns are {there}")
    return names


def ledger_of(data: object) -> Ledger:
    """Return the ledger of evidence, or say that the chart shows nothing else."""
    if not isinstance(data, Evidence):
        raise EvidenceError(f"this chart shows evidence, such as `me.load()`, not {type(data).__name__}")
    return data.ledger


def html_table(frame: pd.DataFrame) -> str:
    """Return a table in HTML, escaped, every cell whole."""
    with pd.option_context("display.max_colwidth", None):
        return frame.to_html(index=False, na_rep="", border=0).replace("<th>", '<th scope="col">')


def sentence(text: str, limit: int = 250) -> str:
    """Return an alt text of at most `limit` characters."""
    return textwrap.shorten(clean(text), limit, placeholder=" …")
