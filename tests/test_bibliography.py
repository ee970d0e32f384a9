"""What becomes of references.bib: names, LaTeX, citations, broken entries, and where each fault stands."""

import random
import time
import unicodedata

import pytest

import mesoevidence as me
from mesoevidence import bibliography
from tests import ledgers


def one(fields, key="a2014", kind="article"):
    """Return the reference that an entry of these fields becomes, and the problems."""
    found, problems = bibliography.parse(f"@{kind}{{{key},\n  {fields}\n}}\n")
    return found.get(key), [str(problem) for problem in problems]


def authors(text):
    reference, problems = one(f"title = {{T}}, author = {{{text}}}")
    assert problems == []
    return [(who.family, who.given, who.suffix) for who in reference.authors]


def title(text):
    reference, problems = one(f"title = {{{text}}}")
    assert problems == []
    return reference.title


# Names -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("Smith, Ann", [("Smith", "Ann", "")]),
        ("Ann Smith", [("Smith", "Ann", "")]),
        ("Smith, Ann and Jones, Bo", [("Smith", "Ann", ""), ("Jones", "Bo", "")]),
        ("Smith, Ann\n   and Jones, Bo", [("Smith", "Ann", ""), ("Jones", "Bo", "")]),
        ("de la Cruz, Ana", [("de la Cruz", "Ana", "")]),
        ("Ludwig van Beethoven", [("van Beethoven", "Ludwig", "")]),
        ("King, Jr., Martin Luther", [("King", "Martin Luther", "Jr.")]),
        ("Plato", [("Plato", "", "")]),
        ("Abd-Elaziz, Ghada M.", [("Abd-Elaziz", "Ghada M.", "")]),
        ("{World Health Organization}", [("World Health Organization", "", "")]),
        ("{Johnson and Johnson}", [("Johnson and Johnson", "", "")]),
        ("{Trial Group A and B} and Smith, Ann", [("Trial Group A and B", "", ""), ("Smith", "Ann", "")]),
        (r"{\O}stby, {Per}", [("Østby", "Per", "")]),
        (r"M{\"u}ller, Hans and {\'E}mile Zola", [("Müller", "Hans", ""), ("Zola", "Émile", "")]),
        (r"Kapi{\l}a, W{\l}adys{\l}aw", [("Kapiła", "Władysław", "")]),
        (r"Sand, J{\o}rgen and {\AA}berg, S", [("Sand", "Jørgen", ""), ("Åberg", "S", "")]),
        (r"{\c S}ahin, G{\"u}l", [("Şahin", "Gül", "")]),
        (r"Anders{\"o}n~And, Li", [("Andersön And", "Li", "")]),
        ("Lucky, A. W. and others", [("Lucky", "A. W.", ""), ("et al", "", "")]),
        ("O'Brien, Pat", [("O'Brien", "Pat", "")]),
        ("Анна Иванова", [("Иванова", "Анна", "")]),
        ("毛 泽东", [("泽东", "毛", "")]),
    ],
)
def test_names_are_split_before_their_latex_is_decoded(written, expected):
    assert authors(written) == expected


@pytest.mark.parametrize("written", [",", "a, b, c, d", "Smith, Ann and , "])
def test_what_is_no_name_is_named_and_the_entry_kept_without_authors(written):
    reference, problems = one(f"title = {{T}},\n  author = {{{written}}}")

    assert problems == [f"references.bib:3:1: E025 author is out of pattern: {written.strip()}"]
    assert (reference.title, reference.authors) == ("T", ())


ACCENTS = {
    "`": "\u0300",
    "'": "\u0301",
    "^": "\u0302",
    "~": "\u0303",
    '"': "\u0308",
    "=": "\u0304",
    ".": "\u0307",
    "u": "\u0306",
    "v": "\u030c",
    "H": "\u030b",
    "c": "\u0327",
    "k": "\u0328",
    "r": "\u030a",
}
LETTERS = [
    (accent, letter, composed)
    for accent, mark in ACCENTS.items()
    for letter in "AaCcDdEeGgIiKkLlNnOoRrSsTtUuYyZz"
    if len(composed := unicodedata.normalize("NFC", letter + mark)) == 1
]


