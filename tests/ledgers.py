"""Small ledgers written as text, for tests: one topic, one study, one claim and their references."""

import json
from itertools import product
from pathlib import Path

import mesoevidence as me

TOPIC = """\
id: tea
label: Tea
populations: {adults: {label: Adults}}
interventions: {green-tea: {label: Green tea}, water: {label: Water}}
outcomes:
  awake: {label: Awake or not, type: dichotomous, better: higher, importance: critical}
  reaction-time: {label: Reaction time, type: continuous, unit: ms, better: lower, importance: important}
"""
STUDY = """\
id: smith-2001
reports: [smith2001]
design: rct
read: abstract
population: [adults]
arms:
  tea: {intervention: green-tea, n: 20}
  water: {intervention: water, n: 20}
results:
  - id: evening
    outcome: awake
    values:
      tea: {events: 12, n: 20}
      water: {events: 5, n: 20}
    from: {ref: smith2001, at: abstract, method: reported, figures: "12 of 20 v 5 of 20"}
"""
CLAIM = """\
id: tea-keeps-awake
claim: Green tea keeps adults awake
kind: benefit
asserts: increase
pico: {population: adults, intervention: green-tea, comparator: water, outcome: awake}
appearances:
  - {source: magazine2020, at: "paragraph 2", wording: certain, size: large, words: "keeps you wide awake"}
evidence:
  - {study: smith-2001, direction: supports, directness: direct}
verdict: {judgement: overstated, why: "one small trial", by: mesoevidence, on: 2026-01-31}
"""
SYNTHESIS = """\
id: tea-v-water
pico: {population: adults, intervention: green-tea, comparator: water, outcome: awake}
include:
  - {study: smith-2001, result: evening, intervention: [tea], comparator: [water]}
analysis: {measure: RR, method: REML, test: knha, fixed_on: 2026-01-31}
"""
REFERENCES = """\
@article{smith2001, author = {Smith, Ann and Jones, Bo}, title = {Tea and sleep},
  journal = {J Tea},
  year = {2001}, volume = {3}, pages = {1--9}, doi = {10.1000/tea.1},
  x-status = {none}, x-status-on = {2026-01-31}}
@online{magazine2020, title = {Ten facts about tea}, url = {https://example.org/tea}, urldate = {2026-01-31},
  x-status = {none}, x-status-on = {2026-01-31}}
"""
FILES = {
    "evidence/topics/tea.yaml": TOPIC,
    "evidence/studies/smith-2001.yaml": STUDY,
    "evidence/claims/tea-keeps-awake.yaml": CLAIM,
    "evidence/syntheses/tea-v-water.yaml": SYNTHESIS,
    "references.bib": REFERENCES,
}


def write(folder: Path, changes: dict[str, str | None] | None = None) -> Path:
    """Write the small ledger with some files changed, added or (None) left out; return its folder."""
    for path, text in {**FILES, **(changes or {})}.items():
        if text is not None:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
    return folder


def evidence(folder: Path, changes: dict[str, str | None] | None = None) -> "me.Evidence":
    """Return the small ledger loaded."""
    return me.load(write(folder, changes))


BREAKOUTS = (
    "",
    '">',
    "'>",
    "</title>",
    "</style>",
    "</script>",
    "-->",
    "]]>",
    "</textarea>",
    "</td></table>",
)
VECTORS = (
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<svg onload=alert(1)>",
    "<iframe src=//a.example>",
    "<a href=javascript:alert(1)>x</a>", "<base href=//a.example>", "<meta http-equiv=refresh content=0>",
    "<link rel=stylesheet href=//a.example>", "<style>*{display:none}</style>",
    "<form action=//a.example><input>",
    "<object data=//a.example>", '" onmouseover="alert(1)', "' autofocus onfocus='alert(1)", "{{ 7 * 7 }}",
    "{% raw %}", "<details open ontoggle=alert(1)>", "&lt;script&gt;alert(1)&lt;/script&gt;", "<!--",
    "javascript:alert(1)", "<math><mi xlink:href=javascript:alert(1)>",
)  # fmt: skip
HOSTILE = tuple(f"{first}{second}" for first, second in product(BREAKOUTS, VECTORS))


def hostile(texts: tuple[str, ...] = HOSTILE) -> dict[str, str | None]:
    """Return the changes that make a claim of each hostile text, and plant the first in all other records."""
    files: dict[str, str | None] = {}
    rows = []
    for at, text in enumerate(texts):
        said, short = json.dumps(text), json.dumps(text[:60])  # YAML reads the double-quoted text of JSON
        claim = CLAIM.replace("tea-keeps-awake", f"hostile-{at}").replace(
            "Green tea keeps adults awake", said
        )
        claim = claim.replace('"paragraph 2"', said).replace('"keeps you wide awake"', short)
        claim = claim.replace('"one small trial"', said)
        files[f"evidence/claims/hostile-{at}.yaml"] = f"{claim}note: {said}\n"
        quoted = text.replace('"', '""')
        rows.append(f'magazine2020,"{quoted}",hostile-{at}\n')
    said = json.dumps(texts[0])
    study = STUDY.replace("at: abstract", f'at: {said}, via: "javascript:alert(1)"')
    study += f"flags: [{{code: W329, what: {said}, why: {said}}}]\nregimen: {said}\nnote: {said}\n"
    files["evidence/studies/smith-2001.yaml"] = study + f"not_seen: [{said}]\ninterests: {said}\n"
    files["evidence/syntheses/tea-v-water.yaml"] = SYNTHESIS + f"label: {said}\nnote: {said}\n"
    topic = TOPIC.replace("label: Tea\n", f"label: {said}\n").replace("Awake or not", said)
    files["evidence/topics/tea.yaml"] = topic.replace("Green tea", said)
    files["references.bib"] = REFERENCES.replace(
        "Ten facts about tea", "<script>alert(1)</script><img src=x>"
    )
    odd = "../../escape,paragraph 3,hostile-0\n<script>,<img src=x>,hostile-0\n"
    files["evidence/coverage.csv"] = f"article,locator,claims\n{''.join(rows)}{odd}"
    return files
