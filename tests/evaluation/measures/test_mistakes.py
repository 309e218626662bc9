from answers import six

from pipeline.evaluation.measures import mistakes


def test_the_sheet_shows_each_mistake_once():
    sheet = mistakes.measure(six()).figures["mistakes"]
    assert sum(bool(axes.get_images()) for axes in sheet.axes) == 2
