"""The report in a real browser: two readers on their way, by keyboard and by mouse; axe; nothing leaves."""

import re
from pathlib import Path

import pytest

import mesoevidence as me
from mesoevidence import notebooks
from tests import ledgers

TYPES = {
    "front": "index.html",
    "find": "find.html",
    "references": "references.html",
    "problems": "problems.html",
    "topic": "topics/hair-loss.html",
    "article": "articles/metinkerem2025.html",
    "claim": "claims/ha-binds-1000x-water.html",
    "claim with a chart": "claims/scalp-mesotherapy-helps-hair-loss.html",
    "study": "studies/moftah-2013.html",
    "synthesis": "syntheses/meso-v-saline-response.html",
    "synthesis not pooled": "syntheses/skin-hydration-direction.html",
    "summary of findings": "summary.html",
    "review": "hair-loss.html",
    **{path.stem: f"{path.stem}.html" for path in notebooks.find(Path(__file__).parent.parent)},
}

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    evidence = me.load()
    folder = me.write_report(evidence, tmp_path_factory.mktemp("report")).parent
    me.summary_of_findings(evidence, topic="hair-loss").save(folder / TYPES["summary of findings"])
    me.write_review(evidence, "hair-loss", folder / TYPES["review"])
    return folder


@pytest.fixture(params=["light", "dark"])
def scheme(request):
    return request.param


@pytest.fixture
def open_page(browser):
    """Return what opens a window; afterwards no window has complained, or asked for more than its page."""
    said, asked, windows = [], [], []

    def opened(address="", **options):
        windows.append(browser.new_context(**options))
        window = windows[-1].new_page()
        window.on("console", lambda message: said.append(f"{window.url}: {message.text}"))
        window.on("pageerror", lambda error: said.append(f"{window.url}: {error}"))
        window.on("request", lambda request: asked.append((request.is_navigation_request(), request.url)))
        window.goto(f"file://{address}")
        return window

    yield opened
    for context in windows:
        context.close()
    assert said == []
    for is_page, url in asked:
        assert url.startswith(("file://", "data:") if is_page else "data:"), url


def tab_to(window, name):
    """Press Tab until the thing of that name has the focus, and see that the focus can be seen."""
    for _ in range(400):
        window.keyboard.press("Tab")
        shown = window.evaluate(
            "() => { const at = document.activeElement, style = getComputedStyle(at);"
            "return [at.labels?.[0]?.firstChild.textContent || at.textContent, style.outlineStyle] }"
        )
        if shown[0].strip().startswith(name):
            assert shown[1] != "none", f"nobody sees that {name!r} has the focus"
            return
    raise AssertionError(f"{name!r} cannot be reached by keyboard")


def follow(window):
    """Open the link that has the focus."""
    with window.expect_navigation():
        window.keyboard.press("Enter")


def assert_it_says_why(window):
    """See that this is the claim, with its verdict and the reason."""
    heading = "Hyaluronic acid binds up to 1000 times its own weight of water"
    assert window.locator("h1").inner_text() == heading
    assert window.locator(".judged .verdict").inner_text() == "contradicted"
    assert "about 2 g of bound water for each gram" in window.locator(".judged").inner_text()


def assert_it_is_low(window):
    """See that this is the synthesis of low certainty, with its forest plot."""
    assert "low" in window.locator(".judged .facts").inner_text()
    assert window.get_by_role("img", name="Forest plot of 3 studies").is_visible()


def assert_the_summary_is_open(window):
    """See the summary of findings, with the row of the synthesis of low certainty."""
    row = window.locator(".findings tr", has_text="Topical minoxidil 5 % may increase").first
    assert row.is_visible()
    assert "Low" in row.inner_text()


def test_the_student_finds_by_keyboard_why_1000_times_its_weight_is_judged_as_it_is(report, open_page):
    window = open_page(report / "index.html")

    tab_to(window, "Skip to the content")
    tab_to(window, "Find")
    follow(window)
    tab_to(window, "words")
    window.keyboard.type("1000 times")
    window.keyboard.press("Enter")
    assert window.locator("#count").inner_text().startswith("2 claims")
    tab_to(window, "Hyaluronic acid binds")
    follow(window)

    assert_it_says_why(window)
    tab_to(window, "Kucerik 2011")
    follow(window)
    assert window.get_by_role("heading", name="What was found").is_visible()
    assert "read at" in window.locator("table").first.inner_text()


