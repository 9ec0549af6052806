"""Trust documents from their short form; a document given in full passes as it is."""

import json
from typing import Any

from migrator.documents.yaml_file import FieldPath
from migrator.lab.world.index import Index, RoleUser
from migrator.lab.world.model import Json

_OPERATORS = {
    "equals": "StringEquals",
    "list": "StringEquals",
    "like": "StringLike",
    "forAnyValue": "ForAnyValue:StringEquals",
}
_SHORT = ("irsa", "podIdentity", "statements", "fill")
POD_IDENTITY_STATEMENT: Json = {
    "Sid": "AllowEksAuthToAssumeRoleForPodIdentity",
    "Effect": "Allow",
    "Principal": {"Service": "pods.eks.amazonaws.com"},
    "Action": ["sts:AssumeRole", "sts:TagSession"],
}


def trust_document(index: Index, account: str, role_arn: str, trust: Json | None, at: FieldPath) -> Any:
    """The document a role is created with; text is sent as it is.

    Raises:
        DocumentError: a cluster it names is not declared, or the document and the short form are mixed.
    """
    if trust is None:
        return _document([_for_user(index, user, account) for user in index.users.get(role_arn, ())])
    short = [key for key in _SHORT if key in trust]
    if not short and not {"Statement", "text"} & set(trust):
        raise index.document.error(at, f"is empty; give Statement, text, or one of {', '.join(_SHORT)}")
    if short and set(trust) - set(_SHORT):
        raise index.document.error((*at, short[0]), "cannot stand beside the fields of a document given in full")
    if "text" in trust:
        return _written(index, account, trust, at)
    if not short:
        return _given(index.filled(trust, account, at))
    return _from_short(index, account, trust, at)


def characters(document: Any) -> int:
    """The size that IAM's quota counts: everything but white space."""
    return len("".join(json.dumps(document, separators=(",", ":"), ensure_ascii=False).split()))


def _written(index: Index, account: str, trust: Json, at: FieldPath) -> str:
    if set(trust) != {"text"}:
        raise index.document.error((*at, "text"), "is the whole document; nothing can stand beside it")
    return str(index.filled(trust["text"], account, (*at, "text")))


def _given(trust: Json) -> Json:
    return {"Version": "2012-10-17", **trust}


def _from_short(index: Index, account: str, trust: Json, at: FieldPath) -> Json:
    statements: list[Json] = []
    for place, entry in enumerate(trust.get("irsa", ())):
        statements.append(_for_entry(index, account, entry, (*at, "irsa", place)))
    if trust.get("podIdentity"):
        statements.append(POD_IDENTITY_STATEMENT)
    statements.extend(index.filled(trust.get("statements", []), account, (*at, "statements")))
    document = _document(statements)
    if "fill" in trust:
        if not trust.get("irsa"):
            raise index.document.error((*at, "fill"), "needs an entry in irsa to add subjects to")
        _fill(document, trust["fill"])
    return document


def _document(statements: list[Json]) -> Json:
    if not statements:
        nobody = {"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
        statements = [nobody]
    return {"Version": "2012-10-17", "Statement": statements}


def _for_user(index: Index, user: RoleUser, account: str) -> Json:
    subject = f"system:serviceaccount:{user.namespace}:{user.service_account}"
    provider = index.provider_arn(account, user.cluster.host)
    return _statement(provider, "StringEquals", subject, audience=True)


def _for_entry(index: Index, account: str, entry: Json, at: FieldPath) -> Json:
    host = index.cluster(entry["cluster"], (*at, "cluster")).host
    names = entry["serviceAccount"]
    style = entry.get("style", "equals")
    subjects = [
        f"system:serviceaccount:{entry['namespace']}:{name}" for name in ([names] if isinstance(names, str) else names)
    ]
    as_list = style in {"list", "forAnyValue"} or len(subjects) > 1
    subject = subjects if as_list else subjects[0]
    provider = index.provider_arn(account, host)
    return _statement(provider, _OPERATORS[style], subject, audience=entry.get("audience", True))


def _statement(provider: str, operator: str, subject: str | list[str], *, audience: bool) -> Json:
    host = provider.partition(":oidc-provider/")[2]
    condition: Json = {operator: {f"{host}:sub": subject}}
    if audience:
        condition.setdefault("StringEquals", {})[f"{host}:aud"] = "sts.amazonaws.com"
    return {
        "Effect": "Allow",
        "Principal": {"Federated": provider},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": condition,
    }


def _fill(document: Json, wanted: int) -> None:
    """Adds retired subjects to the first statement until the document is at least that long."""
    operator, keys = next(iter(document["Statement"][0]["Condition"].items()))
    key = next(name for name in keys if name.endswith(":sub"))
    given = keys[key]
    subjects = [given] if isinstance(given, str) else list(given)
    document["Statement"][0]["Condition"][operator][key] = subjects
    while characters(document) < wanted:
        subjects.append(f"system:serviceaccount:retired-{len(subjects):02d}:worker")
