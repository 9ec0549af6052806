"""Sets of (cluster, namespace, ServiceAccount) as few lists of values as may be, none of which admits anybody else.

The values of one condition key are alternatives, and keys are joined by and: a statement with several values in two
keys lets in every pair of them. So a statement may only stand for a set that is such a product, a box.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import permutations

Box = tuple[tuple[str, ...], ...]  # by place: the values it may have, sorted


def boxes(cells: Iterable[tuple[str, ...]], weight: Callable[[Box], int]) -> list[Box]:
    """Boxes that hold these cells, each in exactly one, and nothing else: the lightest of what folding comes to.

    The same cells give the same boxes, whatever order they come in.
    """
    single = {tuple((value,) for value in cell) for cell in cells}
    places = len(next(iter(single), ()))
    made = [_folded(single, order) for order in permutations(range(places))]
    return min(made, key=lambda found: (sum(map(weight, found)), found))


def _folded(found: Iterable[Box], order: Iterable[int]) -> list[Box]:
    """Place by place: boxes that differ in that place only become one."""
    for place in order:
        alike: dict[Box, set[str]] = defaultdict(set)
        for box in found:
            alike[box[:place] + box[place + 1 :]].update(box[place])
        found = [(*rest[:place], tuple(sorted(values)), *rest[place:]) for rest, values in alike.items()]
    return sorted(found)
