"""One LSTM cell in numba: a step forwards and backwards, for the rows that are active at it.

Gates stand in the order of Keras: input, forget, candidate, output. Loops are over rows of plain
arrays, so that the compiler makes vector code of them. No flag is set that lets it assume that
there are no NaN or that sums may be reordered: NaN go through, and the same input gives the same
bits.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import float32, int32
from numba.extending import intrinsic

from embedinspect.training.lstm.compiling import compiled, inlined

ONE, TWO, HALF = np.float32(1), np.float32(2), np.float32(0.5)
LOG2_E = np.float32(1.4426950408889634)
# ln 2 in two parts, of which the first has so few digits that its multiples are exact.
LN2_HIGH, LN2_LOW = np.float32(0.693145751953125), np.float32(1.4286068203094172e-06)
# Adding and subtracting it rounds a float32 to a whole number.
ROUNDING = np.float32(12582912.0)
LARGEST = np.float32(88.0)
# (exp(x) - 1 - x) / x^2 for |x| <= ln 2 / 2, and (tanh(x) / x - 1) / x^2 in x^2 for |x| <= 0.64:
# polynomials through Chebyshev nodes, relative errors of 1.1e-8 and 2.5e-8.
EXP = tuple(map(np.float32, (0.5, 0.16666573, 0.041666456, 0.008363777, 0.0013934545)))
TANH = tuple(map(np.float32, (-0.33333328, 0.13332678, -0.053837016, 0.020931425, -0.006001802)))
SMALL = np.float32(0.64)


@intrinsic
def _power_of_two(typing: Any, exponent: Any) -> Any:
    """Return the float32 2^exponent, for a whole number from -126 to 127."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        whole = ir.IntType(32)
        biased = builder.add(arguments[0], ir.Constant(whole, 127))
        return builder.bitcast(builder.shl(biased, ir.Constant(whole, 23)), ir.FloatType())

    return float32(int32), codegen


@inlined()
def _exp(x: Any) -> Any:
    """Return exp(x) as float32; beyond ±88 that of ±88."""
    x = min(max(x, -LARGEST), LARGEST)
    whole = (x * LOG2_E + ROUNDING) - ROUNDING
    rest = (x - whole * LN2_HIGH) - whole * LN2_LOW
    curve = EXP[0] + rest * (EXP[1] + rest * (EXP[2] + rest * (EXP[3] + rest * EXP[4])))
    return (ONE + rest + rest * rest * curve) * _power_of_two(int32(whole))


@inlined()
def _tanh(x: Any) -> Any:
    square = x * x
    curve = TANH[0] + square * (
        TANH[1] + square * (TANH[2] + square * (TANH[3] + square * TANH[4]))
    )
    near = x + x * square * curve
    far = ONE - TWO / (_exp(TWO * abs(x)) + ONE)
    return near if abs(x) < SMALL else (far if x > 0 else -far)


@compiled
def sigmoids(values: Any) -> None:
    """Put the sigmoid of each number in its place; NaN stay."""
    for i in range(len(values)):
        x = values[i]
        y = ONE / (ONE + _exp(-x))
        values[i] = y if x == x else x


@compiled
def tanhs(values: Any) -> None:
    """Put the hyperbolic tangent of each number in its place; NaN stay."""
    for i in range(len(values)):
        x = values[i]
        y = _tanh(x)
        values[i] = y if x == x else x


@compiled
def _combine(gates: Any, before: Any, after: Any) -> None:
    """Write the cell's state after a step: what it keeps, and what comes in."""
    units = len(before)
    entry, kept, candidate = gates[:units], gates[units : 2 * units], gates[2 * units : 3 * units]
    for j in range(units):
        after[j] = kept[j] * before[j] + entry[j] * candidate[j]


@compiled
def _multiply(first: Any, second: Any, result: Any) -> None:
    for j in range(len(first)):
        result[j] = first[j] * second[j]


@compiled
def forward(gates: Any, before: Any, after: Any, curve: Any, output: Any) -> None:
    """Make of the gates' sums the gates, and write the cell's state and output after the step.

    Args:
        gates: 4 x units sums; the gates' values when it returns.
        before: the cell's state before the step.
        after: its state after it.
        curve: the hyperbolic tangent of `after`, which the way back needs, too.
        output: what the cell gives.
    """
    units = len(before)
    sigmoids(gates[: 2 * units])
    tanhs(gates[2 * units : 3 * units])
    sigmoids(gates[3 * units : 4 * units])
    _combine(gates, before, after)
    curve[:] = after
    tanhs(curve)
    _multiply(gates[3 * units : 4 * units], curve, output)


@compiled
def backward(gates: Any, before: Any, curve: Any, of_output: Any, of_state: Any) -> None:
    """Make of the gates the gradients of their sums, and carry the state's gradient back.

    Args:
        gates: from `forward`; the gradients when it returns.
        before: the cell's state before the step; `curve` as in `forward`.
        of_output: the loss's gradient by the cell's output.
        of_state: that by the state after the step; by the state before it when it returns.
    """
    units = len(before)
    # Loops over few arrays, as the compiler leaves loops over many as they are.
    leaving = gates[3 * units : 4 * units]
    for j in range(units):
        of_state[j] += of_output[j] * leaving[j] * (ONE - curve[j] * curve[j])
    for j in range(units):
        leaving[j] = of_output[j] * curve[j] * leaving[j] * (ONE - leaving[j])
    entry, candidate = gates[:units], gates[2 * units : 3 * units]
    for j in range(units):
        i, g = entry[j], candidate[j]
        entry[j] = of_state[j] * g * i * (ONE - i)
        candidate[j] = of_state[j] * i * (ONE - g * g)
    kept = gates[units : 2 * units]
    for j in range(units):
        f, by_state = kept[j], of_state[j]
        kept[j] = by_state * before[j] * f * (ONE - f)
        of_state[j] = by_state * f
