"""A real control plane on loopback: etcd, kube-apiserver, kube-controller-manager and EKS's own webhook, as processes.

Where the programs come from, how they are started, and what stands between them and the rest of the practice fleet
belong here; what a cluster consists of does not.
"""
