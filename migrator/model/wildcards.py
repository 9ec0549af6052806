"""The pattern language of IAM conditions, IAM actions and Fargate selectors: `*` any text, `?` one character."""


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
