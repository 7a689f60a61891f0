"""Expressions: from text to a tree of nodes.

The grammar is the SQL scalar subset of the document, and nothing else. Nodes say nothing about types.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction


class SyntaxFault(Exception):
    """An expression that the grammar does not know."""


@dataclass(frozen=True)
class Literal:
    """A number (with its decimals as written), a text, a truth value, or NULL."""

    value: object
    decimals: int = 0


@dataclass(frozen=True)
class DateLiteral:
    text: str


@dataclass(frozen=True)
class Name:
    """A name with its qualifiers, `("household", "village", "poor")`."""

    parts: tuple


@dataclass(frozen=True)
class Entry:
    """One entry of a table over a list, `param.deductible[level]`."""

    table: Name
    key: object


@dataclass(frozen=True)
class Unary:
    op: str
    operand: object


@dataclass(frozen=True)
class Binary:
    op: str
    left: object
    right: object


@dataclass(frozen=True)
class Between:
    operand: object
    low: object
    high: object


@dataclass(frozen=True)
class In:
    operand: object
    items: tuple


@dataclass(frozen=True)
class IsNull:
    operand: object


@dataclass(frozen=True)
class Case:
    subject: object
    whens: tuple
    default: object


@dataclass(frozen=True)
class Window:
    partition: tuple
    order: tuple  # of (expression, descending)
    frame: str  # "all", "before" (1 PRECEDING) or "through" (CURRENT ROW)


@dataclass(frozen=True)
class Call:
    function: str
    arguments: tuple
    filter: object = None
    window: Window | None = None


TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+(?:\.\d+)?)
    |(?P<text>'(?:[^']|'')*')
    |(?P<word>[A-Za-z_][A-Za-z_0-9]*)
    |(?P<op><>|<=|>=|!=|[-+*/=<>(),.\[\]]))""",
    re.VERBOSE,
)

KEYWORDS = {
    "AND", "OR", "NOT", "BETWEEN", "IN", "IS", "NULL", "CASE", "WHEN", "THEN", "ELSE", "END", "TRUE",
    "FALSE", "DATE", "FILTER", "WHERE", "OVER", "PARTITION", "BY", "ORDER", "ROWS", "UNBOUNDED",
    "PRECEDING", "CURRENT", "ROW", "ASC", "DESC",
}  # fmt: skip


def parse(text: str):
    """Reads one expression; the whole text must be used up."""
    parser = Parser(text)
    node = parser.disjunction()
    if parser.kind() != "end":
        raise SyntaxFault(f"`{parser.peek()}` is left over in `{text}`")
    return node


