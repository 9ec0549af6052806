"""The calls by which a world is made: what AWS refuses is told with the field of the world file."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from migrator.documents.yaml_file import FieldPath
from migrator.lab.world.errors import SeedError


def attempt(at: FieldPath, call: Callable[..., Any], **asked: Any) -> Any:
    """Makes a call without the parameters that are empty.

    Raises:
        SeedError: AWS refuses it.
    """
    given = {name: value for name, value in asked.items() if value not in (None, "", {}, [])}
    try:
        return call(**given)
    except ClientError as error:
        said = error.response.get("Error", {})
        raise SeedError(at, f"{said.get('Code')}: {said.get('Message')}") from error
    except BotoCoreError as error:
        raise SeedError(at, " ".join(str(error).split())) from error
