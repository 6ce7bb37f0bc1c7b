"""The classic IMDB recipe in PyTorch, as quick as it gets there: reviews of similar length in a
batch, packed, so that no padding is computed, or padded to the longest of the batch and read at
their last token. A rival of `train --mask-zero`.

Prints one line of JSON; the seconds are those of 25,000 reviews, also where it trains on fewer.

python rival_torch.py imdb.npz SEED EPOCHS REVIEWS packed|padded
"""

import json
import resource
import sys
import time

import numpy as np
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence

path, seed, epochs, count = sys.argv[1], *map(int, sys.argv[2:5])
PACKED = sys.argv[5] == "packed"
torch.manual_seed(seed)
random = np.random.default_rng(seed)
BATCH, POOL, WORDS, LONGEST = 64, 16, 5000, 500

with np.load(path, allow_pickle=True) as data:  # a file that whoever measures trusts
    parts = []
    for part in ("train", "test"):
        ids = [[1] + [i + 3 if i + 3 < WORDS else 2 for i in r] for r in data[f"x_{part}"]]
        reviews = [torch.tensor(review[-LONGEST:]) for review in ids]
        parts.append((reviews, torch.tensor(data[f"y_{part}"], dtype=torch.float32)))


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, self.lstm = nn.Embedding(WORDS, 32), nn.LSTM(32, 100, batch_first=True)
        self.dense = nn.Linear(100, 1)

    def forward(self, reviews):
        lengths = torch.tensor([len(review) for review in reviews])
        vectors = self.embedding(pad_sequence(reviews, batch_first=True))
        if not PACKED:
            outputs, _ = self.lstm(vectors)
            return self.dense(outputs[torch.arange(len(reviews)), lengths - 1])[:, 0]
        packed = pack_padded_sequence(vectors, lengths, batch_first=True, enforce_sorted=False)
        _, (last, _) = self.lstm(packed)
        return self.dense(last[0])[:, 0]


def batches(reviews, shuffled):
    order = random.permutation(len(reviews)) if shuffled else np.arange(len(reviews))
    found = []
    for start in range(0, len(order), BATCH * POOL):
        pool = sorted(order[start : start + BATCH * POOL], key=lambda n: len(reviews[n]))
        found += [pool[first : first + BATCH] for first in range(0, len(pool), BATCH)]
    return [found[n] for n in random.permutation(len(found))] if shuffled else found


model = Classifier()
optimizer = torch.optim.Adam(model.parameters(), lr=0.001, eps=1e-7)
loss_of = nn.BCEWithLogitsLoss()
(reviews, labels), (test, test_labels) = parts
chosen = torch.from_numpy(random.permutation(len(reviews))[:count])
reviews, labels = [reviews[n] for n in chosen], labels[chosen]
share = len(reviews) / 25_000
seconds = []
for _ in range(epochs):
    start = time.perf_counter()
    for batch in batches(reviews, True):
        optimizer.zero_grad()
        loss_of(model([reviews[n] for n in batch]), labels[batch]).backward()
        optimizer.step()
    seconds.append(round((time.perf_counter() - start) / share, 2))
start = time.perf_counter()
with torch.no_grad():
    right = sum(
        int(((model([test[n] for n in batch]) > 0) == (test_labels[batch] > 0.5)).sum())
        for batch in batches(test, False)
    )
evaluation = round(time.perf_counter() - start, 2)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
result = {"seconds": seconds, "accuracy": round(right / len(test), 4), "peak_mib": round(peak)}
print(json.dumps({**result, "evaluation": evaluation}))