def test_the_student_finds_it_by_mouse_from_the_sentence_of_the_article(report, open_page):
    window = open_page(report / "index.html")

    window.get_by_role("link", name="Mesotherapy and Skin Dryness").click()
    window.get_by_role("link", name="Hyaluronic acid binds up to 1000 times").first.click()
    assert_it_says_why(window)
    window.locator(".rows a", has_text="Kucerik 2011").click()
    window.get_by_role("link", name="Hyaluronic acid binds up to 1000 times").click()
    window.get_by_role("link", name="metinkerem.com, section 3a, sentence 1").click()

    assert window.url.endswith(".html#s-" + window.url.rpartition("-")[2])
    assert "1000" in window.locator("tbody:target").inner_text()


def test_the_reviewer_filters_by_keyboard_to_low_strength_and_opens_the_summary(report, open_page):
    window = open_page(report / "index.html")

    tab_to(window, "Find")
    follow(window)

    for label, letters in (("kind", "syn"), ("strength", "low")):
        tab_to(window, label)
        window.keyboard.type(letters)
    found = window.locator("#records li:visible")
    assert found.count() == int(window.locator("#count").inner_text().split()[0]) >= 1
    assert {item.get_attribute("data-strength") for item in found.all()} == {"low"}
    tab_to(window, "Hair density, topical minoxidil 5 %")
    follow(window)
    assert_it_is_low(window)
    tab_to(window, "Hair loss")
    follow(window)
    tab_to(window, "Summary of findings")
    window.keyboard.press("Enter")

    assert_the_summary_is_open(window)


def test_the_reviewer_filters_by_mouse_to_low_strength_and_opens_the_summary(report, open_page):
    window = open_page(report / "index.html")

    window.get_by_role("link", name="Find", exact=True).click()
    window.get_by_label("kind").select_option("synthesis")  # chromium draws its list outside the page
    window.get_by_label("strength").select_option("low")
    window.get_by_role("link", name="Hair density, topical minoxidil 5 %").click()
    assert_it_is_low(window)
    window.get_by_role("link", name="Hair loss", exact=True).click()
    window.get_by_text("Summary of findings, as reviewers print it").click()

    assert_the_summary_is_open(window)


def test_the_reviewer_sends_the_address_of_a_search_on_and_begins_anew(report, open_page):
    window = open_page(report / "find.html")
    window.get_by_label("strength").select_option("low")
    window.get_by_label("kind").select_option("synthesis")
    count = window.locator("#count").inner_text()

    other = open_page(f"{report}/find.html#{window.url.partition('#')[2]}")
    assert other.locator("#count").inner_text() == count
    other.get_by_role("button", name="Clear").click()
    other.wait_for_function("location.hash === ''")
    every = sum(map(int, re.findall(r"\d+", other.locator("#count").inner_text())))
    other.get_by_role("button", name="Show the other").click()
    assert other.locator("#records li:visible").count() == every
    other.get_by_label("words").fill("no such words stand here")
    assert other.get_by_text("Nothing has all of this").is_visible()


@pytest.mark.parametrize("name", TYPES)
def test_axe_finds_nothing_and_nothing_is_cut_off(name, scheme, report, open_page):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
    for width in (1100, 390):
        window = open_page(
            report / TYPES[name], color_scheme=scheme, viewport={"width": width, "height": 800}
        )
        window.evaluate("document.querySelectorAll('details').forEach((item) => { item.open = true })")
        found = axe.Axe().run(window)
        assert found.violations_count == 0, found.generate_report()
        assert window.evaluate("document.documentElement.scrollWidth") <= width


def test_without_scripts_every_record_is_still_listed(report, open_page):
    window = open_page(report / "find.html", java_script_enabled=False)

    assert not window.locator("form").is_visible()
    assert window.get_by_role("link", name="Hyaluronic acid binds up to 1000 times").is_visible()


def test_two_hundred_hostile_texts_are_inert_on_every_page(tmp_path, open_page):
    evidence = ledgers.evidence(tmp_path / "ledger", ledgers.hostile())
    assert len(evidence.claims) == len(ledgers.HOSTILE) + 1 == 201
    report = me.write_report(evidence, tmp_path / "out", execute=False).parent
    window = open_page(report / "index.html")
    opened = []
    window.on("dialog", lambda dialog: opened.append(dialog.message))

    for path in sorted(report.rglob("*.html")):
        window.goto(path.as_uri())
        foreign = window.locator(
            "base, link, iframe, object, embed, math, main style, [onerror], [onload], [onfocus]"
        )
        assert foreign.count() == 0, path
        assert window.locator("script").count() == (path.name == "find.html"), path
        assert window.url == path.as_uri()
        if path.name.startswith("hostile-"):
            text = ledgers.HOSTILE[int(path.stem.removeprefix("hostile-"))]
            assert window.locator("h1").text_content() == text
    assert opened == []
