"""What is calculated comes out again from the figures as printed, or is named at its place."""

import pytest

from tests import ledgers

FIGURES = "60 % of 20; 25 % of 20; SE 0.5 of 1,600; 3 and 4 lost"


def codes(folder, how, figures=FIGURES):
    """Return the codes of what the checks say of counts that are calculated in this way."""
    origin = (
        f"""from: {{ref: smith2001, at: abstract, method: calculated, figures: "{figures}", how: "{how}"}}"""
    )
    head, _, _ = ledgers.STUDY.rpartition("from: ")
    found = ledgers.evidence(folder, {"evidence/studies/smith-2001.yaml": head + origin + "\n"})
    return sorted(problem.code for problem in found.problems if problem.severity == "error")


@pytest.mark.parametrize(
    "how",
    [
        "percentage x n",
        "60 % x 20 = 12; 25 % x 20 = 5",
        "60 % * 20 = 12; 20 x (25 %) = 5",
        "60% x 20 = 12; 20 / 4 = 5",
        "20 - (4 + 4) = 12; -(3 - 4 x 2) = 5",
        "60 % x 20 = 12; 25 % x 20 = 5; 0.5 x sqrt(1,600) = 20",
        "60 % x 20 = 12; 25 % x 20 = 5; sqrt(4 x 4) % = 0.04",
        "60 × 20 / 100 = 12; 25 % × 20 = 5",
    ],
)
def test_what_recomputes_from_the_figures_is_no_problem(tmp_path, how):
    assert codes(tmp_path, how) == []


@pytest.mark.parametrize(
    "equation",
    [
        *(
            "25 % 20 = 5",
            "4 4 / 3 = 5",
            "sqrt-25) = 5",
            "sqrt 25 = 5",
            "(25 = 5",
            "20 ** 4 = 5",
            "20 // 4 = 5",
        ),
        *("20 / (4 - 4) = 5", "sqrt(3 - 4) = 5", "five = 5", "25", "= 5", "25 % x = 5"),
        *("20 / 4 = NaN", "20 / 4 = Infinity", "60 x 20 = 1e4", "20 / 4 = 5e0"),
        "(" * 150 + "25 % x 20" + ")" * 150 + " = 5",
    ],
)
def test_what_is_no_arithmetic_is_named(tmp_path, equation):
    assert codes(tmp_path, f"60 % x 20 = 12; {equation}") == ["E303", "E304"]  # and 5 comes from nothing


def test_a_wrong_result_and_a_figure_that_is_not_printed_are_named(tmp_path):
    assert codes(tmp_path, "60 % x 20 = 12; 25 % x 20 = 6") == ["E304", "E304"]
    assert codes(tmp_path, "60 % x 20 = 12; 5 % x 100 = 5") == ["E302"]


def test_numbers_longer_than_a_computer_counts_are_compared_to_their_last_digit(tmp_path):
    nines, zeros = "9" * 29, "0" * 400

    assert codes(tmp_path / "a", f"60 % x 20 = 12; 20 / 4 = 5; 2 / 3 = 0.{nines}") == ["E304"]
    assert codes(tmp_path / "b", f"60 % x 20 = 12.{zeros}; 20 / 4 = 5") == []
    assert codes(tmp_path / "c", "percentage x n", f"60.{zeros} %; 25.{zeros} %; 20; 20") == []
    assert codes(tmp_path / "d", "percentage x n", f"60.{zeros}1 %; 25.{zeros} %; 20; 20") == ["E304"]
