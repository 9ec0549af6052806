"""`batch:` of the fleet file: what it means, what is refused and how, and that its page tells every default."""

from dataclasses import asdict
from pathlib import Path

import pytest

from migrator.documents.errors import DocumentError
from migrator.model.batch import BatchPolicy, Budget, Limits
from migrator.model.windows import Window
from migrator.store.fleet_file import load_fleet

PAGE = Path(__file__).parents[3] / "docs" / "fleet.md"
MINIMAL = 'version: 1\nclusters:\n  - {alias: prod, region: eu-west-1, account: "111111111111"}\n'


def loaded(folder: Path, batch: str) -> BatchPolicy:
    path = folder / "fleet.yaml"
    path.write_text(f"{MINIMAL}batch: {batch}\n", encoding="utf-8")
    return load_fleet(path).batch


def test_unless_given(tmp_path: Path) -> None:
    assert loaded(tmp_path, "{}") == BatchPolicy()
    (tmp_path / "fleet.yaml").write_text(MINIMAL, encoding="utf-8")
    assert load_fleet(tmp_path / "fleet.yaml").batch == BatchPolicy()


def test_all_of_it(tmp_path: Path) -> None:
    policy = loaded(
        tmp_path,
        """
  limits: {services: 8, per_cluster: 3, per_role: 2, api_rate: 2.5}
  windows: ["Mon-Thu 22:00-04:00 Europe/Berlin", "Sat 00:00-24:00 Asia/Tokyo"]
  budget: {failures: 5, share: 0.5, within: 3600}
  breaker: 4
  canary: 0
  soak: 600
  longest: 900
  metrics: out/migrate.prom
  notify: https://hooks.example.com:8443/a/b?c=d
""",
    )

    assert policy == BatchPolicy(
        limits=Limits(services=8, per_cluster=3, per_role=2, api_rate=2.5),
        windows=(Window.parse("Mon-Thu 22:00-04:00 Europe/Berlin"), Window.parse("Sat 00:00-24:00 Asia/Tokyo")),
        budget=Budget(failures=5, share=0.5, within=3600),
        breaker=4,
        canary=0,
        soak=600,
        longest=900,
        metrics=tmp_path / "out" / "migrate.prom",
        notify="https://hooks.example.com:8443/a/b?c=d",
    )


def test_some_of_a_part_leaves_the_rest(tmp_path: Path) -> None:
    policy = loaded(tmp_path, "{limits: {services: 8}, budget: {share: 1}}")

    assert (policy.limits, policy.budget) == (Limits(services=8), Budget(share=1))


def test_an_absolute_path_stays(tmp_path: Path) -> None:
    assert loaded(tmp_path, "{metrics: /var/lib/node/migrate.prom}").metrics == Path("/var/lib/node/migrate.prom")


URL = "not an http or https URL that can be posted to; write it like https://hooks.example.com/migrate"


