"""How much the true effects of studies differ: tau2 by nine estimators, for many questions at once.

Rows of all questions lie one after another, those of each question sorted by (vi, yi): its most precise
study comes first. Effects are measured from that study, and its weight is kept apart from the others', so
that neither a large constant nor one huge weight cancels digits. Every sum runs over the rows of one
question alone, so that neither their order nor the other questions change a bit.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray
from scipy import special

from mesoevidence.conversions import Floats

Mask: TypeAlias = NDArray[np.bool_]
Ints: TypeAlias = NDArray[np.intp]
Rise: TypeAlias = "Callable[[Questions, Weighing, Floats], Floats]"

ITERATIVE = ("REML", "ML", "EB", "PM")
ONE = np.float64(1.0)  # a plain 1.0 beside a plain number of numpy's takes five times as long
METHODS = ("EE", "DL", "HE", "HS", "SJ", *ITERATIVE)

_TURNS = 200  # halving the widest bracket of floats every other turn takes fewer
_CLOSE = 1e-12
_NOISE = 1e-15
_FEW_ROWS = 200
_START: Ints = np.zeros(1, dtype=np.intp)


class Questions(NamedTuple):
    """Studies of many questions: centred estimates and variances by row, and where each question starts.

    What one question alone has once (its centre, k, tau2, mean) is a plain number, and no array of one: numpy
    computes the same bits with it in a fifth of the time.
    """

    centre: Floats
    r: Floats
    v: Floats
    k: Ints
    starts: Ints
    alone: bool = False

    def total(self, rows: Floats) -> Floats:
        """Return the sum of each question's rows."""
        total: Floats = np.add.reduceat(rows, self.starts)
        return total[0] if self.alone else total

    def first(self, rows: Floats) -> Floats:
        """Return the row of each question's most precise study."""
        first: Floats = rows[0] if self.alone else rows[self.starts]
        return first

    def last(self, rows: Floats) -> Floats:
        """Return the row of each question's least precise study."""
        last: Floats = rows[-1] if self.alone else rows[self.starts + self.k - 1]
        return last

    def spread(self, values: Floats) -> Floats:
        """Return one value a question as one a row."""
        return values if self.alone else np.repeat(values, self.k)

    def keep(self, mask: Mask) -> "Questions":
        """Return some of the questions."""
        rows, k = np.repeat(mask, self.k), self.k[mask]
        return Questions(self.centre[mask], self.r[rows], self.v[rows], k, starts_of(k))


class Weighing(NamedTuple):
    """The weighted mean of each question at one tau2, and what is needed of its weights.

    Attributes
    ----------
    w, top : ndarray
        Weight of each row, 0 for the most precise study; and that study's weight.
    rest, all : ndarray
        The sum of the weights without and with it.
    mean, e : ndarray
        The mean, and every row's distance from it.
    """

    w: Floats
    top: Floats
    rest: Floats
    all: Floats
    mean: Floats
    e: Floats

    def q(self, questions: Questions) -> Floats:
        """Return the weighted sum of squares about the mean (Cochran's Q at tau2 = 0)."""
        return questions.total(self.w * self.e * self.e) + self.top * self.mean * self.mean

    def trace(self, questions: Questions) -> Floats:
        """Return the sum of the weights less that of their squares over it: the trace of P."""
        share = questions.total(self.w * self.w) / self.all
        trace: Floats = self.rest - share + self.top * (self.rest / self.all)
        return trace


def where(mask: Mask, yes: NDArray[Any] | float, no: NDArray[Any] | float) -> Floats:
    """Return what `np.where` does, and for the plain numbers of one question ten times as fast."""
    chosen: Any = np.where(mask, yes, no) if mask.ndim else np.float64(yes if mask else no)
    return cast(Floats, chosen)


def starts_of(k: Ints) -> Ints:
    """Return the first row of each question."""
    starts = np.zeros(len(k), dtype=np.intp)
    np.cumsum(k[:-1], out=starts[1:])
    return starts


def order(question: Ints, yi: Floats, vi: Floats) -> Ints:
    """Return the order by (question, vi, yi): of many rows by two plain sorts, if no variance ties."""
    total = len(vi)
    if total < _FEW_ROWS:
        return np.lexsort((yi, vi, question))
    by_variance = np.argsort(vi)
    keys = question[by_variance] * total + np.arange(total)
    keys.sort()
    place: Ints = by_variance[keys % total]
    q, v = question[place], vi[place]
    tied = (v[1:] == v[:-1]) & (q[1:] == q[:-1])
    return np.lexsort((yi, vi, question)) if tied.any() else place


