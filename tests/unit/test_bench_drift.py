"""What the bench measures drift on: readings that fit, findings where they are put, a plot that a browser takes."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

from blackstart.bench import drift_growth, drift_judge
from blackstart.bench.drift_plot import plot

INVENTORY = Path(__file__).parents[2] / "inventory"


def test_one_node_in_ten_differs_and_no_other() -> None:
    """It raises where the findings are not those that were put there."""
    found = drift_judge.measure(INVENTORY, 12, 1)
    assert (found["nodes"], found["snapshots"]) == (12, 1) and found["seconds"] > 0


def test_both_series_are_measured() -> None:
    assert drift_growth.hosts(INVENTORY, 3) > 0 and drift_growth.snapshots(INVENTORY, 100) > 0


def test_the_plot_is_a_picture_of_every_point() -> None:
    series = {"hosts": [(10, 0.1), (100, 1.0)], "snapshots": [(100, 0.01), (1000, 0.02), (10_000, 0.2)]}
    picture = ET.fromstring(plot(series))
    assert len(picture.findall("{http://www.w3.org/2000/svg}circle")) == 5
    words = [each.text for each in picture.findall("{http://www.w3.org/2000/svg}text")]
    assert {"hosts", "snapshots", "10,000", "0.01 s", "1 s"} <= set(words)
