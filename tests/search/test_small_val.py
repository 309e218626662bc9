from pipeline.search.small_val import of_small_val


def test_of_40_images_it_says_how_little_they_tell_and_what_folds_cost():
    said = of_small_val({"train": [160, 160], "val": [20, 20], "test": [0, 0]})
    assert "val has 40 images" in said
    assert "from 35% to 65%" in said  # Wilson, 20 of 40
    assert "--folds 5 scores each trial on 360 images" in said
    assert "about 4.5 times as long" in said  # 5 networks on 288 images each, for one on 320


def test_of_500_images_it_says_nothing():
    assert of_small_val({"train": [4000], "val": [500], "test": [0]}) is None