@pytest.mark.parametrize(("accent", "letter", "composed"), LETTERS)
def test_every_accented_letter_of_unicode_comes_back_from_each_way_to_write_it(accent, letter, composed):
    """The witness is Unicode's own composition of a letter and a mark."""
    for way in (f"{{\\{accent}{{{letter}}}}}", f"\\{accent}{{{letter}}}", f"{{\\{accent} {letter}}}"):
        assert authors(f"B{way}x, Ann") == [(f"B{composed}x", "Ann", "")], way


def test_the_table_of_accented_letters_is_long():
    assert len(LETTERS) > 150


@pytest.mark.parametrize(
    ("written", "sign"),
    [
        *(
            (r"{\ss}", "ß"),
            (r"\ss{}", "ß"),
            (r"{\ae}", "æ"),
            (r"{\AE}", "Æ"),
            (r"{\oe}", "œ"),
            (r"{\aa}", "å"),
        ),
        *((r"{\AA}", "Å"), (r"{\o}", "ø"), (r"{\O}", "Ø"), (r"{\l}", "ł"), (r"{\L}", "Ł"), (r"{\i}", "ı")),
        *(
            (r"\'{\i}", "í"),
            (r"\"{\i}", "ï"),
            (r"{\dh}", "ð"),
            (r"{\th}", "þ"),
            (r"{\DJ}", "Đ"),
            (r"\alpha{}", "α"),
        ),
        *((r"\&", "&"), (r"\%", "%"), (r"\_", "_"), (r"\#", "#"), (r"\$", "$"), ("--", "–"), ("---", "—")),
        *(("``", "“"), ("''", "”"), (r"\textmu{}", "µ"), (r"\textdegree{}", "°"), (r"\{", "{"), (r"\}", "}")),
    ],
)
def test_letters_and_signs_that_have_a_name_are_decoded(written, sign):
    assert title(f"x{written}y") == f"x{sign}y"


@pytest.mark.parametrize(
    "text",
    [
        *(r"H$_2$O", r"p $<$ 0.05", r"$\alpha$-linolenic", r"10$^{-3}$", r"\unknown{abc} d", r"\TeX"),
        *(r"\textsuperscript{2}", r"\href{http://x.org}{y}", r"\input{/etc/passwd}"),
        *(r"\verb|x|", r"\def\x{1}", r"\begin{x}y\end{x}", r"\item x", r"a_b^c & d # e", "62.8 % of 86"),
    ],
)
def test_what_cannot_be_decoded_stays_as_it_is_written(text):
    assert title(text) == text


def test_nothing_after_a_percent_sign_is_lost():
    assert title(r"50 % of M\"uller's patients") == "50 % of Müller's patients"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("url", "https://example.org/~ann/a--b---c''d"),
        ("url", "https://example.org/a_b%20c?d=e&f=g#h"),
        ("doi", "10.1000/a--b_c~d"),
        ("doi", "10.1002/(SICI)1097-0258(19980430)17:8<857::AID-SIM777>3.0.CO;2-E"),
    ],
)
def test_an_address_is_never_decoded(name, text):
    reference, problems = one(f"title = {{T}}, {name} = {{{text}}}")

    assert problems == []
    assert reference.fields[name] == text


def test_an_address_that_was_escaped_for_latex_loses_its_backslashes():
    reference, _ = one(r"title = {T}, url = {https://example.org/a\_b\%20c\#d\&e}")

    assert reference.link == "https://example.org/a_b%20c#d&e"


# Citations ---------------------------------------------------------------------------------------

ARTICLE = "title = {A title.}, journal = {J Tea}, year = 2014, volume = 3, number = 2, pages = {11--19}"