def questions(yi: Floats, vi: Floats, k: Ints) -> Questions:
    """Return the questions of rows that are sorted by (question, vi, yi); `k` counts the rows of each."""
    if len(k) == 1:
        return Questions(yi[0], yi - yi[0], vi, k[0] + 0.0, _START, alone=True)
    starts = starts_of(k)
    centre = yi[starts]
    return Questions(centre, yi - np.repeat(centre, k), vi, k, starts)


def weigh(questions: Questions, tau2: Floats) -> Weighing:
    """Return the weighted means at tau2."""
    w = 1.0 / (questions.v + questions.spread(tau2))
    top = questions.first(w)
    w[questions.starts] = 0.0
    rest = questions.total(w)
    every = rest + top
    mean = questions.total(w * questions.r) / every
    return Weighing(w, top, rest, every, mean, questions.r - questions.spread(mean))


def _rise_reml(questions: Questions, at: Weighing, df: Floats) -> Floats:
    """How far tau2 should rise: the restricted likelihood's score over its information (Harville 1977)."""
    trace = at.trace(questions)
    return (_squares(questions, at) / trace - 1.0) * (df / trace)


def _rise_ml(questions: Questions, at: Weighing, df: Floats) -> Floats:
    """How far tau2 should rise: the likelihood's score over its information (Hardy and Thompson 1996)."""
    return (_squares(questions, at) / at.all - 1.0) * ((df + 1.0) / at.all)


def _rise_q(questions: Questions, at: Weighing, goal: Floats) -> Floats:
    """How far tau2 should rise for Q to be `goal` (Paule and Mandel 1982; Viechtbauer 2007)."""
    return (at.q(questions) / goal - 1.0) * (questions.k / at.all)


def _squares(questions: Questions, at: Weighing) -> Floats:
    """Return the sum of the squares of weight times distance."""
    we = at.w * at.e
    most = at.top * at.mean
    return questions.total(we * we) + most * most


def squares(questions: Questions) -> Floats:
    """Return the plain sum of squares about the mean of each question."""
    mean = questions.total(questions.r) / questions.k
    e = questions.r - questions.spread(mean)
    return questions.total(e * e)


def tau2(questions: Questions, method: str, at_zero: Weighing) -> Floats:
    """Return tau2 of each question, metafor's meanings; `at_zero` is the weighing at tau2 = 0.

    DL: DerSimonian and Laird 1986. HE: Hedges and Olkin 1985. HS: Hunter and Schmidt 1990. SJ: Sidik and
    Jonkman 2005. EB: Morris 1983, which solves the same equation as PM. Viechtbauer 2005 compares them
    (doi:10.3102/10769986030003261).
    """
    k = questions.k
    if method == "HS":
        return np.maximum(0.0, (at_zero.q(questions) - k) / at_zero.all)
    if method == "DL":
        return np.maximum(0.0, (at_zero.q(questions) - (k - 1)) / at_zero.trace(questions))
    around = squares(questions)
    if method == "SJ":
        first = around / k
        return first * (weigh(questions, first).q(questions) / (k - 1))
    hedges = np.maximum(0.0, around / (k - 1) - questions.total(questions.v) / k)
    if method == "HE":
        return hedges
    return _iterate(questions, method, at_zero, around / (k - 1), hedges)


def _iterate(questions: Questions, method: str, zero: Weighing, variance: Floats, hedges: Floats) -> Floats:
    """Return tau2 by an estimator that is the root of an equation."""
    least, most = questions.first(questions.v), questions.last(questions.v)
    high = variance + np.sqrt(variance * (most - least))
    df = questions.k - ONE
    rise = _RISE[method]
    at_zero = rise(questions, zero, df)
    rises = at_zero > 0
    if method in ("EB", "PM"):
        hedges = where(rises, hedges, 0.0)
    start = where(rises & (hedges == 0), np.minimum(at_zero, high), hedges)
    root = _solve(questions, rise, df, at_zero, start, high)
    doubtful = ~rises & (root > 0)
    if questions.alone:
        return 0.0 * root if doubtful and _prefers_zero(questions, root, method) else root
    if doubtful.any():
        some = questions.keep(doubtful)
        root[doubtful] = np.where(_prefers_zero(some, root[doubtful], method), 0.0, root[doubtful])
    return root


def _prefers_zero(questions: Questions, tau2: Floats, method: str) -> Mask:
    """Whether tau2 = 0 is likelier than a second maximum of the likelihood."""
    zero, there = weigh(questions, 0.0 * tau2), weigh(questions, tau2)
    spread = questions.total(np.log1p(questions.spread(tau2) / questions.v))
    if method == "REML":
        spread += np.log(there.all / zero.all)
    prefers: Mask = zero.q(questions) < there.q(questions) + spread
    return prefers


_RISE: dict[str, Rise] = {"REML": _rise_reml, "ML": _rise_ml, "EB": _rise_q, "PM": _rise_q}


