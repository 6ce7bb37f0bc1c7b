"""The product of a few rows with a matrix that stays the same: what an LSTM does at every step.

A BLAS arranges the matrix anew in each call, which for a dozen rows takes as long as the product
itself. Here it is arranged once, by `pack`, and read as it lies: in panels of 16 columns, each
panel row by row. A tile of up to 6 rows by 16 columns is summed in registers (16 numbers are two
registers of AVX2, one of AVX-512, four of NEON; 6 rows leave room for what is multiplied).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from embedinspect.formats.arrays import Array
from embedinspect.training.lstm.compiling import compiled

COLUMNS = 16
ROWS = 6


def padded_columns(columns: int) -> int:
    """Return the columns of a product, rounded up to whole panels."""
    return -(-columns // COLUMNS) * COLUMNS


def pack(matrix: Array) -> Array:
    """Return a matrix in panels, as `product` reads it, flat; missing columns are zero.

    Args:
        matrix: shape (depth, columns), float32.
    """
    depth, columns = matrix.shape
    whole = np.zeros((depth, padded_columns(columns)), np.float32)
    whole[:, :columns] = matrix
    return np.ascontiguousarray(whole.reshape(depth, -1, COLUMNS).swapaxes(0, 1)).ravel()


def _tile(rows: int) -> Any:
    """Return a function for numba: the product of so many rows with one panel."""

    @intrinsic
    def tile(
        typing: Any, a: Any, a_at: Any, a_row: Any, a_step: Any, b: Any, b_at: Any, b_step: Any,
        depth: Any, c: Any, c_at: Any, c_row: Any, adds: Any,
    ) -> Any:  # fmt: skip
        places = (a, a_at, a_row, a_step, b, b_at, b_step, depth, c, c_at, c_row, adds)
        return types.void(*places), _codegen

    def _codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        number, index = ir.FloatType(), ir.IntType(64)
        vector = ir.VectorType(number, COLUMNS)
        lanes = ir.Constant(ir.VectorType(ir.IntType(32), COLUMNS), [0] * COLUMNS)
        nothing = ir.Constant(vector, ir.Undefined)
        # In one instruction where the processor has one, in two where it has not.
        name = f"llvm.fmuladd.v{COLUMNS}f32"
        multiply_add = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(vector, [vector] * 3), name
        )

        def start(place: int, first: Any) -> Any:
            array = context.make_array(signature.args[place])(context, builder, arguments[place])
            return builder.gep(array.data, [first])

        _, _, a_row, a_step, _, _, b_step, depth, _, _, c_row, adds = arguments
        a, b, c = start(0, arguments[1]), start(4, arguments[5]), start(8, arguments[9])
        numbers = [ir.Constant(index, row) for row in range(rows)]
        a_rows = [builder.gep(a, [builder.mul(a_row, row)]) for row in numbers]
        c_rows = [
            builder.bitcast(builder.gep(c, [builder.mul(c_row, row)]), vector.as_pointer())
            for row in numbers
        ]
        sums = [cgutils.alloca_once(builder, vector) for _ in numbers]
        for total in sums:
            builder.store(ir.Constant(vector, [0.0] * COLUMNS), total)
        with builder.if_then(adds):
            for total, place in zip(sums, c_rows, strict=True):
                builder.store(builder.load(place, align=4), total)
        with cgutils.for_range(builder, depth, intp=index) as loop:
            at = builder.gep(b, [builder.mul(loop.index, b_step)])
            of_panel = builder.load(builder.bitcast(at, vector.as_pointer()), align=4)
            step = builder.mul(loop.index, a_step)
            for a_of_row, total in zip(a_rows, sums, strict=True):
                value = builder.load(builder.gep(a_of_row, [step]))
                first = builder.insert_element(nothing, value, ir.Constant(ir.IntType(32), 0))
                repeated = builder.shuffle_vector(first, nothing, lanes)
                added = builder.call(multiply_add, [repeated, of_panel, builder.load(total)])
                builder.store(added, total)
        for total, place in zip(sums, c_rows, strict=True):
            builder.store(builder.load(total), place, align=4)
        return context.get_dummy_value()

    return tile


_ONE, _TWO, _THREE, _FOUR, _FIVE, _SIX = (_tile(rows) for rows in range(1, ROWS + 1))


@compiled
def product(
    a: Any, a_at: int, a_row: int, rows: int, b: Any, depth: int, panels: int, c: Any, c_at: int,
    c_row: int,
) -> None:  # fmt: skip
    """Write the product of `rows` rows with a packed matrix.

    The number in a row and column is summed in the order of `depth`, whatever the other rows are.

    Args:
        a: flat; its rows begin at `a_at` and are `a_row` apart; `depth` numbers of each are read.
        b: from `pack`, with `panels` panels.
        c: flat; its rows begin at `c_at` and are `c_row` apart; 16 x `panels` numbers are written.
    """
    for panel in range(panels):
        column = panel * COLUMNS
        _panel(
            a, a_at, a_row, 1, rows, b, column * depth, COLUMNS, depth, c, c_at + column, c_row,
            False,
        )  # fmt: skip


@compiled
def add_outer_products(
    a: Any, a_at: int, width: int, b: Any, b_at: int, wide: int, count: int, c: Any
) -> None:
    """Add to a matrix the outer product of each row of one array with the same row of another.

    Args:
        a: flat; `count` rows of `width` numbers from `a_at` on.
        b: flat; `count` rows of `wide` numbers, whole panels, from `b_at` on.
        c: flat; the matrix, shape (width, wide).
    """
    for column in range(0, wide, COLUMNS):
        _panel(a, a_at, 1, width, width, b, b_at + column, wide, count, c, column, wide, True)


@compiled
def _panel(
    a: Any, a_at: int, a_row: int, a_step: int, rows: int, b: Any, b_at: int, b_step: int,
    depth: int, c: Any, c_at: int, c_row: int, adds: bool,
) -> None:  # fmt: skip
    """Compute 16 columns of a product, from tiles of the same height, but for one row."""
    tiles = (rows + ROWS - 1) // ROWS
    row = 0
    for tile in range(tiles):
        count = (rows - row) // (tiles - tile)
        at, to = a_at + row * a_row, c_at + row * c_row
        if count == 6:
            _SIX(a, at, a_row, a_step, b, b_at, b_step, depth, c, to, c_row, adds)
        elif count == 5:
            _FIVE(a, at, a_row, a_step, b, b_at, b_step, depth, c, to, c_row, adds)
        elif count == 4:
            _FOUR(a, at, a_row, a_step, b, b_at, b_step, depth, c, to, c_row, adds)
        elif count == 3:
            _THREE(a, at, a_row, a_step, b, b_at, b_step, depth, c, to, c_row, adds)
        elif count == 2:
            _TWO(a, at, a_row, a_step, b, b_at, b_step, depth, c, to, c_row, adds)
        else:
            _ONE(a, at, a_row, a_step, b, b_at, b_step, depth, c, to, c_row, adds)
        row += count
