//! Reads totals and worked cases, once every column is known.

use model::Date;

use crate::compiler::{Compiler, Definition, Pending, Timing};
use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::program::{
    Case, CaseRecord, ColumnId, ColumnKind, EntityId, Expectation, Format, Rounding, RuleId, Span, Total,
    TotalFunction, Type, Value,
};
use crate::surface::{Scalar, Table, Word};

/// Values of fields; `None` is unknown.
type Fields = Vec<(ColumnId, Option<Value>)>;

/// A total whose column is announced.
pub struct TotalDraft {
    id: String,
    title: model::Text,
    entity: EntityId,
    what: TotalWhat,
    span: Span,
}

enum TotalWhat {
    All,
    True(String),
    Sum(String),
}

impl Compiler<'_> {
    pub fn declare_total(&mut self, table: &Table<'_>) -> Option<TotalDraft> {
        let id = self.identifier(table);
        let title = table.require("title", table.bilingual("title"));
        let on = table.require("on", table.word("on"));
        let count_all = matches!(table.scalar("count"), Some((Scalar::Bool(true), _)));
        let count = if count_all { None } else { table.word("count") };
        let sum = table.word("sum");
        table.finish();
        let (id, on) = (id?, on?);
        let entity = self.entity_word(&on)?;
        let title = title?;
        let announce = |compiler: &mut Self, text: Word, ty: Option<Type>| {
            let name = format!("_total_{}", id.text);
            compiler.announce(Pending {
                entity,
                name: name.clone(),
                label: title.clone(),
                rule: RuleId(u32::MAX),
                span: text.span,
                round: Rounding::HalfUp,
                timing: Timing::AsOf,
                definition: Definition::Expression { text, ty },
            });
            name
        };
        let what = match (count_all, count, sum) {
            (true, None, None) => TotalWhat::All,
            (false, Some(text), None) => TotalWhat::True(announce(self, text, Some(Type::Bool))),
            (false, None, Some(text)) => TotalWhat::Sum(announce(self, text, None)),
            _ => {
                self.report(Diagnostic::new(
                    "missing-key",
                    table.span,
                    "a total has one of `count` and `sum`".to_owned(),
                ));
                return None;
            }
        };
        Some(TotalDraft { id: id.text, title, entity, what, span: table.span })
    }

    pub fn complete_total(&mut self, draft: TotalDraft) {
        let function = match &draft.what {
            TotalWhat::All => Some(TotalFunction::Count),
            TotalWhat::True(name) => self.known(draft.entity, name).map(TotalFunction::CountTrue),
            TotalWhat::Sum(name) => self.known(draft.entity, name).map(TotalFunction::Sum),
        };
        if self.program.totals.iter().any(|total| total.id == draft.id) {
            self.report(Diagnostic::new(
                "duplicate-name",
                draft.span,
                format!("total `{}` is declared twice", draft.id),
            ));
        }
        if let Some(function) = function {
            self.program.totals.push(Total {
                id: draft.id,
                title: draft.title,
                entity: draft.entity,
                function,
            });
        }
    }

    /// Values that worked cases leave unsaid.
    pub fn case_defaults(&mut self, entity: EntityId, table: &Table<'_>) -> Vec<(ColumnId, Option<Value>)> {
        match table.table("case_default", "case default") {
            Some(defaults) => self.given_fields(entity, &defaults, &[]).0,
            None => Vec::new(),
        }
    }

    pub fn declare_case(
        &mut self,
        table: &Table<'_>,
        defaults: &[Vec<(ColumnId, Option<Value>)>],
    ) -> Option<Case> {
        let name = table.require("name", table.word("name"));
        let why = table.word("why").map(|word| word.text);
        let cite = self.citations(table);
        let as_of = table.date("as_of").unwrap_or(self.program.info.as_of);
        let given = table.require("given", table.table("given", "case"));
        let expect = table.require("expect", table.table("expect", "case"));
        table.finish();
        let (name, given, expect) = (name?, given?, expect?);
        let mut records = Vec::new();
        let mut links = Vec::new();
        for word in given.keys() {
            let Some(entity) = self.entity_word(&word) else {
                given.know(&word.text);
                continue;
            };
            let Some(list) = given.table(&word.text, "set of records") else { continue };
            for key in list.keys() {
                let Some(record) = list.table(&key.text, "record") else { continue };
                let (fields, linked) = self.given_fields(entity, &record, &[]);
                links.extend(linked.into_iter().map(|(edge, to, span)| (records.len(), edge, to, span)));
                records.push(CaseRecord { entity, key: key.text, fields });
            }
        }
        self.fill_records(&mut records, &links, defaults);
        let expect = self.expectations(&expect, &records);
        Some(Case { name: name.text, why, as_of, cite, records, expect, span: table.span })
    }

    /// Fields of a record; edges by name come back as `(edge position, parent key)`.
    fn given_fields(
        &mut self,
        entity: EntityId,
        table: &Table<'_>,
        _known: &[ColumnId],
    ) -> (Fields, Vec<(usize, String, Span)>) {
        let mut fields = Vec::new();
        let mut links = Vec::new();
        for word in table.keys() {
            let Some((scalar, span)) = table.scalar(&word.text) else {
                self.report(Diagnostic::new(
                    "wrong-type",
                    word.span,
                    format!("`{}` is not a plain value", word.text),
                ));
                continue;
            };
            let field = self
                .known(entity, &word.text)
                .filter(|id| matches!(self.program.column(*id).kind, ColumnKind::Field(_)));
            let edge =
                self.program.edges.iter().position(|edge| edge.child == entity && edge.name == word.text);
            match (field, edge, &scalar) {
                (Some(id), _, _) => {
                    let column = self.program.column(id).clone();
                    let unknown = matches!(&scalar, Scalar::Text(text) if text == "unknown");
                    if self.program.is_computed_fact(id) {
                        self.report(
                            Diagnostic::new("derived-fact", word.span, format!("`{}` is derived", word.text))
                                .also(column.span, "declared here")
                                .hint("give the network it follows from, and put it under `expect`"),
                        );
                    } else if unknown {
                        fields.push((id, None));
                    } else if let Some(value) = self.value_of(&scalar, &column.ty, span) {
                        self.check_case_value(&column, &value, span);
                        fields.push((id, Some(value)));
                    }
                }
                (None, Some(edge), Scalar::Text(key)) => links.push((edge, key.clone(), span)),
                _ => {
                    let on = self.program.entity(entity).name.clone();
                    let names: Vec<String> = self
                        .program
                        .entity(entity)
                        .fields
                        .iter()
                        .map(|id| self.program.column(*id).name.clone())
                        .chain(
                            self.program
                                .edges
                                .iter()
                                .filter(|edge| edge.child == entity)
                                .map(|edge| edge.name.clone()),
                        )
                        .collect();
                    let computed = self.known(entity, &word.text).is_some();
                    let hint = if computed {
                        Some("it is computed: put it under `expect`".to_owned())
                    } else {
                        did_you_mean(&word.text, names.iter().map(String::as_str))
                    };
                    self.report(
                        Diagnostic::new(
                            "unknown-name",
                            word.span,
                            format!("`{on}` has no field `{}`", word.text),
                        )
                        .hint_opt(hint),
                    );
                }
            }
        }
        (fields, links)
    }

    fn check_case_value(&mut self, column: &crate::program::Column, value: &Value, span: Span) {
        if let (Some(range), Value::Number(number)) = (column.range, value)
            && !range.contains(*number)
        {
            self.report(
                Diagnostic::new("out-of-range", span, format!("`{}` cannot have this value", column.name))
                    .also(column.span, "its range is declared here"),
            );
        }
    }

    /// Adds defaults, keys, made-up required values, links and missing required parents.
    fn fill_records(
        &mut self,
        records: &mut Vec<CaseRecord>,
        links: &[(usize, usize, String, Span)],
        defaults: &[Vec<(ColumnId, Option<Value>)>],
    ) {
        for record in records.iter_mut() {
            self.fill_record(record, defaults);
        }
        for (record, edge, to, span) in links {
            let edge = self.program.edges[*edge].clone();
            let parent = records.iter().find(|other| other.entity == edge.parent && other.key == *to);
            let Some(parent) = parent else {
                let name = self.program.entity(edge.parent).name.clone();
                self.report(Diagnostic::new(
                    "unknown-record",
                    *span,
                    format!("the case has no {name} `{to}`"),
                ));
                continue;
            };
            let value =
                parent.fields.iter().find(|(id, _)| *id == edge.on).and_then(|(_, value)| value.clone());
            set(&mut records[*record].fields, edge.via, value);
        }
        let mut position = 0;
        while position < records.len() {
            self.add_parents(records, position, defaults);
            position += 1;
        }
    }

    fn fill_record(&mut self, record: &mut CaseRecord, defaults: &[Vec<(ColumnId, Option<Value>)>]) {
        let entity = self.program.entity(record.entity).clone();
        for (id, value) in defaults.get(record.entity.index()).into_iter().flatten() {
            if !record.fields.iter().any(|(known, _)| known == id) {
                record.fields.push((*id, value.clone()));
            }
        }
        for id in &entity.fields {
            if record.fields.iter().any(|(known, _)| known == id) || self.program.is_computed_fact(*id) {
                continue;
            }
            let column = self.program.column(*id);
            let via_tree =
                self.program.edges.iter().any(|edge| edge.child == record.entity && edge.via == *id);
            let ColumnKind::Field(field) = &column.kind else { continue };
            let value = if *id == entity.key {
                Some(Value::Text(record.key.clone()))
            } else if via_tree {
                None
            } else if field.unique && column.ty == Type::Text && field.format != Format::CitizenNumber {
                Some(Value::Text(record.key.clone()))
            } else if !column.nullable {
                made_up(column, field.blank)
            } else {
                None
            };
            record.fields.push((*id, value));
        }
    }

    fn add_parents(
        &mut self,
        records: &mut Vec<CaseRecord>,
        position: usize,
        defaults: &[Vec<(ColumnId, Option<Value>)>],
    ) {
        let entity = records[position].entity;
        let edges: Vec<crate::program::Edge> =
            self.program.edges.iter().filter(|edge| edge.child == entity && edge.required).cloned().collect();
        let edges: Vec<crate::program::Edge> =
            edges.into_iter().filter(|edge| !self.program.is_derived(edge.via)).collect();
        for edge in edges {
            let via = records[position]
                .fields
                .iter()
                .find(|(id, _)| *id == edge.via)
                .and_then(|(_, value)| value.clone());
            let found = via.as_ref().is_some_and(|via| {
                records.iter().any(|other| {
                    other.entity == edge.parent
                        && other
                            .fields
                            .iter()
                            .any(|(id, value)| *id == edge.on && value.as_ref() == Some(via))
                })
            });
            if found {
                continue;
            }
            let key = match &via {
                Some(Value::Text(text)) => text.clone(),
                _ => format!("{}-1", self.program.entity(edge.parent).name),
            };
            if !records.iter().any(|other| other.entity == edge.parent && other.key == key) {
                let mut parent = CaseRecord { entity: edge.parent, key: key.clone(), fields: Vec::new() };
                self.fill_record(&mut parent, defaults);
                set(&mut parent.fields, edge.on, Some(Value::Text(key.clone())));
                records.push(parent);
            }
            set(&mut records[position].fields, edge.via, Some(Value::Text(key)));
        }
    }

    fn expectations(&mut self, table: &Table<'_>, records: &[CaseRecord]) -> Vec<Expectation> {
        let mut expected = Vec::new();
        for word in table.keys() {
            let Some(entity) = self.entity_word(&word) else {
                table.know(&word.text);
                continue;
            };
            let Some(list) = table.table(&word.text, "set of results") else { continue };
            for key in list.keys() {
                let Some(results) = list.table(&key.text, "result") else { continue };
                if !records.iter().any(|record| record.entity == entity && record.key == key.text) {
                    let name = self.program.entity(entity).name.clone();
                    let given: Vec<&str> = records
                        .iter()
                        .filter(|record| record.entity == entity)
                        .map(|record| record.key.as_str())
                        .collect();
                    self.report(
                        Diagnostic::new(
                            "unknown-record",
                            key.span,
                            format!("the case gives no {name} `{}`", key.text),
                        )
                        .hint_opt(did_you_mean(&key.text, given)),
                    );
                    continue;
                }
                for name in results.keys() {
                    let Some(column) = self.resolve(entity, &name.text, name.span) else { continue };
                    let Some((scalar, span)) = results.scalar(&name.text) else {
                        self.report(Diagnostic::new(
                            "wrong-type",
                            name.span,
                            format!("`{}` is not a plain value", name.text),
                        ));
                        continue;
                    };
                    let unknown = matches!(&scalar, Scalar::Text(text) if text == "unknown");
                    let ty = self.program.column(column).ty.clone();
                    let value = if unknown { None } else { self.value_of(&scalar, &ty, span) };
                    if unknown || value.is_some() {
                        expected.push(Expectation { entity, key: key.text.clone(), column, value, span });
                    }
                }
            }
        }
        expected
    }
}

fn set(fields: &mut Vec<(ColumnId, Option<Value>)>, id: ColumnId, value: Option<Value>) {
    match fields.iter_mut().find(|(known, _)| *known == id) {
        Some(slot) => slot.1 = value,
        None => fields.push((id, value)),
    }
}

fn made_up(column: &crate::program::Column, blank: crate::program::Blank) -> Option<Value> {
    match (&column.ty, blank) {
        (Type::Bool, _) => Some(Value::Bool(false)),
        (Type::Number(_), _) => {
            let range = column.range?;
            Some(Value::Number(0.clamp(range.min, range.max)))
        }
        (Type::Date, _) => Date::from_ymd(2000, 1, 1).ok().map(Value::Date),
        (Type::Text, _) => Some(Value::Text("-".to_owned())),
        (Type::Code(_) | Type::Index, _) => None,
    }
}
