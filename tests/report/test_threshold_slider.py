"""What the slider of the first page says."""

from crack_utils.report.threshold_slider import _best


def test_the_first_page_names_all_networks_that_share_the_best_value():
    values = {"BCE": 0.4902, "Dice": 0.4901, "focal": 0.4904, "Tversky": 0.31}
    networks = [{"title": title, "mean_iou": [value]} for title, value in values.items()]
    assert _best(networks, 0) == "BCE, Dice and focal"
