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
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::RuntimeWarning")
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
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::RuntimeWarning")
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
