"""Both articles are covered sentence by sentence: coverage.csv and the claims' appearances tell the same."""

import csv
from collections import Counter
from pathlib import Path

import pytest

import mesoevidence as me

ROOT = Path(__file__).parent.parent
OPEN = {"", "?", "open", "todo", "tbd"}


@pytest.fixture(scope="module")
def rows():
    with (ROOT / "evidence" / "coverage.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def claims():
    return me.load(ROOT).claims


@pytest.fixture(scope="module")
def covered(rows):
    """(article, locator, claim) of every assertion in the table."""
    return {
        (row["article"], row["locator"], claim)
        for row in rows
        if row["claims"] != "no assertion"
        for claim in row["claims"].split()
    }


@pytest.fixture(scope="module")
def appearing(claims):
    """(article, locator, claim) of every appearance in the claims."""
    return {(item.source, item.at, claim.id) for claim in claims.values() for item in claim.appearances}


def test_the_table_has_its_three_columns_and_both_articles(rows):
    assert list(rows[0]) == ["article", "locator", "claims"]
    assert {row["article"] for row in rows} == {"vigorfocus2023", "metinkerem2025"}


def test_every_locator_of_an_article_stands_once(rows):
    times = Counter((row["article"], row["locator"].strip().lower()) for row in rows)
    assert [place for place, count in times.items() if count > 1] == []


def test_no_sentence_is_left_open(rows):
    assert [row["locator"] for row in rows if (row["claims"] or "").strip().lower() in OPEN] == []


def test_no_claim_stands_twice_in_a_row(rows):
    assert [
        row["locator"] for row in rows if len(set(row["claims"].split())) < len(row["claims"].split())
    ] == []


def test_every_claim_that_the_table_names_exists(covered, claims):
    assert sorted({claim for _, _, claim in covered} - set(claims)) == []


def test_every_claim_of_an_article_stands_in_the_table(rows, covered, claims):
    articles = {row["article"] for row in rows}
    said = {claim.id for claim in claims.values() if articles & {item.source for item in claim.appearances}}
    assert sorted(said - {claim for _, _, claim in covered}) == []


def test_each_row_is_an_appearance_of_its_claims(covered, appearing):
    assert sorted(covered - appearing) == []


def test_each_appearance_in_an_article_has_its_row(rows, covered, appearing):
    articles = {row["article"] for row in rows}
    assert sorted(place for place in appearing - covered if place[0] in articles) == []


def test_no_claim_appears_twice_at_one_place(claims):
    twice = [
        (claim.id, place)
        for claim in claims.values()
        for place, count in Counter((item.source, item.at) for item in claim.appearances).items()
        if count > 1
    ]
    assert twice == []
