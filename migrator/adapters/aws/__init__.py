"""AWS: sessions and clients, IAM roles, EKS, and the token that opens a cluster.

What it calls, and nothing else (the least IAM policy follows from this table):

    action                               by whom                    when
    sts:AssumeRole                       sessions                   an account of the fleet file names a role
    sts:GetCallerIdentity                sessions, token            always; needs no permission
    eks:ListClusters                     discovery                  fleet discover
    eks:DescribeCluster                  eks                        plan, apply
    eks:ListPodIdentityAssociations      eks                        plan, apply
    eks:DescribePodIdentityAssociation   eks                        plan, apply
    eks:CreatePodIdentityAssociation     eks                        apply
    eks:TagResource                      eks                        apply (tags given at creation)
    eks:DeletePodIdentityAssociation     eks                        way back
    eks:DescribeAddon, eks:CreateAddon   eks                        plan; apply where no agent is found
    eks:ListAddons                       eks_addons                 plan
    eks:DescribeAddonConfiguration       eks_addons                 plan
    eks:DescribeAddonVersions            eks_addons                 plan, where EKS leaves something unsaid of an add-on
    eks:UpdateAddon, eks:DescribeUpdate  eks_addons                 apply, way back of an add-on's ServiceAccount
    eks:ListFargateProfiles              eks                        plan
    eks:DescribeFargateProfile           eks                        plan
    iam:GetAccountAuthorizationDetails   permission_reading         plan: what roles may do; likewise iam:GetPolicy,
                                                                    iam:GetPolicyVersion, iam:GetRolePolicy,
                                                                    iam:ListAttachedRolePolicies, iam:ListRolePolicies
    iam:SimulatePrincipalPolicy          operator                   plan: what the operator lacks
    ec2:DescribeVpcEndpoints             endpoints                  plan
    cloudformation:DescribeStacks        stacks                     plan; likewise cloudformation:ListStackResources
    servicequotas:GetServiceQuota        quotas                     plan, for a trust policy larger than the default
    iam:GetRole                          iam                        plan, apply
    iam:ListRoles                        iam                        plan, for more than 20 roles of an account
    iam:UpdateAssumeRolePolicy           iam                        apply, way back
    iam:CreateRole, iam:TagRole          source_roles               apply, for a role of another account
    iam:GetRolePolicy                    source_roles               apply, way back, for a role of another account
    iam:PutRolePolicy                    source_roles               apply, for a role of another account
    iam:ListRolePolicies                 source_roles               way back, for a role of another account
    iam:ListAttachedRolePolicies         source_roles               way back, for a role of another account
    iam:ListInstanceProfilesForRole      source_roles               way back, for a role of another account
    iam:DeleteRolePolicy, iam:DeleteRole source_roles               way back, for a role of another account
    iam:PassRole                         EKS on our behalf          apply (iam:PassedToService pods.eks.amazonaws.com;
                                                                    of an add-on eks.amazonaws.com)
"""
