"""Paths that the fleet file names."""

from migrator.documents.yaml_file import Document, FieldPath


def path_text(document: Document, field: FieldPath, text: str) -> str:
    """The path as written in `field`.

    Raises:
        DocumentError: no file can be called so.
    """
    if "\0" in text:
        raise document.error(field, "a path cannot hold a NUL character")
    return text
