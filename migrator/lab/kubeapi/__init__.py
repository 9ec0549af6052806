"""A Kubernetes API server in pure Python, for practice and for tests.

Here belongs what a real kube-apiserver does, plus the three controllers without which an API server
feels broken: garbage collection of owned objects, namespace cleanup, and the default ServiceAccount.
Not here: workload controllers, nodes, webhooks and the EKS add-ons. Those are clients of this API.
"""

from migrator.lab.kubeapi.server import ApiServer
from migrator.lab.kubeapi.tokens import User

__all__ = ["ApiServer", "User"]
