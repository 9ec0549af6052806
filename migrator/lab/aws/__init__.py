"""The AWS of the practice fleet: one loopback HTTP port that answers for every account.

Here belong what AWS does (EKS, eks-auth, CloudTrail, the guards around IAM and STS) and the wire it speaks, driven by
botocore's service models. What a Kubernetes control plane does belongs beside this folder: it is reached through
`ports.ControlPlane` only. Faults, worlds and files that tell clients where the port is do not belong here either.
"""
