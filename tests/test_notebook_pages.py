import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

import mesoevidence as me
from mesoevidence import notebooks


def page(*cells):
    return notebooks.page(nbformat.v4.new_notebook(cells=list(cells)), "00-question")


def shown(*outputs, **metadata):
    cell = new_code_cell("x", outputs=list(outputs), metadata=metadata)
    (found,) = page(cell).cells
    return "".join(found.shown)


def test_the_first_heading_and_the_notice_stand_once():
    found = page(
        new_markdown_cell("# Is it so?\n\n**Is it?** We look.\n\nMore."), new_markdown_cell(f"> {me.NOTICE}")
    )

    assert found.title == "Is it so?"
    assert "<strong>Is it?</strong> We look." in found.question
    assert [cell.source for cell in found.cells] == ["**Is it?** We look.\n\nMore."]


def test_a_notebook_without_a_heading_is_called_by_its_name():
    assert page(new_markdown_cell("no heading")).title == "00-question"


def test_links_from_notebook_to_notebook_lead_from_page_to_page():
    (cell,) = page(new_markdown_cell("see [there](01-there.ipynb) and [out](https://example.org)")).cells

    assert 'href="01-there.html"' in cell.shown[0]
    assert 'href="https://example.org"' in cell.shown[0]


def test_what_is_absent_is_an_empty_cell_and_a_table_has_no_style_of_its_own():
    sheet = "<style scoped>\n td {color: red}\n</style>\n"
    table = f'{sheet}<table border="1" class="dataframe"><td>&lt;NA&gt;</td></table>'

    text = shown(new_output("display_data", {"text/html": table}))

    assert '<table class="dataframe"><td></td></table>' in text
    assert "style" not in text


def test_an_empty_head_of_a_table_is_no_head():
    text = shown(new_output("display_data", {"text/html": "<table><tr><th></th><th>n</th></tr></table>"}))

    assert "<tr><td></td><th>n</th></tr>" in text


def test_a_picture_has_the_words_of_its_cell_and_the_width_it_was_drawn_for():
    picture = new_output("display_data", {"image/png": "iVBO\nRw0="}, metadata={"image/png": {"width": 640}})

    text = shown(picture, alt='bars of "so"')

    begun = '<figure tabindex="0"><img alt="bars of &#34;so&#34;" width="640" src="data:image/png;base64,'
    assert text.startswith(begun)
    assert "iVBORw0=" in text


def test_printed_text_and_raw_html_of_markdown_are_escaped():
    assert "&lt;b&gt;" in shown(new_output("stream", name="stdout", text="<b>"))
    (cell,) = page(new_markdown_cell("a <script>b</script>")).cells
    assert "<script>" not in cell.shown[0]
