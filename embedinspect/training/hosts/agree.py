"""What processes tell each other besides gradients, through the coordinator of JAX.

Messages are JSON under keys of the coordinator's store. Waiting for one takes no part in any
computation, so the others may wait for hours while process 0 evaluates.
"""

from __future__ import annotations

import json
from typing import Any

from embedinspect.errors import DataError

# Nothing that process 0 does alone takes this long; where it has died, the wait ends by itself.
_LONGEST_WAIT = 7 * 24 * 3600
_SECONDS_TO_COMPARE = 600


class Agreement:
    """The messages of one training.

    Attributes:
        process_id: the number of this process.
        processes: how many there are.
    """

    def __init__(self, process_id: int, processes: int) -> None:
        # The store has no other door; Orbax and others take this one.
        from jax._src import distributed

        self._store: Any = distributed.global_state.client
        self.process_id, self.processes = process_id, processes
        self._told = 0

    def compare(self, facts: dict[str, Any]) -> None:
        """Find out whether all processes are about to do the same.

        Args:
            facts: plain values by name, such as `--limit`; a setting goes by its option.

        Raises:
            DataError: another process has other facts; the message names the first that differs.
        """
        mine = json.loads(json.dumps(facts))
        self._set(f"facts/{self.process_id}", mine)
        for number in range(self.processes):
            theirs = self._get(f"facts/{number}", _SECONDS_TO_COMPARE)
            for name in [*mine, *theirs]:
                if mine.get(name) != theirs.get(name):
                    there, here = _in_words(theirs.get(name)), _in_words(mine.get(name))
                    raise DataError(
                        f"process {number} has {name} {there}, process {self.process_id} has "
                        f"{here}; expected the same in all"
                    )

    def tell(self, message: dict[str, Any]) -> None:
        """Tell the others something; process 0 does."""
        self._told += 1
        self._set(f"told/{self._told}", message)

    def hear(self) -> dict[str, Any]:
        """Return what process 0 tells next.

        Raises:
            DataError: it ended with an error.
        """
        self._told += 1
        message = self._get(f"told/{self._told}", _LONGEST_WAIT)
        if "error" in message:
            raise DataError(f"process 0: {message['error']}")
        return message

    def wait(self, what: str) -> None:
        """Wait until all processes have come to the same point."""
        self._store.wait_at_barrier(what, _SECONDS_TO_COMPARE * 1000)

    def _set(self, key: str, message: dict[str, Any]) -> None:
        self._store.key_value_set(f"embedinspect/{key}", json.dumps(message))

    def _get(self, key: str, seconds: int) -> dict[str, Any]:
        text = self._store.blocking_key_value_get(f"embedinspect/{key}", seconds * 1000)
        message: dict[str, Any] = json.loads(text)
        return message


def _in_words(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)