class Parser:
    """Recursive descent, one method for each level of precedence."""

    def __init__(self, text: str):
        self.text = text
        self.tokens = []
        at = 0
        while text[at:].strip():
            match = TOKEN.match(text, at)
            if not match:
                raise SyntaxFault(f"`{text[at:]}` cannot be read in `{text}`")
            kind, word = match.lastgroup, match.group(match.lastgroup)
            # Keywords are read in capitals only where a name of the same spelling is likely.
            if (
                kind == "word"
                and word.upper() in KEYWORDS
                and (word.isupper() or word.upper() not in {"DATE", "ROW", "ROWS"})
            ):
                kind, word = "key", word.upper()
            self.tokens.append((kind, word))
            at = match.end()
        self.tokens.append(("end", ""))
        self.at = 0

    def kind(self) -> str:
        return self.tokens[self.at][0]

    def peek(self, ahead: int = 0) -> str:
        kind, word = self.tokens[min(self.at + ahead, len(self.tokens) - 1)]
        return word if kind in ("key", "op") else ""

    def take(self, word: str) -> bool:
        if self.peek() == word:
            self.at += 1
            return True
        return False

    def need(self, *words: str) -> None:
        for word in words:
            if not self.take(word):
                raise SyntaxFault(f"`{word}` is missing before `{self.tokens[self.at][1]}` in `{self.text}`")

    def disjunction(self):
        node = self.conjunction()
        while self.take("OR"):
            node = Binary("OR", node, self.conjunction())
        return node

    def conjunction(self):
        node = self.negation()
        while self.take("AND"):
            node = Binary("AND", node, self.negation())
        return node

    def negation(self):
        if self.take("NOT"):
            return Unary("NOT", self.negation())
        return self.comparison()

    def comparison(self):
        node = self.sum()
        while True:
            word = self.peek()
            if word in ("=", "<>", "!=", "<", "<=", ">", ">="):
                self.at += 1
                node = Binary("<>" if word == "!=" else word, node, self.sum())
            elif word == "IS":
                self.at += 1
                negated = self.take("NOT")
                self.need("NULL")
                node = Unary("NOT", IsNull(node)) if negated else IsNull(node)
            elif word in ("BETWEEN", "IN") or word == "NOT" and self.peek(1) in ("BETWEEN", "IN"):
                negated = self.take("NOT")
                inner = self.between(node) if self.take("BETWEEN") else self.membership(node)
                node = Unary("NOT", inner) if negated else inner
            else:
                return node

    def between(self, operand):
        low = self.sum()
        self.need("AND")
        return Between(operand, low, self.sum())

    def membership(self, operand):
        self.need("IN", "(")
        items = [self.disjunction()]
        while self.take(","):
            items.append(self.disjunction())
        self.need(")")
        return In(operand, tuple(items))

    def sum(self):
        node = self.product()
        while self.peek() in ("+", "-"):
            op = self.peek()
            self.at += 1
            node = Binary(op, node, self.product())
        return node

    def product(self):
        node = self.sign()
        while self.peek() in ("*", "/"):
            op = self.peek()
            self.at += 1
            node = Binary(op, node, self.sign())
        return node

    def sign(self):
        if self.take("-"):
            return Unary("-", self.sign())
        if self.take("+"):
            return self.sign()
        return self.primary()

    def primary(self):
        kind, word = self.tokens[self.at]
        self.at += 1
        if kind == "number":
            return Literal(Fraction(word), len(word.partition(".")[2]))
        if kind == "text":
            return Literal(word[1:-1].replace("''", "'"))
        if kind == "word":
            return self.name_or_call(word)
        if kind == "key" and word in ("TRUE", "FALSE"):
            return Literal(word == "TRUE")
        if kind == "key" and word == "NULL":
            return Literal(None)
        if kind == "key" and word == "DATE":
            literal_kind, literal = self.tokens[self.at]
            if literal_kind != "text":
                return self.name_or_call("date")
            self.at += 1
            return DateLiteral(literal[1:-1])
        if kind == "key" and word == "CASE":
            return self.case()
        if (kind, word) == ("op", "("):
            node = self.disjunction()
            self.need(")")
            return node
        raise SyntaxFault(f"`{word}` is not expected in `{self.text}`")

    def case(self):
        subject = None if self.peek() == "WHEN" else self.disjunction()
        whens = []
        while self.take("WHEN"):
            condition = self.disjunction()
            self.need("THEN")
            whens.append((condition, self.disjunction()))
        default = self.disjunction() if self.take("ELSE") else Literal(None)
        self.need("END")
        return Case(subject, tuple(whens), default)

    def name_or_call(self, word: str):
        if self.take("("):
            return self.call(word.lower())
        parts = [word]
        while self.take("."):
            parts.append(self.tokens[self.at][1])
            self.at += 1
        name = Name(tuple(parts))
        if self.take("["):
            key = self.disjunction()
            self.need("]")
            return Entry(name, key)
        return name

    def call(self, function: str):
        arguments = []
        if self.take("*"):
            self.need(")")
        elif not self.take(")"):
            arguments.append(self.disjunction())
            while self.take(","):
                arguments.append(self.disjunction())
            self.need(")")
        condition = window = None
        if self.take("FILTER"):
            self.need("(", "WHERE")
            condition = self.disjunction()
            self.need(")")
        if self.take("OVER"):
            window = self.window()
        return Call(function, tuple(arguments), condition, window)

    def window(self) -> Window:
        self.need("(", "PARTITION", "BY")
        partition = [self.disjunction()]
        while self.take(","):
            partition.append(self.disjunction())
        order = []
        if self.take("ORDER"):
            self.need("BY")
            order.append(self.order_item())
            while self.take(","):
                order.append(self.order_item())
        frame = "all"
        if self.tokens[self.at][1].upper() == "ROWS":
            self.at += 1
            frame = self.frame()
        self.need(")")
        return Window(tuple(partition), tuple(order), frame)

    def order_item(self):
        node = self.disjunction()
        descending = self.take("DESC")
        if not descending:
            self.take("ASC")
        return node, descending

    def frame(self) -> str:
        self.need("BETWEEN", "UNBOUNDED", "PRECEDING", "AND")
        if self.take("CURRENT"):
            self.at += 1
            return "through"
        if self.tokens[self.at] != ("number", "1"):
            raise SyntaxFault(f"only `1 PRECEDING` or `CURRENT ROW` ends a frame in `{self.text}`")
        self.at += 1
        self.need("PRECEDING")
        return "before"


def children(node):
    """The parts of a node, for walks over whole expressions."""
    if isinstance(node, (Unary, IsNull)):
        return [node.operand]
    if isinstance(node, Binary):
        return [node.left, node.right]
    if isinstance(node, Between):
        return [node.operand, node.low, node.high]
    if isinstance(node, In):
        return [node.operand, *node.items]
    if isinstance(node, Entry):
        return [node.table, node.key]
    if isinstance(node, Case):
        parts = [part for when in node.whens for part in when]
        return [part for part in (node.subject, *parts, node.default) if part is not None]
    if isinstance(node, Call):
        parts = list(node.arguments)
        if node.filter is not None:
            parts.append(node.filter)
        if node.window is not None:
            parts += [*node.window.partition, *(item for item, _ in node.window.order)]
        return parts
    return []
