"""Other software, asked live: R remakes the golden numbers; statsmodels and PyMARE pool the same studies."""

import json
import math
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import mesoevidence as me

GOLDEN = Path(__file__).parent / "golden"
DATA = json.loads((GOLDEN / "pooling.json").read_text(encoding="utf-8"))
SETS = [case for case in DATA["sets"] + DATA["edges"] if np.size(case["yi"]) > 1]
SCRIPTS = {
    "regenerate_conversions.R": ("conversions",),
    "regenerate_pooling.R": ("effects", "pooling"),
    "regenerate_regression.R": ("regression", "diagnostics", "multilevel"),
}
PACKAGES = 'for (p in c("metafor", "metadat", "clubSandwich", "jsonlite")) library(p, character.only = TRUE)'

# Its iteration of Paule and Mandel leaves zero for below zero, and stays there.
PEER_GIVES_UP = (
    "dat.egger2001 OR", "dat.debruin2009 PAS", "dat.begg1989 GEN", "dat.baskerville2012 GEN", "k = 2 GEN",
)  # fmt: skip

pytestmark = pytest.mark.slow


def name_of(case):
    return f"{case['name']} {case['measure']}"


def frame_of(case):
    return pd.DataFrame({name: np.array(case[name], dtype=float) for name in ("yi", "vi")})


# R -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rscript():
    found = shutil.which("Rscript")
    if found is None:
        pytest.skip("R is not installed; the golden numbers stand as data")
    if subprocess.run([found, "-e", PACKAGES], capture_output=True, check=False).returncode:
        pytest.skip("R lacks metafor, metadat, clubSandwich or jsonlite; the golden numbers stand as data")
    return found


