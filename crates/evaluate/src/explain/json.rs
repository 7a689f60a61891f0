//! An explanation for machines.

use model::{Date, Text};
use pack::program::{Source, Value};
use serde_json::{Value as Json, json};

use super::format::decimal;
use super::tree::{Citation, ColumnNote, Explanation, Node, ReadingNote, Role, Turn, Turns, Verdict};
use crate::interpret::Provenance;

impl Explanation {
    /// Numbers are strings of exact decimals (`"2345.67"`), dates ISO strings, unknown is null.
    pub fn to_json(&self) -> Json {
        let answers: Vec<Json> = self
            .answers
            .iter()
            .map(|answer| {
                json!({
                    "role": role(answer.role), "title": text(&answer.title), "tree": node(&answer.tree),
                })
            })
            .collect();
        json!({
            "pack": { "id": self.pack.0, "version": self.pack.1 },
            "as_of": self.as_of.to_string(),
            "subject": {
                "entity": self.subject.entity,
                "label": text(&self.subject.label),
                "key": self.subject.key,
            },
            "rule": {
                "id": self.heading.id,
                "kind": self.heading.kind.map(|kind| format!("{kind:?}").to_lowercase()),
                "title": text(&self.heading.title),
                "clauses": citations(&self.heading.clauses),
            },
            "verdict": self.root().verdict.map(Verdict::as_str),
            "value": value(self.root().value.as_ref(), self.root().decimals),
            "shown": text(&self.root().shown),
            "answers": answers,
            "conflict": self.conflict.as_ref().map(|conflict| json!({
                "text": text(&conflict.text),
                "clauses": conflict.clauses.iter().map(|clauses| citations(clauses)).collect::<Vec<_>>(),
            })),
            "findings": texts(&self.findings),
            "lacks": texts(&self.lacks),
            "message": self.message.as_ref().map(text),
            "mend": self.mend.as_ref().map(text),
            "missing": self.missing.iter().map(|gap| json!({
                "kind": gap.kind.as_str(), "column": column(&gap.column), "text": text(&gap.text),
            })).collect::<Vec<_>>(),
            "readings": self.readings.iter().map(reading).collect::<Vec<_>>(),
            "turns": turns(&self.turns),
            "amount_turns": turns(&self.amount_turns),
        })
    }
}

impl Verdict {
    /// Stable name, as in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::True => "true",
            Self::False => "false",
            Self::Unknown => "unknown",
            Self::Error => "error",
        }
    }
}

fn role(role: Role) -> &'static str {
    match role {
        Role::Result => "result",
        Role::Amount => "amount",
        Role::Applies => "applies",
        Role::Exception => "exception",
        Role::Part => "part",
        Role::Met => "met",
        Role::State => "state",
        Role::Payment => "payment",
        Role::Numerator => "numerator",
        Role::Denominator => "denominator",
    }
}

fn text(text: &Text) -> Json {
    json!({ "zh": text.zh, "en": text.en })
}

fn texts(texts: &[Text]) -> Json {
    texts.iter().map(text).collect()
}

fn citations(clauses: &[Citation]) -> Json {
    clauses
        .iter()
        .map(|clause| json!({ "id": clause.id.to_string(), "summary": text(&clause.summary) }))
        .collect()
}

fn value(value: Option<&Value>, decimals: u8) -> Json {
    match value {
        None => Json::Null,
        Some(Value::Bool(value)) => json!(value),
        Some(Value::Number(number)) => json!(decimal(*number, decimals, false)),
        Some(Value::Date(date)) => json!(date.to_string()),
        Some(Value::Text(text)) => json!(text),
        Some(Value::Index(index)) => json!(index),
    }
}

fn column(note: &ColumnNote) -> Json {
    json!({ "entity": note.entity, "key": note.key, "name": note.name, "label": text(&note.label) })
}

/// Keys without content are left out, so that a large tree stays small.
fn node(node: &Node) -> Json {
    let mut json = json!({
        "id": node.id, "kind": node.kind.as_str(), "text": text(&node.text),
        "value": value(node.value.as_ref(), node.decimals), "shown": text(&node.shown),
    });
    let mut put = |key: &str, value: Option<Json>| {
        if let Some(value) = value {
            json[key] = value;
        }
    };
    put("verdict", node.verdict.map(|verdict| json!(verdict.as_str())));
    put("column", node.column.as_ref().map(column));
    put("source", node.provenance.as_ref().map(provenance));
    put("in_force", node.in_force.as_ref().map(in_force));
    put("see", node.see.map(|see| json!(see)));
    let children: Vec<Json> = node.children.iter().map(self::node).collect();
    put("children", (!children.is_empty()).then(|| json!(children)));
    json
}

fn in_force((from, source): &(Date, Source)) -> Json {
    let (kind, reference) = match source {
        Source::Official(reference) => ("official", Some(reference)),
        Source::Assumed => ("assumed", None),
        Source::Override => ("override", None),
    };
    json!({ "from": from.to_string(), "source": kind, "reference": reference })
}

fn reading(reading: &ReadingNote) -> Json {
    json!({
        "parameter": reading.parameter, "label": text(&reading.label), "word": text(&reading.word),
        "shown": reading.shown.as_ref().map(text), "in_force": reading.in_force.as_ref().map(in_force),
    })
}

fn provenance(provenance: &Provenance) -> Json {
    json!({
        "file": provenance.file, "sheet": provenance.sheet, "row": provenance.row,
        "recorded": provenance.recorded.map(|date| date.to_string()),
    })
}

fn turns(turns: &Turns) -> Json {
    let change = |turn: &Turn| {
        let changes = turn.changes.iter().map(|change| {
            json!({
                "column": column(&change.column),
                "old": value(change.old.as_ref(), change.decimals),
                "new": value(Some(&change.new), change.decimals),
                "old_shown": text(&change.old_shown),
                "new_shown": text(&change.new_shown),
            })
        });
        Json::from(changes.collect::<Vec<_>>())
    };
    match turns {
        Turns::NotAsked => Json::Null,
        Turns::Found(found) => json!({ "found": found.iter().map(change).collect::<Vec<_>>() }),
        Turns::None { exhaustive } => json!({ "found": [], "exhaustive": exhaustive }),
    }
}
