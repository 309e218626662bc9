import datetime
import re
from html.parser import HTMLParser

from pipeline.report.contents import Command, Facts, Figure, Heading, Paragraph, Section, Table
from pipeline.report.page import page_of

SCRIPT = "<script>alert('no')</script>"
NOW = datetime.datetime(2026, 1, 2, 3, 4, tzinfo=datetime.UTC)


class Page(HTMLParser):
    """What a browser makes of a page: its tags with their attributes, and its text."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


def everything(text):
    blocks = [
        Paragraph(text),
        Heading(text),
        Facts([(text, text)]),
        Table(text, [text], [[text]]),
        Figure(text, text, b"png"),
        Command(text, text),
    ]
    return [Section("all", text, blocks, [text])]


def test_whatever_a_name_says_is_text():
    page = Page(page_of(SCRIPT, everything(SCRIPT), NOW))
    assert "script" not in [tag for tag, _ in page.tags]
    # In the title, three times as heading, ten times in blocks and once as what is missing.
    assert page.text.count(SCRIPT) == 15
    assert ("img", SCRIPT) in [(tag, attributes.get("alt")) for tag, attributes in page.tags]


def test_a_page_needs_no_other_file():
    html = page_of("runs", everything("text"), NOW)
    for _, attributes in Page(html).tags:
        for name in ("src", "href"):
            assert attributes.get(name, "#").startswith(("#", "data:image/png;base64,"))
    assert not re.search(r"url\(|@import|https?://", html)


def test_a_section_without_contents_is_left_out_and_named():
    page = Page(page_of("runs", [Section("search", "Search", [], ["Search: there is none."])], NOW))
    assert "search" not in [attributes.get("id") for _, attributes in page.tags]
    assert "Search: there is none." in page.text
