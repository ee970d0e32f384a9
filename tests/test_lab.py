"""The researcher in JupyterLab, in a real browser: runs the synthesis and changes its method by a word."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

import mesoevidence as me

ROOT = Path(__file__).parent.parent
SYNTHESIS = "meso-v-saline-response"
PATIENCE = 90_000  # ms; a busy machine is no fault of the code
QUIET = {"fetchNews": "false", "checkForUpdates": False}  # else a pop-up asks, and the server asks PyPI

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Start JupyterLab with settings of its own; return its folder, its address and its token."""
    if find_spec("jupyterlab") is None:
        pytest.skip("jupyterlab is not installed")
    home, folder = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("lab")
    settings = home / "JUPYTERLAB_SETTINGS_DIR" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text(json.dumps(QUIET))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("JUPYTER")}
    own = ("HOME", "IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    own += ("JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR")
    command = [sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root", "--ip=127.0.0.1"]
    with (home / "log").open("w") as log:
        running = subprocess.Popen(
            [*command, "--ServerApp.port=0"],
            cwd=folder,
            env=kept | {name: str(home / name) for name in own},
            stdout=log,
            stderr=log,
        )
    try:
        while not (found := list((home / "JUPYTER_RUNTIME_DIR").glob("jpserver-*.json"))):
            assert running.poll() is None, (home / "log").read_text()
            time.sleep(0.1)
        about = json.loads(found[0].read_text())
        yield folder, about["url"], about["token"]
    finally:
        running.terminate()
        running.wait(30)


@pytest.fixture
def lab(browser, server, tmp_path):
    """Open the synthesis in a copy of the shipped ledger; afterwards nothing was asked for outside."""
    folder, url, token = server
    copy = folder / tmp_path.name
    for name in ("evidence", "notebooks"):
        shutil.copytree(ROOT / name, copy / name)
    shutil.copy(ROOT / "references.bib", copy)
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    context.set_default_timeout(PATIENCE)
    window, asked, failed = context.new_page(), [], []
    window.on("request", lambda request: asked.append(request.url))
    window.on("pageerror", lambda error: failed.append(str(error)))
    window.goto(
        f"{url}lab/workspaces/{copy.name}/tree/{copy.name}/notebooks/03-synthesis.ipynb?token={token}"
    )
    window.locator(".jp-Notebook .jp-Cell.jp-mod-active").wait_for()
    window.get_by_text("| Idle").wait_for()
    yield window
    context.close()
    assert failed == []
    assert [address for address in asked if not address.startswith((url, "data:", "blob:"))] == []


def cell(window, words):
    """Return the one code cell that holds these words."""
    return window.locator(".jp-CodeCell").filter(has=window.locator(".cm-content", has_text=words))


def output(window, words):
    """Return the words that the code cell holding these shows, once they are in view."""
    area = cell(window, words).locator(".jp-OutputArea")
    area.scroll_into_view_if_needed()
    assert area.is_visible()
    return area.text_content()  # inner_text is empty until the browser has drawn it


def wait_until_idle(window):
    """Wait until no cell is running or waits to run."""
    window.wait_for_function(
        "() => { const marks = [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')];"
        "return /\\d/.test(marks[0].textContent) && !marks.some((mark) => mark.textContent.includes('*')) }"
    )
    window.get_by_text("| Idle").wait_for()


def assert_it_ran_as_fixed(window):
    """See that every cell ran, and that the analysis that was fixed is shown as number, words and picture."""
    complaints = window.locator("[data-mime-type$='jupyter.error'], [data-mime-type$='jupyter.stderr']")
    assert complaints.all_text_contents() == []
    marks = window.locator(".jp-CodeCell .jp-InputPrompt").all_text_contents()
    assert [mark for mark in marks if not re.fullmatch(r"\[\d+\]:", mark)] == []
    fixed = me.pool(me.load(ROOT), SYNTHESIS)
    shown = output(window, re.compile(r"^fixed$"))
    assert "random effects, REML, Hartung-Knapp" in shown
    assert said(fixed) in shown
    picture = cell(window, "me.forest(fixed").get_by_role("img")
    picture.scroll_into_view_if_needed()
    assert picture.get_attribute("alt").startswith("Forest plot of 4 studies")
    assert picture.evaluate("(image) => image.complete && image.naturalWidth > 400")


def said(pooled):
    """Return a pooled estimate as it is printed."""
    return "{:.2f} (95 % CI {:.2f} to {:.2f})".format(*pooled.shown)


def assert_the_method_changed(window, method):
    """See that the cell of the reader shows what this method gives, and says that it was not fixed."""
    wait_until_idle(window)
    evidence = me.load(ROOT)
    other = me.pool(evidence, SYNTHESIS, method=method)
    shown = output(window, "me.pool(evidence, name, method=")
    assert said(other) != said(me.pool(evidence, SYNTHESIS))
    assert said(other) in shown
    assert f"not the analysis that was fixed: {method} instead of REML" in shown


def test_the_researcher_runs_all_and_changes_the_method_by_mouse(lab):
    lab.get_by_role("menuitem", name="Run", exact=True).click()
    lab.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    wait_until_idle(lab)
    assert_it_ran_as_fixed(lab)

    word = cell(lab, "me.pool(evidence, name, method=").locator(".cm-content span", has_text="REML").last
    word.scroll_into_view_if_needed()
    word.dblclick()
    lab.keyboard.type("DL")
    lab.get_by_role("button", name="Run this cell and advance").click()

    assert_the_method_changed(lab, "DL")


def test_the_researcher_runs_all_and_changes_the_method_by_keyboard(lab):
    lab.keyboard.press("Control+Shift+C")
    lab.keyboard.type("Run All Cells")
    lab.locator(".lm-CommandPalette-item.lm-mod-active", has_text=re.compile("^Run All Cells")).wait_for()
    lab.keyboard.press("Enter")
    wait_until_idle(lab)
    assert_it_ran_as_fixed(lab)

    active = lab.locator(".jp-Notebook .jp-Cell.jp-mod-active")
    for _ in range(40):
        if 'method="REML"' in active.inner_text():
            break
        lab.keyboard.press("ArrowUp")
    lab.keyboard.press("Enter")
    lab.keyboard.press("Control+End")
    for key in ("ArrowLeft", "ArrowLeft", "Control+Shift+ArrowLeft"):
        lab.keyboard.press(key)
    lab.keyboard.type("PM")
    lab.keyboard.press("Control+Enter")

    assert_the_method_changed(lab, "PM")
