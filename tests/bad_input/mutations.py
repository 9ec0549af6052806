"""Valid files, damaged as editors, merges, disks and people damage them."""

from collections.abc import Callable

from hypothesis import strategies as st

Lines = list[bytes]

_VALUES = st.sampled_from(
    [
        b"null",
        b"~",
        b"true",
        b"no",
        b"0",
        b"-1",
        b"1e309",
        b".nan",
        b"0o17",
        b"2026-11-23",
        b"12:30:45",
        b"[]",
        b"{}",
        b"[[]]",
        b"{a: b}",
        b'""',
        b'"\\0"',
        b"''",
        b"!!binary aGk=",
        b"!!set {a}",
        b"!!int x",
        b"!!timestamp x",
        b"*x",
        b"&x y",
        b"|",
        b">-",
        b"<<",
        b"=",
        b"?",
        b"%YAML 9.9",
        b"9" * 5000,
        b"[" * 3000,
        b"- " * 3000,
        b"x" * 300,
        "ключ".encode(),
        "\u2028".encode(),
        "\u202e".encode(),
        b"\xef\xbb\xbf",
        b"\x1b[31m",
    ]
)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


_JUNK = st.one_of(st.binary(min_size=1, max_size=6), st.text(min_size=1, max_size=4).map(_encoded))
_LINES = st.sampled_from(
    [b"---", b"...", b"<<<<<<< HEAD", b"=======", b">>>>>>> x", b"\t", b"}", b"<<: {a: b}", b"x: y", b"- x", b"? [a]"]
)


@st.composite
def damaged(draw: st.DrawFn, content: bytes) -> bytes:
    """The bytes of a text file after one to three accidents."""
    for _ in range(draw(st.integers(1, 3))):
        content = draw(st.sampled_from(_ACCIDENTS))(draw, content)
    return content


@st.composite
def flipped(draw: st.DrawFn, content: bytes) -> bytes:
    """The bytes of a binary file after one to three accidents: bits turned over, a stretch of one value, an end."""
    for _ in range(draw(st.integers(1, 3))):
        content = draw(st.sampled_from([_flip, _blank, _truncate]))(draw, content)
    return content


def _place(draw: st.DrawFn, content: bytes | Lines) -> int:
    return draw(st.integers(0, max(len(content) - 1, 0)))


def _flip(draw: st.DrawFn, content: bytes) -> bytes:
    place = _place(draw, content)
    bit = 1 << draw(st.integers(0, 7))
    return content[:place] + bytes(byte ^ bit for byte in content[place : place + 1]) + content[place + 1 :]


def _blank(draw: st.DrawFn, content: bytes) -> bytes:
    place, length = _place(draw, content), draw(st.integers(1, 600))
    part = content[place : place + length]
    return content[:place] + bytes([draw(st.integers(0, 255))]) * len(part) + content[place + length :]


def _truncate(draw: st.DrawFn, content: bytes) -> bytes:
    return content[: _place(draw, content)]


def _insert(draw: st.DrawFn, content: bytes) -> bytes:
    place = _place(draw, content)
    return content[:place] + draw(_JUNK) + content[place:]


def _windows(_draw: st.DrawFn, content: bytes) -> bytes:
    return content.replace(b"\n", b"\r\n")


def _other_encoding(draw: st.DrawFn, content: bytes) -> bytes:
    return content.decode("utf-8", "replace").encode(
        draw(st.sampled_from(["utf-16", "utf-8-sig", "utf-7", "cp037"])), "replace"
    )


def _by_lines(change: Callable[[st.DrawFn, Lines, int], Lines]) -> Callable[[st.DrawFn, bytes], bytes]:
    def accident(draw: st.DrawFn, content: bytes) -> bytes:
        lines = content.split(b"\n")
        return b"\n".join(change(draw, lines, _place(draw, lines)))

    return accident


def _drop(_draw: st.DrawFn, lines: Lines, at: int) -> Lines:
    return lines[:at] + lines[at + 1 :]


def _double(_draw: st.DrawFn, lines: Lines, at: int) -> Lines:
    return lines[: at + 1] + lines[at:]


def _swap(draw: st.DrawFn, lines: Lines, at: int) -> Lines:
    other = _place(draw, lines)
    moved = list(lines)
    moved[at], moved[other] = moved[other], moved[at]
    return moved


def _add(draw: st.DrawFn, lines: Lines, at: int) -> Lines:
    return [*lines[:at], draw(_LINES), *lines[at:]]


def _indent(draw: st.DrawFn, lines: Lines, at: int) -> Lines:
    pad = draw(st.sampled_from([b" ", b"  ", b"\t"]))
    return [*lines[:at], pad + lines[at], *lines[at + 1 :]]


def _value(draw: st.DrawFn, lines: Lines, at: int) -> Lines:
    key, colon, _old = lines[at].partition(b": ")
    return [*lines[:at], key + (colon or b": ") + draw(_VALUES), *lines[at + 1 :]]


def _key(draw: st.DrawFn, lines: Lines, at: int) -> Lines:
    key, colon, value = lines[at].partition(b":")
    name = draw(st.sampled_from([b"x", b"7", b"true", b"null", b"<<", b"", b"a b", "é".encode(), key.strip() + b"s"]))
    indent = key[: len(key) - len(key.lstrip())]
    return [*lines[:at], indent + name + colon + value, *lines[at + 1 :]]


_ACCIDENTS = [
    _flip,
    _truncate,
    _insert,
    _windows,
    _other_encoding,
    *map(_by_lines, (_drop, _double, _swap, _add, _indent, _value, _value, _key)),
]
