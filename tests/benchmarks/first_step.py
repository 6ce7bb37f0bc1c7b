"""Run `train imdb` until its first training step, then leave: for timing as a whole process.

python first_step.py imdb.npz OUT [--mask-zero]
"""

import os
import sys

from embedinspect.__main__ import console
from embedinspect.output import progress

progress._lines = lambda *_: lambda _: os._exit(0)
sys.argv = ["embedinspect", "train", "imdb", "--data", sys.argv[1], "--out", *sys.argv[2:]]
console()