@pytest.mark.parametrize(
    ("fields", "kind", "expected"),
    [
        (f"author = {{Smith, Ann B.}}, {ARTICLE}", "article", "Smith AB. A title. J Tea. 2014;3(2):11-19."),
        (ARTICLE, "article", "A title. J Tea. 2014;3(2):11-19."),
        ("title = {T}", "article", "T."),
        ("title = {T}, year = 2014", "article", "T. 2014."),
        ("title = {T}, volume = 3", "article", "T. 3."),
        (
            "title = {T}, author = {{Some Body}}, publisher = {House}, year = 2014",
            "book",
            "Some Body. T. House. 2014.",
        ),
        ("title = {T}, author = {King, Jr., Martin Luther}", "misc", "King ML Jr. T."),
        ("title = {T}, author = {Dupont, Jean-Paul}", "misc", "Dupont JP. T."),
        ("title = {T}, author = {Lucky, A. W. and others}", "misc", "Lucky AW, et al. T."),
        (
            "title = {T}, author = {A, A and B, B and C, C and D, D and E, E and F, F and G, G}",
            *("misc", "A A, B B, C C, D D, E E, F F, et al. T."),
        ),
        (
            "title = {T}, author = {A, A and B, B and C, C and D, D and E, E and F, F}",
            "misc",
            "A A, B B, C C, D D, E E, F F. T.",
        ),
        ("title = {T}, doi = {10.1000/X.1}", "article", "T. https://doi.org/10.1000/x.1"),
        ("title = {T}, pmid = {123}", "article", "T. https://pubmed.ncbi.nlm.nih.gov/123/"),
        (
            "title = {T}, url = {https://example.org}, urldate = {2026-01-31}",
            *("online", "T [Internet]. [cited 2026 Jan 31]. Available from: https://example.org"),
        ),
        (
            "title = {T}, year = 2007, url = {https://example.org}, urldate = {2026-11-02}",
            *("online", "T [Internet]. 2007 [cited 2026 Nov 2]. Available from: https://example.org"),
        ),
        ("title = {T}, year = 2016, pages = {CD007628}", "article", "T. 2016:CD007628."),
        ("title = {T}, x-status = {retracted}", "article", "T. [retracted]"),
        ("title = {T}, x-status = {expression-of-concern}", "article", "T. [expression of concern]"),
        ("title = {T}, x-status = {none}", "article", "T."),
    ],
)
def test_a_citation_is_in_vancouver_style_and_leaves_out_what_was_not_seen(fields, kind, expected):
    reference, problems = one(fields, kind=kind)

    assert problems == []
    assert reference.vancouver() == expected


def test_an_unknown_year_is_none_and_no_number():
    reference, _ = one("title = {Some long title of five words}")

    assert (reference.year, reference.doi, reference.link) == (None, None, None)
    assert reference.label == "Some long title of…"


@pytest.mark.parametrize("status", ["retracted", "expression-of-concern", "corrected"])
def test_the_status_of_a_source_shows_wherever_it_is_cited(tmp_path, status):
    changed = ledgers.REFERENCES.replace("x-status = {none}", f"x-status = {{{status}}}", 1)
    evidence = ledgers.evidence(tmp_path, {"references.bib": changed})
    shown = status.replace("-", " ")

    assert [item.path for item in evidence.problems if item.code in ("W801", "W802", "W804")] == [
        "evidence/studies/smith-2001.yaml"
    ]
    assert f"[{shown}]" in evidence.card("smith-2001")
    assert f"[{shown}]" in evidence.card("smith2001")
    assert evidence.table("references").set_index("key").loc["smith2001", "status"] == status


