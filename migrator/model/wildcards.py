"""The pattern language of IAM conditions, IAM actions and Fargate selectors: `*` any text, `?` one character."""

from functools import lru_cache


def has_wildcard(pattern: str) -> bool:
    """Whether the pattern can match more than itself."""
    return "*" in pattern or "?" in pattern


def matches(pattern: str, text: str) -> bool:
    """Whether the whole of `text` fits; the time grows with the product of both lengths, never faster."""
    at, seen, star, kept = 0, 0, -1, 0
    while seen < len(text):
        if at < len(pattern) and pattern[at] == "*":
            star, kept = at, seen
            at += 1
        elif at < len(pattern) and pattern[at] in {"?", text[seen]}:
            at, seen = at + 1, seen + 1
        elif star >= 0:
            kept += 1
            at, seen = star + 1, kept
        else:
            return False
    return not pattern[at:].strip("*")


@lru_cache(maxsize=4096)
def overlaps(one: str, other: str, without: str = "") -> bool:
    """Whether some text fits both patterns; the time grows with the product of both lengths, never faster.

    Args:
        one: a pattern.
        other: a pattern.
        without: characters that no star of the other one stands for.
    """
    if _differ_at_once(one, other):
        return False
    seen, open_ = {(0, 0)}, [(0, 0)]
    while open_:
        a, b = open_.pop()
        if (a, b) == (len(one), len(other)):
            return True
        barred = other[b : b + 1] == "*" and one[a : a + 1] in {*without}
        new = set(_steps(one[a : a + 1], other[b : b + 1], a, b)) - seen - ({(a + 1, b)} if barred else set())
        seen |= new
        open_ += new
    return False


def _differ_at_once(one: str, other: str) -> bool:
    """Most patterns differ in a letter before the first wildcard of either."""
    for a, b in zip(one, other, strict=False):
        if has_wildcard(a + b):
            return False
        if a != b:
            return True
    return False


def _steps(one: str, other: str, a: int, b: int) -> list[tuple[int, int]]:
    """Where both patterns may stand next; a star takes whatever the other has there, or nothing."""
    if "*" in (one, other):
        return [(a + 1, b)] * bool(one) + [(a, b + 1)] * bool(other)
    return [(a + 1, b + 1)] if one and other and (one == other or "?" in (one, other)) else []
