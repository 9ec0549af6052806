"""Series as flat numbers: to be added up, read from a file and written to one."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from migrator.render.textfile.families import ALL, BUCKETS, FLEET, Family

_BOUNDS = (*(f"{bound}" for bound in BUCKETS), "+Inf")


@dataclass(frozen=True, slots=True)
class Series:
    """One series: the name it is written with, and its labels without `fleet`."""

    name: str
    labels: tuple[tuple[str, str], ...] = ()


class Numbers(dict[Series, float]):
    """The value of each series; one that is not there counts as 0."""

    def __missing__(self, _series: Series) -> float:
        return 0.0

    def add(self, family: Family, *values: str, amount: float = 1.0) -> None:
        """Adds to a counter, or to a gauge that is 0; `values` are those of the family's labels, in their order."""
        self[Series(family.name, _labels(family, values))] += amount

    def observe(self, family: Family, *values: str, seconds: float) -> None:
        """Takes one duration into a histogram."""
        labels = _labels(family, values)
        for bound in _BOUNDS:
            self[Series(f"{family.name}_bucket", (*labels, ("le", bound)))] += float(seconds <= float(bound))
        self[Series(f"{family.name}_sum", labels)] += seconds
        self[Series(f"{family.name}_count", labels)] += 1.0

    def plus(self, other: Mapping[Series, float], sign: float = 1.0) -> "Numbers":
        """The two added up, series by series; with `sign` -1, what this one has more."""
        added = Numbers(self)
        for series, value in other.items():
            added[series] += sign * value
        return added


def _labels(family: Family, values: Iterable[str]) -> tuple[tuple[str, str], ...]:
    return tuple(zip(family.labels, values, strict=True))


def metrics(numbers: Mapping[Series, float], fleet: str) -> Iterator[Metric]:
    """As the library writes them: every family, in the order of the table, those without a series too."""
    for family in ALL:
        metric = Metric(family.name.removesuffix("_total"), family.help, family.kind)
        for series in sorted((one for one in numbers if one.name in _names(family)), key=_rank):
            metric.add_sample(series.name, {FLEET: fleet, **dict(series.labels)}, numbers[series])
        yield metric


def remembered(path: Path, fleet: str) -> Numbers:
    """The counters and histograms that the file holds of this fleet; none if it is not there, or nobody can read it.

    Raises:
        OSError: it is there and cannot be opened.
    """
    try:
        text = path.read_text(encoding="utf-8")
        return Numbers(_held(text, fleet))
    except (FileNotFoundError, ValueError):  # counters that begin anew are what Prometheus expects of a lost file
        return Numbers()


def _held(text: str, fleet: str) -> Iterator[tuple[Series, float]]:
    growing = {name: family for family in ALL if family.kind != "gauge" for name in _names(family)}
    for found in text_string_to_metric_families(text):
        bounds = [sample.labels["le"] for sample in found.samples if "le" in sample.labels]
        if not set(bounds) <= set(_BOUNDS):  # of another version: the two cannot be added up
            continue
        for sample in found.samples:
            family = growing.get(sample.name)
            if family is not None and sample.labels.get(FLEET) == fleet:
                names = (*family.labels, "le") if sample.name.endswith("_bucket") else family.labels
                if set(names) | {FLEET} == sample.labels.keys():
                    yield Series(sample.name, tuple((name, sample.labels[name]) for name in names)), sample.value


def _names(family: Family) -> Collection[str]:
    """What its series are called."""
    if family.kind != "histogram":
        return (family.name,)
    return tuple(f"{family.name}_{ending}" for ending in ("bucket", "sum", "count"))


def _rank(series: Series) -> tuple[list[str], str, float]:
    """Label by label, the buckets of a histogram from the smallest, then its sum and count."""
    named = dict(series.labels)
    bound = float(named.pop("le", "inf"))
    return list(named.values()), "" if series.name.endswith("_bucket") else series.name, bound