def test_a_missing_key_is_named_at_every_place_and_the_state_of_a_source_once_a_record(tmp_path):
    origin = "  - {id: morning, outcome: awake, direction: increase, from: {ref: smith2001, at: abstract, "
    study = ledgers.STUDY + origin + 'method: reported, figures: "more awake"}}\n'
    changes = {"evidence/studies/smith-2001.yaml": study}
    retracted = ledgers.REFERENCES.replace("x-status = {none}", "x-status = {retracted}", 1)

    state = ledgers.evidence(tmp_path, changes | {"references.bib": retracted}).problems
    lacks = ledgers.evidence(tmp_path, changes | {"references.bib": retracted.replace("smith2001", "s2001")})

    assert [problem.line for problem in state if problem.code == "W801"] == [2]
    assert [problem.line for problem in lacks.problems if problem.code == "E105"] == [2, 15, 16]


# Broken files ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "code", "line"),
    [
        ("@article{b2015, title = {never closed", "E020", 2),
        ("@article{b2015, title = {T} year = 2015}", "E020", 2),
        ("@article{b2015 title = {T}}", "E020", 2),
        ("@article{B2015, title = {T}}", "E022", 2),
        ("@article{, title = {T}}", "E022", 2),
        ("@article{a/b, title = {T}}", "E022", 2),
        ("@article{b2015, title = {T},\n journal = jead}", "E023", 3),
        ('@article{b2015, title = {T},\n journal = jead # " of X"}', "E023", 3),
        ("@article{b2015, title = {T},\n title = {U}}", "E024", 3),
        ("@article{b2015, title = {T},\n Title = {U}}", "E024", 3),
        ("@article{b2015, title = {T},\n doi = {doi.org/10.1000/x}}", "E025", 3),
        ("@article{b2015, title = {T},\n year = {c. 2015}}", "E025", 3),
        ("@article{b2015, title = {T},\n url = {javascript:alert(1)}}", "E025", 3),
        ("@article{b2015, title = {T},\n x-status = {fine}}", "E025", 3),
        ("@article{b2015, title = {T},\n x-status-on = {31.1.2026}}", "E025", 3),
        ("@article{b2015, title = {T},\n note = {}}", "E025", 3),
        ("@article{b2015, title = {T},\n auhtor = {Smith, A.}}", "E026", 3),
        ("@article{b2015, title = {T},\n yaer = {2015}}", "E026", 3),
        ("@article{b2015, year = 2015}", "E025", 2),
        ("@online{b2015, title = {T}, url = {https://example.org}}", "E025", 2),
        ("@article{a2014, title = {again}}", "E021", 2),
        ("@article{b2015, title = {a\x00b}}", "E004", 2),
        ("@article{b2015,\n<<<<<<< HEAD\n title = {T},\n=======\n title = {U},\n>>>>>>> two\n}", "E005", 3),
        ("@article{b2015, title = {a\udce9b}}", "E003", 2),
    ],
)
def test_a_faulty_entry_is_named_at_its_line_and_its_neighbours_load(entry, code, line):
    text = f"@article{{a2014, title = {{A}}}}\n{entry}\n@article{{c2016, title = {{C}}}}\n"

    found, problems = bibliography.parse(text)

    assert [(problem.code, problem.line) for problem in problems][:1] == [(code, line)]
    assert all(problem.hint for problem in problems)
    assert {"a2014", "c2016"} <= found.keys()
    assert found["a2014"].title == "A"


@pytest.mark.parametrize(
    ("field", "written", "hint"),
    [
        ("urldate", "2026-02-31", "no such day"),
        ("urldate", "2025-02-29", "no such day"),
        ("x-status-on", "2026-13-45", "no such day"),
        ("x-status-on", "0000-01-01", "no such day"),
        ("x-status-on", "2026-1-5", "YYYY-MM-DD"),
    ],
)
def test_a_day_that_the_calendar_lacks_is_told_from_one_that_is_written_otherwise(field, written, hint):
    found, problems = bibliography.parse(f"@article{{a, title = {{T}}, {field} = {{{written}}}}}\n")

    assert [str(problem) for problem in problems] == [
        f"references.bib:1:1: E025 {field} is out of pattern: {written}"
    ]
    assert hint in problems[0].hint
    assert field not in found["a"].fields


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("journal = tea", "Journal of Tea"),
        ("journal = TEA", "Journal of Tea"),
        ('journal = tea # ", part B"', "Journal of Tea, part B"),
        ('journal = "J of " # {Tea}', "J of Tea"),
        ("journal = 2014", "2014"),
    ],
)
def test_an_abbreviation_stands_for_its_text(field, expected):
    found, problems = bibliography.parse(
        f"@string{{tea = {{Journal of Tea}}}}\n@article{{a, title = {{T}}, {field}}}\n"
    )

    assert problems == []
    assert found["a"].fields["journal"] == expected


