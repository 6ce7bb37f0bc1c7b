"""All steps of an LSTM over a share of a batch, forwards and backwards, in numba."""

from __future__ import annotations

from typing import Any

import numpy as np

from embedinspect.training.lstm import cell
from embedinspect.training.lstm.compiling import compiled
from embedinspect.training.lstm.product import add_outer_products, product

ZERO, ONE = np.float32(0), np.float32(1)
# Gradients below this are taken for zero, before their products leave the range in which processors
# are quick. It is 1e-30 of a loss that is about 1, and far back in a sequence gradients get there.
NEGLIGIBLE = np.float32(1e-30)
# What is left of a review's gradient when it is added to the others': its square is a millionth.
LITTLE = np.float32(1e-3)
AT_ONCE = 96  # positions whose part of the weights' gradient is added while they are in the cache


@compiled
def forward(
    table: Any, ids: Any, kernel: Any, counts: Any, places: Any, sums: Any, has_padding: bool,
    entering: Any, states: Any, gates: Any, curves: Any, width: int, units: int, wide: int,
) -> None:  # fmt: skip
    """Run the steps of a share.

    All arrays but the first are flat. A row of `entering` is what the cell's product takes in: a
    vector, the output of the step before, and a 1 for the bias.

    Args:
        table: the embedding matrix, shape (rows, width).
        ids: the id at each position of the share, in the order of the steps.
        kernel: input, recurrent kernel and bias, packed.
        counts: active rows at each step, and all rows at the end.
        places: first row of each step in `entering` and `states`, and that of the final states.
        sums: first row of each step in `gates` and `curves`.
        has_padding: whether reviews join from the state of the first row, else from zeros.
        entering, states, gates, curves: written to; rows of width + units + 1, of units, of wide
            and of units numbers.
    """
    depth = width + units + 1
    panels = wide // 16
    first = places[0]
    for row in range(counts[0]):
        entering[(first + row) * depth + width : (first + row) * depth + width + units] = ZERO
        states[(first + row) * units : (first + row + 1) * units] = ZERO
    position = 0
    for step in range(len(counts) - 1):
        rows, at, after, to = counts[step], places[step], places[step + 1], sums[step]
        for row in range(rows):
            start = (at + row) * depth
            entering[start : start + width] = table[ids[position]]
            entering[start + width + units] = ONE
            position += 1
        product(entering, at * depth, depth, rows, kernel, depth, panels, gates, to * wide, wide)
        for row in range(rows):
            output = (after + row) * depth + width
            cell.forward(
                gates[(to + row) * wide : (to + row + 1) * wide],
                states[(at + row) * units : (at + row + 1) * units],
                states[(after + row) * units : (after + row + 1) * units],
                curves[(to + row) * units : (to + row + 1) * units],
                entering[output : output + units],
            )
        for row in range(rows, counts[step + 1]):
            output, state = (after + row) * depth + width, (after + row) * units
            if has_padding:
                shared = after * depth + width
                entering[output : output + units] = entering[shared : shared + units]
                states[state : state + units] = states[after * units : (after + 1) * units]
            else:
                entering[output : output + units] = ZERO
                states[state : state + units] = ZERO


