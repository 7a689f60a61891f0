//! Reads what a pack declares before any rule: the pack itself, code lists, entities, parameters, clauses.

use model::{ClauseId, Text};

use crate::compiler::Compiler;
use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::program::{Clause, Code, CodeList, PartId, Span, Type, Value};
use crate::surface::{Scalar, Table, Word};
use crate::types::parse_type;

impl Compiler<'_> {
    pub fn declare_lists(&mut self, tables: &[Table<'_>]) {
        for table in tables {
            let Some(id) = self.identifier(table) else { continue };
            let label = table.require("label", table.bilingual("label")).unwrap_or_default();
            let mut codes: Vec<Code> = Vec::new();
            for item in table.tables("codes", "code") {
                let code = item.require("code", item.word("code"));
                let zh = item.require("zh", item.word("zh"));
                let en = item.require("en", item.word("en"));
                let aliases = item.words("aliases").into_iter().map(|word| word.text).collect();
                item.finish();
                let (Some(code), Some(zh), Some(en)) = (code, zh, en) else { continue };
                if codes.iter().any(|known| known.code == code.text) {
                    self.report(Diagnostic::new(
                        "duplicate-name",
                        code.span,
                        format!("code `{}` stands twice in list `{}`", code.text, id.text),
                    ));
                    continue;
                }
                codes.push(Code { code: code.text, label: Text { zh: zh.text, en: en.text }, aliases });
            }
            if codes.is_empty() {
                self.report(Diagnostic::new(
                    "missing-key",
                    table.span,
                    format!("list `{}` has no codes", id.text),
                ));
            }
            table.finish();
            if let Some(known) = self.program.lists.iter().find(|list| list.id == id.text) {
                self.report(duplicate("list", &id, known.span));
                continue;
            }
            self.program.lists.push(CodeList { id: id.text, label, codes, span: table.span });
        }
    }

    /// The `id` of a declaration, checked for shape.
    pub fn identifier(&mut self, table: &Table<'_>) -> Option<Word> {
        let word = table.require("id", table.word("id"))?;
        self.check_identifier(&word).then_some(word)
    }

    /// Whether a declared name has the shape of one; says so if not.
    pub fn check_identifier(&mut self, word: &Word) -> bool {
        let plain = word.text.starts_with(|letter: char| letter.is_ascii_lowercase())
            && word.text.chars().all(|letter| {
                letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_' || letter == '-'
            });
        // Columns of the compiler's own begin with an underscore, those of the engine have two within: a name that
        // looked like one of them could take its place.
        let own = word.text.starts_with('_') || word.text.ends_with('_') || word.text.contains("__");
        let (message, hint) = if own {
            let bare: Vec<&str> = word.text.split('_').filter(|part| !part.is_empty()).collect();
            (
                format!("`{}` may be mistaken for a column that the program makes itself", word.text),
                format!("single underscores stand between words: `{}`", bare.join("_")),
            )
        } else if plain {
            return true;
        } else {
            (
                format!("`{}` is not an identifier", word.text),
                "lower-case letters, digits and underscores, a letter first".to_owned(),
            )
        };
        self.report(Diagnostic::new("bad-identifier", word.span, message).hint(hint));
        false
    }

    pub fn read_type(&mut self, word: &Word) -> Option<Type> {
        match parse_type(&word.text, &self.program.lists) {
            Ok(ty) => Some(ty),
            Err(message) => {
                let hint = if message.contains("code list") {
                    let name = word.text.trim_start_matches("code(").trim_end_matches(')');
                    did_you_mean(name, self.program.lists.iter().map(|list| list.id.as_str()))
                } else {
                    Some(
                        did_you_mean(
                            &word.text,
                            ["bool", "count", "money", "rate", "date", "text", "index"],
                        )
                        .unwrap_or_else(|| {
                            "types are bool, count, money, rate, quantity(unit, decimals), date, code(list), text and index"
                                .to_owned()
                        }),
                    )
                };
                self.report(Diagnostic::new("bad-type", word.span, message).hint_opt(hint));
                None
            }
        }
    }

    /// One of a few words.
    pub fn choice<T: Copy>(&mut self, table: &Table<'_>, key: &str, choices: &[(&str, T)]) -> Option<T> {
        let word = table.word(key)?;
        let found = choices.iter().find(|(name, _)| *name == word.text).map(|(_, value)| *value);
        if found.is_none() {
            let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
            self.report(
                Diagnostic::new(
                    "bad-choice",
                    word.span,
                    format!("`{}` is not a value of `{key}`", word.text),
                )
                .hint_opt(Some(
                    did_you_mean(&word.text, names.iter().copied())
                        .unwrap_or_else(|| format!("it takes {}", crate::surface::list_words(&names))),
                )),
            );
        }
        found
    }

    /// A plain value of the given type.
    pub fn read_value(&mut self, table: &Table<'_>, key: &str, ty: &Type) -> Option<Value> {
        let Some((scalar, span)) = table.scalar(key) else {
            if table.has(key) {
                self.report(Diagnostic::new(
                    "wrong-type",
                    table.span_of(key),
                    format!("`{key}` is not a value of type {}", self.type_name(ty)),
                ));
            } else {
                let _: Option<()> = table.require(key, None);
            }
            return None;
        };
        self.value_of(&scalar, ty, span)
    }

    pub fn value_of(&mut self, scalar: &Scalar, ty: &Type, span: Span) -> Option<Value> {
        let value = match (scalar, ty) {
            (Scalar::Bool(flag), Type::Bool) => Some(Value::Bool(*flag)),
            (Scalar::Date(date), Type::Date) => Some(Value::Date(*date)),
            (Scalar::Text(text), Type::Text) => Some(Value::Text(text.clone())),
            (Scalar::Text(text), Type::Code(list)) => {
                let known = &self.program.lists[list.index()];
                if known.codes.iter().any(|code| code.code == *text) {
                    Some(Value::Text(text.clone()))
                } else {
                    let hint = did_you_mean(text, known.codes.iter().map(|code| code.code.as_str()));
                    let message = format!("`{text}` is not a code of `{}`", known.id);
                    self.report(Diagnostic::new("unknown-code", span, message).hint_opt(hint));
                    return None;
                }
            }
            (Scalar::Number(number), Type::Number(ty)) => {
                if let Some(value) = number.scaled(ty.decimals) {
                    Some(Value::Number(value))
                } else {
                    self.report(Diagnostic::new(
                        "decimals-lost",
                        span,
                        format!(
                            "`{}` has more decimals than {}",
                            crate::surface::print_decimal(*number),
                            self.type_name(&Type::Number(ty.clone()))
                        ),
                    ));
                    return None;
                }
            }
            (Scalar::Number(number), Type::Index) => {
                crate::surface::print_decimal(*number).parse().ok().map(Value::Index)
            }
            _ => None,
        };
        if value.is_none() {
            self.report(Diagnostic::new(
                "wrong-type",
                span,
                format!("this is not a value of type {}", self.type_name(ty)),
            ));
        }
        value
    }

    /// The clauses that `cite` names; of a part, its clause.
    pub fn citations(&mut self, table: &Table<'_>) -> Vec<ClauseId> {
        self.citations_in_parts(table).0
    }

    /// The clauses that `cite` names, each once, and the parts of clauses among them: `7.1/2`.
    pub fn citations_in_parts(&mut self, table: &Table<'_>) -> (Vec<ClauseId>, Vec<PartId>) {
        let (mut clauses, mut parts) = (Vec::new(), Vec::new());
        for word in table.words("cite") {
            let (clause, part) = match word.text.split_once('/') {
                Some((clause, part)) => (clause, Some(part)),
                None => (word.text.as_str(), None),
            };
            let Some(id) = self.cited_clause(clause, &word) else { continue };
            if let Some(part) = part {
                parts.extend(self.cited_part(&id, part, &word));
            }
            if !clauses.contains(&id) {
                clauses.push(id);
            }
        }
        (clauses, parts)
    }

    fn cited_clause(&mut self, text: &str, word: &Word) -> Option<ClauseId> {
        let Ok(id) = text.parse::<ClauseId>() else {
            self.report(
                Diagnostic::new("unknown-clause", word.span, format!("`{text}` is not a clause id"))
                    .hint("write it like `7.1` or `X2.3`: numbers with dots, after capital letters in an annex; a part of a clause like `7.1/2`"),
            );
            return None;
        };
        if self.program.clauses.iter().any(|clause| clause.id == id) {
            return Some(id);
        }
        let names: Vec<String> = self.program.clauses.iter().map(|clause| clause.id.to_string()).collect();
        self.report(
            Diagnostic::new("unknown-clause", word.span, format!("there is no clause `{text}`"))
                .hint_opt(did_you_mean(text, names.iter().map(String::as_str))),
        );
        None
    }

    /// What people read for the units of the pack. A pack laid over another may say it otherwise.
    pub fn declare_units(&mut self, tables: &[Table<'_>]) {
        for table in tables {
            let id = self.identifier(table);
            let label = table.require("label", table.bilingual("label"));
            table.finish();
            if let (Some(id), Some(label)) = (id, label) {
                self.program.units.insert(id.text, label);
            }
        }
    }

    pub fn declare_clauses(&mut self, tables: &[Table<'_>]) {
        const KINDS: &[&str] = &[
            "benefit",
            "standard",
            "measure",
            "check",
            "fund",
            "programme",
            "duty",
            "flow",
            "register",
            "asset",
            "open",
            "principle",
            "outside",
        ];
        for table in tables {
            let id = table.require("id", table.word("id"));
            let kinds: Vec<(&str, &str)> = KINDS.iter().map(|kind| (*kind, *kind)).collect();
            let kind = table.has("kind").then(|| self.choice(table, "kind", &kinds)).flatten();
            let kind = table.require("kind", kind);
            let summary = table.require("summary", table.bilingual("summary"));
            let reason = table.bilingual("reason");
            table.finish();
            let (Some(id), Some(kind), Some(summary)) = (id, kind, summary) else { continue };
            let Ok(parsed) = id.text.parse::<ClauseId>() else {
                self.report(
                    Diagnostic::new("unknown-clause", id.span, format!("`{}` is not a clause id", id.text))
                        .hint("write it like `7.1` or `X2.3`"),
                );
                continue;
            };
            if let Some(known) = self.program.clauses.iter().find(|clause| clause.id == parsed) {
                let place = known.span;
                self.report(duplicate("clause", &id, place));
                continue;
            }
            if matches!(kind, "principle" | "outside") && reason.is_none() {
                self.report(Diagnostic::new(
                    "missing-key",
                    table.span,
                    format!("clause `{}` is {kind}: say why in `reason`", id.text),
                ));
            }
            self.program.clauses.push(Clause {
                id: parsed,
                kind: kind.to_owned(),
                summary,
                reason,
                span: table.span,
            });
        }
    }
}

pub fn duplicate(what: &str, id: &Word, first: Span) -> Diagnostic {
    Diagnostic::new("duplicate-name", id.span, format!("{what} `{}` is declared twice", id.text))
        .label("declared again here")
        .also(first, "first declared here")
}