def test_parentheses_comments_and_preambles_are_taken_as_bibtex_takes_them():
    text = '@comment{x}\nfree text\n@preamble{"\\newcommand"}\n@article(a, title = {T})\n'

    found, problems = bibliography.parse(text)

    assert (list(found), problems) == (["a"], [])


@pytest.mark.parametrize(
    "text",
    [
        "\n" * 200_000,
        "{" * 100_000,
        "}" * 100_000,
        "@" * 100_000,
        '"' * 100_000,
        "@a{" * 20_000,
        "@article{a, title = {" + "{" * 20_000 + "x" + "}" * 20_000 + "}}",
        "@article{a, author = {" + "A and " * 20_000 + "B}, title = {T}}",
        "@article{a, title = {" + "\\" * 50_000 + "}}",
        "@article{a, title = {" + "\\emph{" * 2_000 + "x" + "}" * 2_000 + "}}",
        "@article{a, title = {" + "$" * 50_001 + "}}",
        "@article{a, title = {" + "\\'" * 30_000 + "}}",
        "@string{a = b # a}\n@string{b = a}\n@article{k, title = a # b}",
        "<<<<<<< x\n" * 20_000,
        "\x00\n" * 50_000,
        "@article{a,\n" + "f = {x},\n" * 10_000 + "}",
        "".join(f"@article{{k{n}, title = {{T}}, crossref = {{k{n + 1}}}}}\n" for n in range(2_000)),
    ],
    ids=lambda text: ascii(text[:16]),
)
def test_no_text_takes_long_or_a_traceback(text):
    begun = time.process_time()

    found, problems = bibliography.parse(text)

    assert time.process_time() - begun < 2
    lines = text.count("\n") + 1
    assert all(1 <= problem.line <= lines for problem in problems)
    assert all(reference.title for reference in found.values()) or problems


def test_of_n_entries_n_minus_one_survive_a_broken_one():
    chance = random.Random(7)
    entries = [f"@article{{k{n},\n  title = {{Title {n}}},\n  year = {{20{n:02}}}\n}}\n" for n in range(20)]
    for _ in range(200):
        at = chance.randrange(len(entries))
        broken = list(entries)
        cut = chance.randrange(len(entries[at]))
        broken[at] = entries[at][:cut] + entries[at][cut + 1 :]

        found, _ = bibliography.parse("".join(broken))

        others = {f"k{n}" for n in range(20)} - {f"k{at}"}
        assert {key: found[key].title for key in found if key in others} == {
            key: f"Title {key[1:]}" for key in others
        }, broken[at]


def test_a_reference_that_was_left_out_is_not_called_missing_as_well(tmp_path):
    broken = ledgers.REFERENCES.replace("title = {Tea and sleep}", "title = {Tea and\x00 sleep}")

    evidence = ledgers.evidence(tmp_path, {"references.bib": broken})

    assert [problem.code for problem in evidence.problems] == ["E004"]


def test_every_shipped_reference_reads_as_a_citation():
    evidence = me.load()

    for reference in evidence.references.values():
        text = reference.vancouver()
        assert reference.title.rstrip(".") in text
        assert ".." not in text.replace("...", "")
        assert not any(sign in text for sign in ("{", "}", "\\", "  "))
