"""Kubernetes: one connection per cluster, raw JSON decoded straight into the facts, and the few writes we make.

What it asks for, and nothing else (the least RBAC follows from this table; all cluster-wide unless said otherwise):

    verb     resource                                                   when
    list     serviceaccounts, pods, nodes                               plan, apply, verify
    list     deployments, replicasets, statefulsets, daemonsets (apps)  plan, apply, verify
    list     jobs, cronjobs (batch)                                     plan, apply, verify
    get      serviceaccounts; the six workload kinds above              apply
    patch    serviceaccounts                                            apply: one annotation, out or back in
    patch    deployments, statefulsets, daemonsets                      apply: the restart stamp
    create   pods                                                       apply: dry runs only, the admission gate
    create   pods/exec (and get, which older servers ask for)           verify, when a plan has a check of its own
    get      pods/log                                                   verify, as far as it is permitted
    get      /.well-known/openid-configuration                          apply: proof of the issuer
"""