def differences(new, old, at=""):
    """Yield every place at which two JSON values differ: numbers by more than their last digits."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            if key != "made_by":
                yield from differences(new.get(key), old.get(key), f"{at}/{key}")
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for position, (one, two) in enumerate(zip(new, old, strict=True)):
            yield from differences(one, two, f"{at}/{position}")
    elif isinstance(old, float | int) and isinstance(new, float | int):
        if not math.isclose(new, old, rel_tol=1e-8, abs_tol=1e-12):
            yield f"{at}: {new} now, {old} kept"
    elif new != old:
        yield f"{at}: {new!r} now, {old!r} kept"


@pytest.mark.parametrize("script", SCRIPTS)
def test_r_makes_the_golden_numbers_again(script, rscript, tmp_path):
    subprocess.run([rscript, str(GOLDEN / script), str(tmp_path)], capture_output=True, check=True)

    for name in SCRIPTS[script]:
        new, old = (json.loads((folder / f"{name}.json").read_text()) for folder in (tmp_path, GOLDEN))
        assert list(differences(new, old)) == []


SAME = pd.DataFrame({"yi": [0.3] * 5, "vi": [0.04, 0.05, 0.06, 0.04, 0.05]})
FEW = pd.DataFrame({"yi": [0.1, 0.9, 0.35, -0.4], "vi": [0.04, 0.09, 0.02, 0.03]})


def test_every_deliberate_difference_is_one(rscript):
    script = str(GOLDEN / "differences.R")
    metafor = json.loads(subprocess.run([rscript, script], capture_output=True, check=True, text=True).stdout)

    one = me.pool(pd.DataFrame({"yi": [0.4], "vi": [0.04]}))
    assert metafor["one study"] == {"tau2": 0, "q": 0, "p": 1, "i2": 0, "h2": 1, "z": 1.95996398454005}
    assert (one.tau2, one.q, one.q_p_value, one.i2, one.h2) == (None,) * 5
    assert metafor["no tau2"] == [0, 0]
    assert me.pool(FEW, method="EE").tau2 is None
    assert metafor["prediction from two"] == pytest.approx(-0.792382, abs=1e-6)
    assert me.pool(FEW.head(2)).prediction is None
    assert metafor["identical effects"] == [0, 0, 0]
    assert (me.pool(SAME).se, me.pool(SAME).ci, me.pool(SAME).p_value) == (None, None, None)
    near = pd.DataFrame({"yi": [0.3, 0.3 + 1e-9, 0.3 + 2e-9], "vi": [0.04, 0.05, 0.06]})
    assert metafor["small residuals"] == 0 < me.pool(near).se
    assert metafor["empty interval"] == {"ci": [0, 0], "empty": True}
    assert me.pool(SAME, method="DL", test="z").tau2_ci is None
    far = me.pool(pd.DataFrame({"yi": [-20, 20, 3], "vi": [1.0] * 3}), method="DL")
    assert metafor["upper end"] == pytest.approx(10 * far.tau2)
    assert far.tau2_ci[1] > 10 * far.tau2
    assert "did not converge" in metafor["REML"]
    hard = {"yi": [0.82, -0.24, 0.94, -0.08, -0.28, 0.5], "vi": [0.01, 0.386, 1.895, 2.42, 0.965, 1.634]}
    assert me.pool(pd.DataFrame(hard)).tau2 is not None
    assert metafor["PM stops"] != pytest.approx(me.pool(FEW, method="PM").tau2, rel=1e-8)
    assert metafor["PM stops"] == pytest.approx(me.pool(FEW, method="PM").tau2, rel=1e-3)
    assert "tau2.max" in metafor["PM ceiling"]
    apart = pd.DataFrame({"yi": [0, 0.1, 0, 0.2, 0.1, 60], "vi": [0.1] * 6})
    assert me.pool(apart, method="PM").tau2 > 100
    assert "not meant to be used" in metafor["EE with knha"]
    assert me.pool(FEW, method="EE").test == "knha"
    assert metafor["COR of three"] == [0.2, None]
    assert me.effect_sizes(pd.DataFrame({"ri": [0.2], "ni": [3]}), "COR")["yi"].isna().all()
    assert metafor["impossible row"].startswith("error")
    assert metafor["negative SD"].startswith("error")
    assert "non-positive" in metafor["zero variance"]
    assert "non-positive" in metafor["negative variance"]
    assert metafor["infinite effect"] == "error: missing value where TRUE/FALSE needed"
    near, away = metafor["far from zero"]
    assert near != pytest.approx(away, rel=1e-4)
    assert near == pytest.approx(away, rel=1e-2)
    assert metafor["huge numbers"] == pytest.approx(2e60)
    assert metafor["SMDH units"][0] != pytest.approx(metafor["SMDH units"][1], rel=1e-3)
    assert "vtype" in metafor["revman"]
    assert metafor["rank test of equal effects"].startswith("error")
    assert metafor["trim and fill"] == "z"


def test_a_changed_golden_number_would_be_seen():
    assert list(differences({"a": [1.0, 2.0]}, {"a": [1.0, 2.0 + 1e-12]})) == []
    assert list(differences({"a": [1.0, 2.1]}, {"a": [1.0, 2.0]})) == ["/a/1: 2.1 now, 2.0 kept"]
    assert len(list(differences({"a": None}, {"a": [1.0]}))) == 1


# Python --------------------------------------------------------------------------------------------


def test_where_statsmodels_gives_up_our_tau2_solves_the_equation_of_paule_and_mandel():
    for case in SETS:
        if name_of(case) in PEER_GIVES_UP:
            ours, frame = me.pool(frame_of(case), method="PM", test="z"), frame_of(case)
            w = 1 / (frame["vi"] + ours.tau2)
            assert w @ (frame["yi"] - ours.estimate) ** 2 == pytest.approx(len(frame) - 1, rel=1e-9)


@pytest.mark.parametrize("case", [case for case in SETS if case["name"] != "far from zero"], ids=name_of)
# It takes the root of a variance that its tau2 below zero has made negative; we compare nothing of that.
@pytest.mark.filterwarnings("ignore:invalid value encountered in sqrt:RuntimeWarning:statsmodels")
def test_statsmodels_pools_as_we_do(case):
    """Its DL lets tau2 fall below zero and weighs by that; its sums lose digits far from zero."""
    peer = pytest.importorskip("statsmodels.stats.meta_analysis")
    frame = frame_of(case)

    for method, theirs in (
        ("DL", {"method_re": "dl"}),
        ("PM", {"method_re": "pm", "atol": 1e-13, "maxiter": 500}),
    ):
        found = peer.combine_effects(*frame.to_numpy().T, use_t=False, **theirs)
        common, wald, knapp = (
            me.pool(frame, method=name, test=test)
            for name, test in (("EE", "z"), (method, "z"), (method, "knha"))
        )
        ours, he = [common.estimate, common.se, common.q], [found.mean_effect_fe, found.sd_eff_w_fe, found.q]
        if method == "PM" and name_of(case) in PEER_GIVES_UP:
            assert found.tau2 == 0 < wald.tau2
            continue
        if found.tau2 >= 0:
            ours += [wald.estimate, wald.se, knapp.se]
            he += [found.mean_effect_re, found.sd_eff_w_re, found.sd_eff_w_re_hksj]
        assert ours == pytest.approx(he, rel=1e-7, abs=1e-12)
        assert wald.tau2 == pytest.approx(max(found.tau2, 0.0), rel=1e-7, abs=1e-10 * frame["vi"].mean())


@pytest.mark.parametrize("case", SETS, ids=name_of)
def test_pymare_pools_as_we_do(case):
    peer, estimators = pytest.importorskip("pymare"), pytest.importorskip("pymare.estimators")
    frame = frame_of(case)
    data = peer.Dataset(frame["yi"].to_numpy(), frame["vi"].to_numpy())

    for method, theirs, precise in (
        ("DL", estimators.DerSimonianLaird(), 1e-8),
        ("HE", estimators.Hedges(), 1e-8),
        ("ML", estimators.VarianceBasedLikelihoodEstimator(method="ML"), 1e-5),
        ("REML", estimators.VarianceBasedLikelihoodEstimator(method="REML"), 1e-5),
    ):
        found = theirs.fit_dataset(data).summary()
        ours = me.pool(frame, method=method, test="knha")
        assert ours.tau2 == pytest.approx(found.tau2.item(), rel=precise, abs=precise * frame["vi"].mean())
        assert ours.estimate == pytest.approx(found.fe_params.item(), rel=precise, abs=precise)
        assert ours.se == pytest.approx(found.fe_se.item(), rel=precise)
