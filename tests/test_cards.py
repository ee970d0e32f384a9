from mesoevidence import cards, escape


def test_a_small_block_stands_on_one_line_and_a_large_one_is_indented():
    text = cards.text(
        "T", {"arms": {"a": {"n": 20}, "b": {"n": 21}}, "words": ["one", "two"], "long": "x " * 80}
    )

    assert "  arms:\n    a: n 20\n    b: n 21\n" in text
    assert "words: one, two" in text
    assert all(len(line) <= 100 for line in text.splitlines())


def test_items_that_hold_a_comma_stand_apart_by_semicolons():
    assert (
        cards.text("t", {"note": ["DL, not REML", "few studies"]}) == "t\n  note: DL, not REML; few studies"
    )
    assert cards.text("t", {"note": ["volume", "pages"]}) == "t\n  note: volume, pages"


def test_a_card_in_html_escapes_names_and_values():
    shown = cards.html("<t>", {"<n>": "<v>", "list": [{"<k>": "<w>"}]})

    assert "<t>" not in shown
    assert "<v>" not in shown
    assert "<w>" not in shown
    assert shown.count("&lt;") == 5


def test_a_cell_that_a_spreadsheet_would_compute_is_marked():
    hostile = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "|cmd", "%0A"]

    assert [escape.cell(text)[0] for text in hostile] == ["'"] * len(hostile)
    assert escape.cell("a = b") == "a = b"
