"""Labels beside their points: none hides another, and each stands at its own point."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedinspect.plots.labels import SIDES, Rectangle, Wanted, place

BOUNDS = Rectangle(0, 0, 60, 20)


def cell(x: float, y: float, width: float = 4, **settings: bool) -> Wanted:
    return Wanted(Rectangle(x, y, x + 1, y + 1), width, 1, **settings)


@st.composite
def wanted(draw, numbers):
    x, y = draw(numbers(0, 59)), draw(numbers(0, 19))
    width, height = draw(numbers(1, 15)), draw(numbers(1, 2))
    return Wanted(Rectangle(x, y, x + 1, y + 1), width, height, draw(st.booleans()))


def whole(low, high):
    return st.integers(low, high)


def real(low, high):
    return st.floats(low, high, width=16)


@pytest.mark.parametrize("numbers", [whole, real], ids=["cells", "pixels"])
@given(data=st.data())
def test_no_label_hides_another_or_the_point_of_another(numbers, data):
    labels = data.draw(st.lists(wanted(numbers), max_size=25))
    gap = data.draw(st.sampled_from([(0, 0), (1, 0), (2, 0.5)]))
    places = place(labels, BOUNDS, gap=gap, whole=numbers is whole)
    assert len(places) == len(labels)
    pairs = [(label, spot) for label, spot in zip(labels, places, strict=True) if spot is not None]
    for label, spot in pairs:
        assert spot.within(BOUNDS)
        assert not spot.overlaps(label.mark)
        assert (spot.right - spot.left, spot.bottom - spot.top) == pytest.approx(
            (label.width, label.height)
        )
        apart = max(
            spot.left - label.mark.right,
            label.mark.left - spot.right,
            spot.top - label.mark.bottom,
            label.mark.top - spot.bottom,
        )
        assert apart == pytest.approx(0)  # it touches its own point
        if numbers is whole:
            assert spot.left == int(spot.left)
            assert spot.top == int(spot.top)
    for (first, spot), (second, other) in combinations(pairs, 2):
        assert not spot.overlaps(other, gap)
        around = (0, 0) if first.mark == second.mark else gap
        assert not spot.overlaps(second.mark, around)
        assert not other.overlaps(first.mark, around)


def test_the_most_wanted_label_has_its_best_place():
    assert place([cell(5, 5), cell(5, 5)], BOUNDS)[0] == Rectangle(6, 5, 10, 6)


def test_a_label_at_an_edge_turns_inward():
    assert place([cell(59, 0)], BOUNDS) == [Rectangle(55, 0, 59, 1)]
    assert place([cell(1, 5, 59)], BOUNDS) == [None]
    assert place([cell(30, 5, 56)], BOUNDS, whole=True) == [Rectangle(2, 4, 58, 5)]


def test_a_label_without_room_leaves_it_to_the_next():
    labels = [cell(10, 10, 9), cell(15, 10, 30), cell(30, 10, 3)]
    assert [spot is not None for spot in place(labels, BOUNDS)] == [True, False, True]


def test_labels_keep_their_distance():
    labels = [cell(10, 10), cell(15, 10)]
    assert None not in place(labels, BOUNDS, gap=(0, 0), sides=["right"])
    assert place(labels, BOUNDS, gap=(1, 0), sides=["right"])[1] is None


def test_a_label_does_not_stand_on_the_point_of_another():
    labels = [cell(10, 10), cell(6, 10)]  # to its right, the second would end on the first's point
    assert place(labels, BOUNDS) == [Rectangle(11, 10, 15, 11), Rectangle(2, 10, 6, 11)]


def test_a_label_hides_as_little_as_can_be():
    def hides(spot: Rectangle) -> float:
        return 0.5 if spot.left > 5 else 0.1

    assert place([cell(5, 5)], BOUNDS, hides=hides, most_hidden=1) == [Rectangle(1, 5, 5, 6)]
    assert place([cell(5, 5)], BOUNDS, hides=hides, most_hidden=0.05) == [None]
    assert place([cell(5, 5, needed=True)], BOUNDS, hides=hides) == [Rectangle(1, 5, 5, 6)]


def test_two_labels_may_share_a_mark():
    places = place([cell(10, 10), cell(10, 10)], BOUNDS, gap=(1, 0), sides=["right", "left"])
    assert places == [Rectangle(11, 10, 15, 11), Rectangle(6, 10, 10, 11)]


def test_a_needed_label_takes_another_side_where_the_best_are_taken():
    labels = [cell(5, 10, 6), cell(13, 10, 6), cell(12, 10, 3, needed=True)]
    places = place(labels, BOUNDS, sides=["right", "left"])
    assert places[2] == Rectangle(11, 9, 14, 10)


def test_all_sides_are_tried():
    blocked = [cell(10, 10, 3) for _ in range(4)]
    places = place(blocked, BOUNDS)
    assert places == [
        Rectangle(11, 10, 14, 11),
        Rectangle(7, 10, 10, 11),
        Rectangle(9, 9, 12, 10),
        Rectangle(9, 11, 12, 12),
    ]
    assert len(SIDES) == 4


def test_a_label_leaves_free_the_point_of_one_that_is_needed_later():
    """The first would stand on the second's point, which then had no label."""
    first, needed = cell(10, 5, width=4), cell(13, 5, width=4, needed=True)
    places = place([first, needed], BOUNDS)
    assert places[1] == Rectangle(14, 5, 18, 6)
    assert places[0] is not None
    assert not places[0].overlaps(needed.mark)
