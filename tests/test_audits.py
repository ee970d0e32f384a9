import pytest

import mesoevidence as me
from tests import ledgers

CLAIM = "evidence/claims/tea-keeps-awake.yaml"
SECOND = (
    ledgers.CLAIM.replace("tea-keeps-awake", "a-second-claim")
    .replace("paragraph 2", "paragraph 1")
    .replace("wording: certain, size: large", "wording: possible")
)
COVERAGE = """\
article,locator,claims
magazine2020,paragraph 1,a-second-claim
magazine2020,paragraph 2,tea-keeps-awake
"""


@pytest.fixture
def audited(tmp_path):
    changes = {"evidence/claims/a-second-claim.yaml": SECOND, "evidence/coverage.csv": COVERAGE}
    return me.audit(ledgers.evidence(tmp_path, changes), "magazine2020")


def test_an_article_is_read_in_the_order_of_its_text(audited):
    assert list(audited.table["at"]) == ["paragraph 1", "paragraph 2"]
    assert list(audited.table["claim"]) == ["a-second-claim", "tea-keeps-awake"]


def test_every_place_has_the_gap_of_its_own_wording(audited):
    assert list(audited.table["overclaim"]) == [0, 2]
    assert audited.table["overclaim_size"].tolist()[1] == 1
    assert list(audited.table["by_rule"]) == ["supported", "overstated"]
    assert list(audited.table["verdict"]) == ["overstated", "overstated"]


def test_an_article_shows_itself_in_one_line_and_as_a_table_in_which_markup_stays_text(tmp_path):
    claim = ledgers.CLAIM.replace("Green tea keeps adults awake", "<i>Green</i> tea keeps adults awake")
    shown = me.audit(ledgers.evidence(tmp_path, {CLAIM: claim}), "magazine2020")

    assert repr(shown) == "<Audit magazine2020: 1 claim, 1 overstated>"
    assert "&lt;i&gt;Green&lt;/i&gt;" in shown._repr_html_() and "<i>" not in shown._repr_html_()
    assert "unreviewed" in shown._repr_html_()


def test_the_interest_of_a_source_stands_with_it(tmp_path):
    interest = 'sources: {magazine2020: {interest: {what: "sells tea", at: "page footer"}}}\n'
    evidence = ledgers.evidence(tmp_path, {"evidence/topics/tea.yaml": ledgers.TOPIC + interest})

    assert me.audit(evidence, "magazine2020").interest == "sells tea (page footer)"


def test_an_article_that_makes_no_claim_is_answered_with_the_nearest(tmp_path):
    with pytest.raises(me.EvidenceError, match="did you mean 'magazine2020'"):
        me.audit(ledgers.evidence(tmp_path), "magazine2021")


def test_every_place_of_the_shipped_articles_stands_in_the_coverage_table():
    evidence = me.load()
    for source in {item.source for claim in evidence.claims.values() for item in claim.appearances}:
        table = me.audit(evidence, source).table
        made = sum(item.source == source for claim in evidence.claims.values() for item in claim.appearances)
        assert len(table) == made
