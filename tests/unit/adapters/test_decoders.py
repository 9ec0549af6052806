"""Decoders are built by one thread at a time: where several build them, msgspec crashes the process."""

import subprocess
import sys

import pytest

CROWD = """
import sys, threading

import msgspec

from migrator.adapters.kube.decoders import decoder
from migrator.adapters.kube.structs import MetaOnly, Page, PodObject
from migrator.adapters.kube.workload_structs import WorkloadObject

spec = {"containers": [{"name": "c", "env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "x"}}}]}]}
owner = {"apiVersion": "v1", "kind": "x", "name": "y", "uid": "z", "controller": True}
one = {"metadata": {"name": "a", "namespace": "b", "uid": "u", "ownerReferences": [owner]}, "status": {}}
body = msgspec.json.encode({"metadata": {}, "items": [{**one, "spec": {**spec, "template": {"spec": spec}}}] * 50})
kinds = [PodObject, WorkloadObject, MetaOnly]
together = threading.Barrier(8)
read = []


def work(number):
    together.wait()
    for of in kinds[number % 3:] + kinds[:number % 3]:
        for _ in range(3):
            read.append(len(decoder(Page[of]).decode(body).items))


sys.setswitchinterval(1e-6)
threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(sum(read))
"""


@pytest.mark.parametrize("turn", range(3))
def test_many_threads_may_ask_for_them_at_once(turn: int) -> None:
    ran = subprocess.run([sys.executable, "-c", CROWD], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout.strip()) == (0, str(8 * 3 * 3 * 50)), f"turn {turn}: {ran.stderr}"