@pytest.mark.parametrize(
    ("batch", "says"),
    [
        pytest.param("{window: []}", 'batch.window: unknown field; did you mean "windows"?', id="[typo]"),
        pytest.param("{limits: {service: 1}}", 'limits.service: unknown field; did you mean "services"?', id="[inner]"),
        pytest.param("{budget: {failure: 1}}", 'budget.failure: unknown field; did you mean "failures"?', id="[other]"),
        pytest.param("3", "batch: 3 is not a map", id="[no map]"),
        pytest.param("{limits: {services: 0}}", "batch.limits.services: 0 is less than 1", id="[services]"),
        pytest.param("{limits: {services: 2.0}}", "batch.limits.services: 2.0 is not a whole number", id="[fraction]"),
        pytest.param("{limits: {per_cluster: 0}}", "batch.limits.per_cluster: 0 is less than 1", id="[per cluster]"),
        pytest.param("{limits: {per_role: 101}}", "batch.limits.per_role: 101 is more than 100", id="[per role]"),
        pytest.param("{limits: {api_rate: 0.5}}", "batch.limits.api_rate: 0.5 is less than 1", id="[rate]"),
        pytest.param("{limits: {api_rate: .nan}}", "batch.limits.api_rate: NaN is not a number", id="[no number]"),
        pytest.param("{budget: {failures: 0}}", "batch.budget.failures: 0 is less than 1", id="[failures]"),
        pytest.param("{budget: {share: 0}}", "batch.budget.share: 0 is not more than 0", id="[no share]"),
        pytest.param("{budget: {share: 20}}", "batch.budget.share: 20 is more than 1", id="[percent]"),
        pytest.param("{budget: {within: 0}}", "batch.budget.within: 0 is less than 1", id="[within]"),
        pytest.param("{breaker: 0}", "batch.breaker: 0 is less than 1", id="[breaker]"),
        pytest.param("{canary: -1}", "batch.canary: -1 is less than 0", id="[canary]"),
        pytest.param("{soak: 1h}", 'batch.soak: "1h" is not a number', id="[soak]"),
        pytest.param("{longest: 0}", "batch.longest: 0 is less than 1", id="[longest]"),
        pytest.param('{metrics: ""}', 'batch.metrics: "" is too short (at least 1)', id="[no file]"),
        pytest.param('{metrics: "a\\0b"}', "batch.metrics: a path cannot hold a NUL character", id="[no path]"),
        pytest.param("{windows: Mon}", 'batch.windows: "Mon" is not a list', id="[one window]"),
        pytest.param("{notify: hooks.example.com}", f"batch.notify: {URL}", id="[no scheme]"),
        pytest.param("{notify: 'ftp://hooks.example.com/'}", f"batch.notify: {URL}", id="[scheme]"),
        pytest.param("{notify: 'https:///migrate'}", f"batch.notify: {URL}", id="[no host]"),
        pytest.param("{notify: 'https://hooks:port/'}", f"batch.notify: {URL}", id="[port]"),
        pytest.param("{notify: 'https://[::1/'}", f"batch.notify: {URL}", id="[bracket]"),
        pytest.param("{notify: 'https://hooks.example.com/a b'}", f"batch.notify: {URL}", id="[space]"),
        pytest.param('{notify: "https://hooks.example.com/a\\nb"}', f"batch.notify: {URL}", id="[line break]"),
        pytest.param("{notify: 'https://hooks.exämple.com/'}", f"batch.notify: {URL}", id="[not ASCII]"),
    ],
)
def test_what_is_refused(tmp_path: Path, batch: str, says: str) -> None:
    with pytest.raises(DocumentError) as caught:
        loaded(tmp_path, batch)

    assert str(caught.value).startswith(f"{tmp_path}/fleet.yaml:4: ")
    assert str(caught.value).endswith(says)


def test_a_wrong_window_is_named_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(DocumentError) as caught:
        loaded(tmp_path, "\n  windows:\n  - Mon 22:00-04:00 UTC\n  - Sat 22:00-04:00 Europe/Berln")

    said = 'batch.windows[1]: the time zone "Europe/Berln" is not known; did you mean "Europe/Berlin"?'
    assert str(caught.value) == f"{tmp_path}/fleet.yaml:7: {said}"


def test_a_refused_url_is_not_shown(tmp_path: Path) -> None:
    with pytest.raises(DocumentError) as caught:
        loaded(tmp_path, "{notify: 'hooks.example.com/T0/SECRET'}")

    assert "SECRET" not in str(caught.value)


def test_the_page_tells_every_default_and_its_example_loads(tmp_path: Path) -> None:
    page = PAGE.read_text(encoding="utf-8").partition("Batch runs, under `batch`")[2]
    example = page.split("```yaml\n")[1].split("```")[0]
    rows = {line.split("`")[1]: line.split("|")[3].strip() for line in page.splitlines() if line.startswith("| `")}
    policy = asdict(BatchPolicy())
    limits, budget = policy.pop("limits"), policy.pop("budget")
    words = {"windows[]": "always", "metrics": "none", "notify": "none"}
    numbers = {name: value for name, value in policy.items() if name not in {"windows", "metrics", "notify"}}
    numbers |= {f"limits.{name}": value for name, value in limits.items()}
    numbers |= {f"budget.{name}": value for name, value in budget.items()}

    assert {name: text if name in words else float(text) for name, text in rows.items()} == words | numbers
    (tmp_path / "fleet.yaml").write_text(MINIMAL + example, encoding="utf-8")
    assert len(load_fleet(tmp_path / "fleet.yaml").batch.windows) == 2
