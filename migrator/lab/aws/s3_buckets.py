"""S3's list of buckets in pages, with their regions, and its word that one is in another region: moto has neither."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from moto.s3.models import s3_backends

from migrator.lab.aws.models import partition_of
from migrator.lab.aws.wire import HttpAnswer

if TYPE_CHECKING:
    from migrator.lab.aws.moto_backend import MotoBackend
    from migrator.lab.aws.pipeline import Handler
    from migrator.lab.aws.wire import Request

_PAGE = 10_000
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>'


class S3Buckets:
    """Two operations over moto's buckets."""

    def __init__(self, moto: MotoBackend) -> None:
        self._moto = moto

    def handlers(self) -> dict[str, Handler]:
        """The operations served here."""
        return {"ListBuckets": self.list, "GetBucketPolicy": self.policy}

    def list(self, request: Request) -> HttpAnswer:
        """The account's buckets by name; asked with a parameter, S3 tells each one's region and goes on by a token."""
        asked = dict(request.http.query_pairs())
        size = int(asked.get("max-buckets", _PAGE))
        after = asked.get("continuation-token", "")
        names = [name for name in sorted(self._buckets(request)) if name > after]
        rows = "".join(self._row(self._buckets(request)[name], told="max-buckets" in asked) for name in names[:size])
        more = f"<ContinuationToken>{names[size - 1]}</ContinuationToken>" if len(names) > size else ""
        body = f"<ListAllMyBucketsResult><Buckets>{rows}</Buckets>{more}</ListAllMyBucketsResult>"
        return _answer(200, body)

    def policy(self, request: Request) -> HttpAnswer:
        """The bucket's policy, asked for in its own region; elsewhere the region is all that is told."""
        bucket = self._buckets(request).get(request.path_params["Bucket"])
        if bucket is None or bucket.region_name == request.region:
            return self._moto.forward(request)
        says = "The bucket you are attempting to access must be addressed using the specified endpoint."
        body = f"<Error><Code>PermanentRedirect</Code><Message>{says}</Message><Bucket>{bucket.name}</Bucket></Error>"
        answer = _answer(301, body)
        return HttpAnswer(301, {**answer.headers, "x-amz-bucket-region": bucket.region_name}, answer.body)

    def _buckets(self, request: Request) -> dict[str, Any]:
        with self._moto.lock("s3"):
            return dict(s3_backends[request.account][partition_of(request.region)].buckets)

    def _row(self, bucket: Any, *, told: bool) -> str:
        made = bucket.creation_date.strftime("%Y-%m-%dT%H:%M:%SZ")
        region = f"<BucketRegion>{bucket.region_name}</BucketRegion>" if told else ""
        return f"<Bucket><Name>{escape(bucket.name)}</Name><CreationDate>{made}</CreationDate>{region}</Bucket>"


def _answer(status: int, body: str) -> HttpAnswer:
    return HttpAnswer(status, {"content-type": "application/xml"}, (_HEAD + body).encode())