def _solve(
    questions: Questions, rise: Rise, goal: Floats, at_zero: Floats, start: Floats, high: Floats
) -> Floats:
    """Return the tau2 at which `rise` is zero, 0 when it already falls there.

    Secants through the last two points, kept inside a bracket; once seven turns have passed every other
    turn halves the bracket on the scale of log(tau2 + smallest variance) instead, so that it always ends.
    """
    if questions.alone:
        return _solve_alone(questions, rise, goal, at_zero, start, high)
    root = np.zeros(len(start))
    todo = (at_zero > 0) | (start > 0)
    live = np.flatnonzero(todo)
    if not len(live):
        return root
    part = questions if len(live) == len(start) else questions.keep(todo)
    goal = goal[live]
    t, top, before, fell = start[live], high[live], np.zeros(len(live)), at_zero[live]
    low, proven = np.zeros(len(live)), fell > 0
    for turn in range(_TURNS):
        step = rise(part, weigh(part, t), goal)
        up = step > 0
        low, top, proven = np.where(up, t, low), np.where(up, top, t), proven | up
        new = t + step if turn == 0 else t - step * ((t - before) / (step - fell))
        gone = ~proven & ((new <= 0) | (t + step <= 0))
        outside = ~((new > low) & (new < top)) if turn < 7 or turn % 2 else np.full(len(t), True)
        least = part.v[part.starts]
        if outside.any():
            middle = np.sqrt((low + least) * (top + least)) - least
            new = np.where(outside, np.clip(middle, low, top), new)
        new = np.where(gone, 0.0, np.where(step == 0, t, new))
        enough, moved = _CLOSE * t + _NOISE * (t + least), np.abs(new - t)
        done = gone | (moved <= enough) | (top - low <= enough)
        done |= ~outside & (moved * moved <= enough * np.abs(t - before))
        before, fell, t = t, step, new
        if done.all():
            root[live] = np.where(~proven & (t <= enough), 0.0, t)
            break
        if done.any():
            root[live[done]] = np.where(~proven & (t <= enough), 0.0, t)[done]
            stay = ~done
            part, live = part.keep(stay), live[stay]
            proven = proven[stay]
            t, before, fell, low, top, goal = (rows[stay] for rows in (t, before, fell, low, top, goal))
    return root


def _solve_alone(
    questions: Questions, rise: Rise, goal: Floats, fell: Floats, t: Floats, top: Floats
) -> Floats:
    """Return what `_solve` does, step for step, for one question, whose brackets are plain numbers."""
    low, before, least = 0.0 * t, 0.0 * t, questions.v[0]
    proven = bool(fell > 0)
    if not (proven or t > 0):
        return low
    for turn in range(_TURNS):
        step = rise(questions, weigh(questions, t), goal)
        if step > 0:
            low, proven = t, True
        else:
            top = t
        new = t + step if turn == 0 else t - step * ((t - before) / (step - fell))
        gone = not proven and (new <= 0 or t + step <= 0)
        outside = not low < new < top or (turn >= 7 and turn % 2 == 0)
        if outside:
            new = min(max(np.sqrt((low + least) * (top + least)) - least, low), top)
        new = low if gone else t if step == 0 else new
        enough, moved = _CLOSE * t + _NOISE * (t + least), abs(new - t)
        done = gone or moved <= enough or top - low <= enough
        done = done or (not outside and moved * moved <= enough * abs(t - before))
        before, fell, t = t, step, new
        if done:
            return 0.0 * t if not proven and t <= enough else t
    return 0.0 * t


def q_profile(questions: Questions, level: float) -> tuple[Floats, Floats]:
    """Return the Q-profile interval of tau2 (Viechtbauer 2007, doi:10.1002/sim.2514); NaN where it is empty.

    The interval is the tau2 at which Q is no unusual draw from chi-squared; it is empty when the studies
    agree more closely than that at every tau2.
    """
    df = np.asarray(questions.k - 1, dtype=np.float64)
    half = (1 - level) / 2
    around, centre = squares(questions), questions.total(questions.v) / questions.k
    ends, zero = [], weigh(questions, 0.0 * df)
    for share in (half, 1 - half):
        target: Floats = np.asarray(special.chdtri(df, share), dtype=np.float64)
        at_zero = _rise_q(questions, zero, target)
        high = around / target
        moment = np.maximum(0.0, (around - df * centre) / target)
        start = np.where(moment > 0, np.minimum(moment, high), np.minimum(at_zero, high))
        empty = at_zero < 0
        ends.append(_solve(questions, _rise_q, target, at_zero, np.where(empty, 0.0, start), high))
    return np.where(empty, np.nan, ends[0]), np.where(empty, np.nan, ends[1])
