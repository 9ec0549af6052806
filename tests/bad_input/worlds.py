"""Broken world files of the practice fleet."""

from pathlib import Path

from migrator.model.exits import Exit
from tests.bad_input.shop import Case, Shop, edited, folder_instead, gone, overwritten, swapped

UP = ("lab", "up", "--world", "world.yaml", "--directory", "lab")


def _world(shop: Shop) -> Path:
    return shop.world


def _case(old: str, new: str, *says: str) -> Case:
    return Case(UP, ("world.yaml:", *says), swapped(old, new, _world, 1))


CASES: dict[str, Case] = {
    "[missing]": Case(UP, ("world.yaml: no such file",), gone(_world)),
    "[folder]": Case(UP, ("world.yaml: cannot be read: Is a directory",), folder_instead(_world)),
    "[name] of no world that comes along": Case(
        ("lab", "up", "--world", "fleets", "--directory", "lab"), ("fleets: no such file", "fleet")
    ),
    "[empty]": Case(UP, ("world.yaml: the file is empty",), overwritten("", _world)),
    "[binary]": Case(UP, ("world.yaml: not a text file in UTF-8",), overwritten(b"\x80" * 99, _world)),
    "[syntax]": _case("[{name: a", "[{name: a]", "not valid YAML"),
    "[documents] two": Case(UP, ("world.yaml:", "not valid YAML"), edited(lambda text: text + b"---\n" + text, _world)),
    "[version]": _case("version: 1", "version: 3", "version: 3 is not 1"),
    "[field] unknown": _case("    nodes:", "    node:", 'clusters[0].node: unknown field; did you mean "nodes"?'),
    "[account] eleven digits": _case('"111122223333"', '"11112222333"', "accounts[0].id", '"11112222333" does not'),
    "[account] not quoted": _case('"111122223333"', "111122223333", "accounts[0].id", "is not a string"),
    "[account] of a cluster, unknown": _case(
        "    name: shop-prod", "    account: nobody", 'clusters[0].account: no account is called "nobody"'
    ),
    "[role] unknown": _case("role: orders}]", "role: carts}]", 'no role of account 111122223333 is called "carts"'),
    "[role] there twice": _case(
        "      - {name: orders", "      - {name: orders}\n      - {name: orders", "accounts[0].roles[1].name", "twice"
    ),
    "[cluster] there twice": Case(
        UP,
        ('clusters[1].alias: "prod" is the alias of another cluster too',),
        edited(lambda text: text + b"  - {alias: prod}\n", _world),
    ),
    "[cluster] unknown in a trust": _case("cluster: prod,", "cluster: test,", 'no cluster is called "test"'),
    "[cluster] without a name": Case(
        UP, ('clusters[1]: missing: "name"',), edited(lambda text: text + b"  - {region: eu-west-1}\n", _world)
    ),
    "[region]": _case("region: eu-west-1", "region: Ireland", "clusters[0].region", '"Ireland"'),
    "[namespace] no name for one": _case("- name: shop\n", "- name: Shop_1\n", "namespaces[0].name", '"Shop_1"'),
    "[workload] unknown kind": _case(
        "{name: orders-api, ", "{name: orders-api, kind: Pods, ", 'workloads[0].kind: "Pods" is not one of'
    ),
    "[workload] fewer than none": _case("replicas: 2", "replicas: -2", "workloads[0].replicas: -2 is less than 0"),
    "[workload] there twice": _case(
        "workloads: [", "workloads: [{name: orders-api, serviceAccount: orders}, ", "workloads[1]", "twice"
    ),
    "[nodes] too many": _case("count: 1", "count: 100000000", "nodes[0].count: 100000000 is more than"),
    "[directory] of somebody else": Case(
        ("lab", "up", "--world", "world.yaml", "--directory", "plans"),
        ('"plans" holds other files', "give an empty or a new directory"),
        swapped("replicas: 2", "replicas: 1", _world),
        code=Exit.ERROR,
    ),
    "[directory] a file": Case(
        ("lab", "up", "--world", "world.yaml", "--directory", "fleet.yaml"),
        ('"fleet.yaml" cannot be used: ',),
        swapped("replicas: 2", "replicas: 1", _world),
        code=Exit.ERROR,
    ),
}