@compiled
def backward(
    kernel: Any, counts: Any, places: Any, has_padding: bool, entering: Any, states: Any,
    gates: Any, curves: Any, of_output: Any, of_state: Any, of_vectors: Any, of_padding: Any,
    of_kernel: Any, width: int, units: int, wide: int,
) -> int:  # fmt: skip
    """Run the steps of a share backwards.

    Where a review joined the row of padding, its gradient flows on through that row's steps. All
    such gradients could go on as one sum: the weights would not notice. But Keras's Adam squares
    the gradient of each position of each review before it sums them, also those of the padding. So
    a review goes on by itself until little is left of its gradient, and is added to the others only
    then.

    Args:
        kernel: input and recurrent kernel, transposed and packed.
        of_output: the loss's gradient by the final outputs, rows of units; used up.
        of_state: zeros, rows of units; used up.
        of_vectors: the gradient by the vector at each position, written to; rows of width.
        of_padding: room for more gradients by the vector of padding, rows of width.
        of_kernel: zeros, as many rows as a row of `entering` is long; the gradient by input,
            recurrent kernel and bias is added to it.
        entering, states, curves: from `forward`; `gates` too, which is used up.

    Returns:
        How many rows of `of_padding` are filled.
    """
    all_rows = counts[-1]
    panels = (width + units + 15) // 16
    taken = panels * 16
    product_rows = np.empty(all_rows * taken, np.float32)
    of_sums = np.empty(all_rows * wide, np.float32)
    of_sums[:] = ZERO
    at_first = np.zeros(all_rows, np.float32)
    filled, active = 0, all_rows
    depth, pending = width + units + 1, 0
    for step in range(len(counts) - 2, -1, -1):
        rows, at = counts[step], places[step]
        if has_padding:
            for row in range(rows, counts[step + 1]):
                at_first[row] = _largest(of_output, of_state, row * units, units)
            while active > rows and (
                _largest(of_output, of_state, (active - 1) * units, units)
                <= LITTLE * at_first[active - 1]
            ):
                active -= 1
                _add(of_output, active * units, of_output, 0, units)
                _add(of_state, active * units, of_state, 0, units)
        else:
            active = rows
        state, curve = states[at * units : (at + 1) * units], curves[at * units : (at + 1) * units]
        for row in range(rows, active):
            own = of_sums[(row - rows) * wide : (row - rows) * wide + 4 * units]
            own[:] = gates[at * wide : at * wide + 4 * units]
            first, last = row * units, (row + 1) * units
            _backward(own, state, curve, of_output[first:last], of_state[first:last])
        for row in range(rows):
            first, last = (at + row) * units, (at + row + 1) * units
            _backward(
                gates[(at + row) * wide : (at + row) * wide + 4 * units],
                states[first:last],
                curves[first:last],
                of_output[row * units : (row + 1) * units],
                of_state[row * units : (row + 1) * units],
            )
        product(gates, at * wide, wide, rows, kernel, wide, panels, product_rows, 0, taken)
        more = active - rows
        product(of_sums, 0, wide, more, kernel, wide, panels, product_rows, rows * taken, taken)
        for row in range(active):
            start = row * taken
            if row < rows:
                to = (at + row) * width
                of_vectors[to : to + width] = product_rows[start : start + width]
            else:
                to = filled * width
                of_padding[to : to + width] = product_rows[start : start + width]
                filled += 1
                _add(of_sums, (row - rows) * wide, gates, at * wide, 4 * units)
            start += width
            of_output[row * units : (row + 1) * units] = product_rows[start : start + units]
        pending += rows
        if pending >= AT_ONCE or step == 0:
            add_outer_products(
                entering, at * depth, depth, gates, at * wide, wide, pending, of_kernel
            )
            pending = 0
    return filled


@compiled
def _backward(gates: Any, before: Any, curve: Any, of_output: Any, of_state: Any) -> None:
    cell.backward(gates, before, curve, of_output, of_state)
    _drop_negligible(gates)
    _drop_negligible(of_state)


@compiled
def _largest(of_output: Any, of_state: Any, first: int, units: int) -> Any:
    """Return the largest number of a row of both, by its size."""
    largest = ZERO
    for i in range(first, first + units):
        largest = max(largest, abs(of_output[i]), abs(of_state[i]))
    return largest


@compiled
def _add(values: Any, at: int, totals: Any, to: int, count: int) -> None:
    part, total = values[at : at + count], totals[to : to + count]
    for i in range(count):
        total[i] += part[i]


@compiled
def _drop_negligible(values: Any) -> None:
    for i in range(len(values)):
        values[i] = ZERO if abs(values[i]) < NEGLIGIBLE else values[i]
