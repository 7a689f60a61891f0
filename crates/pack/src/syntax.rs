//! Parses expression text with `sqlparser` and maps its places back to the file.

use sqlparser::ast::{Expr as Sql, Spanned as _};
use sqlparser::dialect::GenericDialect;
use sqlparser::keywords::Keyword;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Location, Token, Tokenizer};

use crate::diagnostic::Diagnostic;
use crate::program::Span;
use crate::surface::Word;

/// How many operators an expression may have. Each may be one level deeper (`a OR b OR c` is a tree that leans to the
/// left), and whatever walks a tree of expressions takes a stretch of the stack for each level.
const OPERATORS_MAX: usize = 128;

/// Maps line and column of an expression to its place in the file.
#[derive(Clone, Debug)]
pub struct Places {
    whole: Span,
    /// Byte offset in the file at which the text starts, if it stands there letter by letter.
    origin: Option<u32>,
    text: String,
}

impl Places {
    pub fn new(word: &Word, file_text: &str) -> Self {
        let raw = file_text.get(word.span.start as usize..word.span.end as usize).unwrap_or("");
        let origin = raw.find(word.text.as_str()).map(|at| word.span.start + at as u32);
        Self { whole: word.span, origin: origin.filter(|_| !word.text.is_empty()), text: word.text.clone() }
    }

    fn offset(&self, at: Location) -> Option<usize> {
        let mut start = 0;
        for _ in 1..at.line {
            start += self.text[start..].find('\n')? + 1;
        }
        let line = &self.text[start..];
        let column = usize::try_from(at.column).ok()?.checked_sub(1)?;
        Some(start + line.char_indices().nth(column).map_or(line.len(), |(offset, _)| offset))
    }

    fn range(&self, start: Location, end: Location) -> Span {
        if start.line == 0 || end.line == 0 {
            return self.whole;
        }
        match (self.origin, self.offset(start), self.offset(end)) {
            (Some(origin), Some(from), Some(to)) => Span {
                file: self.whole.file,
                start: origin + from as u32,
                end: origin + to.max(from + 1) as u32,
            },
            _ => self.whole,
        }
    }

    pub fn of(&self, expr: &Sql) -> Span {
        let span = expr.span();
        self.range(span.start, span.end)
    }
}

/// One scalar expression, nothing after it.
pub fn parse(word: &Word, file_text: &str) -> Result<(Sql, Places), Diagnostic> {
    let places = Places::new(word, file_text);
    let dialect = GenericDialect {};
    let syntax = |message: String| {
        let message = message.trim_start_matches("sql parser error: ").to_owned();
        let at = place_in(&message).map_or(word.span, |at| places.range(at, at));
        let message = message.split(" at Line:").next().unwrap_or("").to_owned();
        let hint = percent(&word.text);
        Diagnostic::new("syntax", at, format!("this is not an SQL expression: {}", lower_first(&message)))
            .hint_opt(hint)
    };
    let tokens = Tokenizer::new(&dialect, &word.text)
        .tokenize_with_location()
        .map_err(|error| syntax(error.to_string()))?;
    let operators = tokens.iter().filter(|token| is_operator(&token.token)).count();
    if operators > OPERATORS_MAX {
        return Err(Diagnostic::new(
            "too-long",
            word.span,
            format!("this expression has {operators} operators, and {OPERATORS_MAX} are the most that one may have"),
        )
        .hint("give parts of it names of their own with `[[variable]]`; many values of one field stand in `IN (…)`"));
    }
    let mut parser = Parser::new(&dialect).with_tokens_with_locations(tokens);
    let expr = parser.parse_expr().map_err(|error| syntax(error.to_string()))?;
    let next = parser.peek_token();
    if next.token != Token::EOF {
        return Err(Diagnostic::new(
            "syntax",
            places.range(next.span.start, next.span.end),
            format!("the expression ends before `{}`", next.token),
        )
        .hint("an expression is one SQL scalar expression, without SELECT or a semicolon"));
    }
    Ok((expr, places))
}

/// How to write the first `15%` of a text.
fn percent(text: &str) -> Option<String> {
    let (before, _) = text.split_once('%')?;
    let digits: String = before.chars().rev().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
    let number: String = digits.chars().rev().collect();
    let value: f64 = number.parse().ok()?;
    Some(format!("`{number}%` is written as the rate {}", value / 100.0))
}

fn is_operator(token: &Token) -> bool {
    match token {
        Token::Word(word) => matches!(
            word.keyword,
            Keyword::AND
                | Keyword::OR
                | Keyword::NOT
                | Keyword::IS
                | Keyword::IN
                | Keyword::BETWEEN
                | Keyword::WHEN
        ),
        Token::Comma
        | Token::LParen
        | Token::RParen
        | Token::LBracket
        | Token::RBracket
        | Token::Period
        | Token::Number(..)
        | Token::SingleQuotedString(_)
        | Token::Whitespace(_)
        | Token::EOF => false,
        _ => true,
    }
}

fn place_in(message: &str) -> Option<Location> {
    let (_, rest) = message.split_once("at Line: ")?;
    let (line, column) = rest.split_once(", Column: ")?;
    let column: String = column.chars().take_while(char::is_ascii_digit).collect();
    Some(Location { line: line.trim().parse().ok()?, column: column.parse().ok()? })
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_lowercase().collect::<String>() + letters.as_str())
}
