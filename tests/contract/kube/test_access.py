"""Who may do what: tokens, rules, and the questions one can ask about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.contract.kube.support import Api, config_map, eventually

if TYPE_CHECKING:
    from tests.contract.kube.support import Target

Json = dict[str, Any]
RBAC = "/apis/rbac.authorization.k8s.io/v1"


def token_of(api: Api, namespace: str, account: str = "default") -> str:
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token"
    token: str = api.ok("POST", path, {"spec": {}})["status"]["token"]
    return token


def allow(api: Api, namespace: str, account: str, rules: list[Json]) -> None:
    role = {"metadata": {"name": account}, "rules": rules}
    binding = {
        "metadata": {"name": account},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": account},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": namespace}],
    }
    api.ok("POST", f"{RBAC}/namespaces/{namespace}/roles", role)
    api.ok("POST", f"{RBAC}/namespaces/{namespace}/rolebindings", binding)


def test_unknown_token_is_401(kube_target: Target) -> None:
    answer = Api(kube_target, "no-such-token").call("GET", "/api/v1/namespaces")
    assert (answer.status, answer.body["reason"], answer.body["message"]) == (401, "Unauthorized", "Unauthorized")


def test_account_without_rules_is_403(api: Api, kube_target: Target, namespace: str) -> None:
    weak = Api(kube_target, token_of(api, namespace))
    answer = weak.call("GET", f"/api/v1/namespaces/{namespace}/pods")
    assert (answer.status, answer.body["reason"]) == (403, "Forbidden")
    assert answer.body["message"] == (
        f'pods is forbidden: User "system:serviceaccount:{namespace}:default" cannot list resource "pods" '
        f'in API group "" in the namespace "{namespace}"'
    )
    assert answer.body["details"] == {"kind": "pods"}
    answer = weak.call("GET", "/apis/apps/v1/deployments")
    assert answer.body["message"].endswith(
        'cannot list resource "deployments" in API group "apps" at the cluster scope'
    )


def test_refusal_names_the_object(api: Api, kube_target: Target, namespace: str) -> None:
    weak = Api(kube_target, token_of(api, namespace))
    answer = weak.call("GET", f"/apis/apps/v1/namespaces/{namespace}/deployments/web")
    assert answer.body["message"].startswith('deployments.apps "web" is forbidden: User ')
    assert answer.body["details"] == {"name": "web", "group": "apps", "kind": "deployments"}


def test_role_lets_in(api: Api, kube_target: Target, namespace: str, core: str) -> None:
    weak = Api(kube_target, token_of(api, namespace))
    allow(api, namespace, "default", [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list"]}])
    eventually(lambda: weak.call("GET", f"{core}/configmaps").status == 200)
    assert weak.call("POST", f"{core}/configmaps", config_map("a")).status == 403
    assert weak.call("GET", "/api/v1/configmaps").status == 403


def test_role_for_named_objects(api: Api, kube_target: Target, namespace: str, core: str) -> None:
    weak = Api(kube_target, token_of(api, namespace))
    rule = {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["mine"], "verbs": ["get"]}
    allow(api, namespace, "default", [rule])
    api.ok("POST", f"{core}/configmaps", config_map("mine"))
    eventually(lambda: weak.call("GET", f"{core}/configmaps/mine").status == 200)
    assert weak.call("GET", f"{core}/configmaps/kube-root-ca.crt").status == 403


def test_access_review(api: Api, kube_target: Target, namespace: str) -> None:
    weak = Api(kube_target, token_of(api, namespace))

    def may(caller: Api, verb: str) -> bool:
        attributes = {"namespace": namespace, "verb": verb, "resource": "pods"}
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        answer = caller.call("POST", path, {"spec": {"resourceAttributes": attributes}})
        assert answer.status == 201
        return bool(answer.body["status"]["allowed"])

    assert may(api, "create")
    assert not may(weak, "create")


def test_rules_review(api: Api, kube_target: Target, namespace: str) -> None:
    weak = Api(kube_target, token_of(api, namespace))
    allow(api, namespace, "default", [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}])

    def listed() -> bool:
        path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
        rules = weak.ok("POST", path, {"spec": {"namespace": namespace}})["status"]["resourceRules"]
        return any("configmaps" in rule["resources"] for rule in rules)

    eventually(listed)


def test_who_am_i(api: Api, kube_target: Target, namespace: str) -> None:
    weak = Api(kube_target, token_of(api, namespace))
    info = weak.ok("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {})["status"]["userInfo"]
    assert info["username"] == f"system:serviceaccount:{namespace}:default"
    assert f"system:serviceaccounts:{namespace}" in info["groups"]


def test_token_review(api: Api, namespace: str) -> None:
    path = "/apis/authentication.k8s.io/v1/tokenreviews"
    status = api.ok("POST", path, {"spec": {"token": token_of(api, namespace)}})["status"]
    assert status["authenticated"]
    assert status["user"]["username"] == f"system:serviceaccount:{namespace}:default"
    status = api.ok("POST", path, {"spec": {"token": "nonsense"}})["status"]
    assert not status.get("authenticated")


def test_token_for_another_audience_does_not_open_the_api(api: Api, kube_target: Target, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/default/token"
    token = api.ok("POST", path, {"spec": {"audiences": ["sts.amazonaws.com"]}})["status"]["token"]
    assert Api(kube_target, token).call("GET", "/api/v1/namespaces").status == 401


def test_token_dies_with_its_account(api: Api, kube_target: Target, namespace: str, core: str) -> None:
    api.ok("POST", f"{core}/serviceaccounts", {"metadata": {"name": "short"}})
    weak = Api(kube_target, token_of(api, namespace, "short"))
    assert weak.call("GET", f"{core}/pods").status == 403
    api.ok("DELETE", f"{core}/serviceaccounts/short")
    eventually(lambda: weak.call("GET", f"{core}/pods").status == 401)


def test_exec_over_a_websocket_wants_two_verbs(api: Api, kube_target: Target, namespace: str, core: str) -> None:
    weak = Api(kube_target, token_of(api, namespace))
    rule = {"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["get"]}
    allow(api, namespace, "default", [rule])
    path = f"{core}/pods/none/exec?command=true"
    eventually(lambda: "cannot get" not in weak.call("GET", path).body["message"])
    answer = weak.call("GET", path)
    assert (answer.status, answer.body["reason"]) == (403, "Forbidden")
    assert answer.body["message"] == 'pods "none" is forbidden: '
    assert answer.body["details"] == {"name": "none", "kind": "pods"}

    role = f"{RBAC}/namespaces/{namespace}/roles/default"
    assert api.patch(role, {"rules": [{**rule, "verbs": ["get", "create"]}]}).status == 200
    eventually(lambda: weak.call("GET", path).status == 404)


def test_the_issuers_document_is_for_accounts_only(api: Api, kube_target: Target, namespace: str) -> None:
    path = "/.well-known/openid-configuration"
    assert Api(kube_target, "no-such-token").call("GET", path).status == 401
    assert Api(kube_target, token_of(api, namespace)).call("GET", path).status == 200
