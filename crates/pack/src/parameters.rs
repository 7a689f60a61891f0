//! Reads parameters: single values, tables and scales, each dated and sourced.

use crate::compiler::Compiler;
use crate::declare::duplicate;
use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::program::{
    BracketStep, Dated, ListId, NumberType, Parameter, ParameterShape, Source, Span, Type, Value,
};
use crate::surface::{Table, Word};
use model::Date;
use std::collections::BTreeMap;

impl Compiler<'_> {
    pub fn declare_parameters(&mut self, tables: &[Table<'_>]) {
        for table in tables {
            if self.declare_parameter(table).is_none() {
                self.faulty_parameters.extend(table.word("id").map(|word| word.text));
            }
            table.finish();
        }
    }

    pub fn declare_parameter(&mut self, table: &Table<'_>) -> Option<()> {
        let id = self.identifier(table);
        let replaces = table.bool("override").unwrap_or(false);
        let label = table.bilingual("label");
        let ty = table.word("type");
        let over = table.word("over");
        let brackets = table.word("brackets");
        let cite = self.citations(table);
        let reading = table.bilingual("reading");
        let values = table.tables("values", "parameter value");
        let id = id?;
        let known = self.program.parameters.iter().position(|parameter| parameter.id == id.text);
        if let Some(known) = known {
            let place = self.program.parameters[known].span;
            if !replaces || place.file == table.span.file {
                self.report(
                    duplicate("parameter", &id, place)
                        .hint("a pack that means to change it says `override = true`"),
                );
                return None;
            }
            let (ty, shape) =
                (self.program.parameters[known].ty.clone(), self.program.parameters[known].shape.clone());
            let new = self.read_values(&id, &ty, &shape, &values)?;
            self.program.parameters[known].shape = overlay(shape, new);
            if reading.is_some() {
                self.program.parameters[known].reading = reading;
            }
            self.program.parameters[known].span = table.span;
            return Some(());
        }
        if replaces {
            self.report(Diagnostic::new(
                "override",
                id.span,
                format!("`{}` overrides nothing: no pack below declares it", id.text),
            ));
        }
        let label = table.require("label", label);
        let ty = table.require("type", ty);
        let ty = self.read_type(&ty?)?;
        let shape = match (&over, &brackets) {
            (Some(list), None) => {
                let found = self.program.lists.iter().position(|known| known.id == list.text);
                let Some(position) = found else {
                    let hint =
                        did_you_mean(&list.text, self.program.lists.iter().map(|list| list.id.as_str()));
                    self.report(
                        Diagnostic::new(
                            "unknown-list",
                            list.span,
                            format!("there is no code list `{}`", list.text),
                        )
                        .hint_opt(hint),
                    );
                    return None;
                };
                ParameterShape::Table { list: ListId(position as u32), values: Vec::new() }
            }
            (None, Some(over)) => match self.read_type(over)? {
                Type::Number(over) => ParameterShape::Brackets { over, values: Vec::new() },
                _ => {
                    self.report(Diagnostic::new(
                        "bad-type",
                        over.span,
                        "brackets rise over a number".to_owned(),
                    ));
                    return None;
                }
            },
            (None, None) => ParameterShape::Scalar(Vec::new()),
            (Some(_), Some(word)) => {
                self.report(Diagnostic::new(
                    "parameter-shape",
                    word.span,
                    "a parameter is a table or a scale, not both".to_owned(),
                ));
                return None;
            }
        };
        if values.is_empty() {
            self.report(
                Diagnostic::new("missing-key", table.span, format!("parameter `{}` has no values", id.text))
                    .hint("write `values = [ { from = 2015-01-01, value = …, source = \"official\", reference = \"…\" } ]`"),
            );
            return None;
        }
        let shape = self.read_values(&id, &ty, &shape, &values)?;
        self.program.parameters.push(Parameter {
            id: id.text,
            label: label?,
            ty,
            shape,
            cite,
            reading,
            span: table.span,
        });
        Some(())
    }

    /// Values in the shape of `like`, in order of date and without overlaps.
    pub fn read_values(
        &mut self,
        id: &Word,
        ty: &Type,
        like: &ParameterShape,
        tables: &[Table<'_>],
    ) -> Option<ParameterShape> {
        let mut dates: Vec<(Date, Option<Date>, Span)> = Vec::new();
        let mut scalar_values = Vec::new();
        let mut table_values = Vec::new();
        let mut bracket_values = Vec::new();
        let mut fine = true;
        for table in tables {
            let from = table.require("from", table.date("from"));
            let until = table.date("until");
            let source = self.read_source(table);
            let span = table.span;
            match like {
                ParameterShape::Scalar(_) => {
                    let value = self.read_value(table, "value", ty);
                    match (from, value, source) {
                        (Some(from), Some(value), Some(source)) => {
                            dates.push((from, until, span));
                            scalar_values.push(Dated { value, from, until, source });
                        }
                        _ => fine = false,
                    }
                }
                ParameterShape::Table { list, .. } => {
                    let value = self.read_table(table, ty, *list, id);
                    match (from, value, source) {
                        (Some(from), Some(value), Some(source)) => {
                            dates.push((from, until, span));
                            table_values.push(Dated { value, from, until, source });
                        }
                        _ => fine = false,
                    }
                }
                ParameterShape::Brackets { over, .. } => {
                    let value = self.read_brackets(table, ty, over);
                    match (from, value, source) {
                        (Some(from), Some(value), Some(source)) => {
                            dates.push((from, until, span));
                            bracket_values.push(Dated { value, from, until, source });
                        }
                        _ => fine = false,
                    }
                }
            }
            table.finish();
        }
        for pair in dates.windows(2) {
            let ((first, until, place), (second, _, span)) = (pair[0], pair[1]);
            if second <= first || until.is_some_and(|until| until > second) {
                self.report(
                    Diagnostic::new(
                        "parameter-overlap",
                        span,
                        format!("two values of `{}` are in force on {second}", id.text),
                    )
                    .label("this one begins")
                    .also(place, "while this one is in force")
                    .hint("values stand in order of `from`; end the earlier one with `until`"),
                );
                fine = false;
            }
        }
        if !fine {
            return None;
        }
        Some(match like {
            ParameterShape::Scalar(_) => ParameterShape::Scalar(close(scalar_values)),
            ParameterShape::Table { list, .. } => {
                ParameterShape::Table { list: *list, values: close(table_values) }
            }
            ParameterShape::Brackets { over, .. } => {
                ParameterShape::Brackets { over: over.clone(), values: close(bracket_values) }
            }
        })
    }

    pub fn read_source(&mut self, table: &Table<'_>) -> Option<Source> {
        let word = table.require("source", table.word("source"))?;
        let reference = table.word("reference");
        match word.text.as_str() {
            "assumed" => Some(Source::Assumed),
            "official" => {
                if reference.as_ref().is_none_or(|text| text.text.trim().is_empty()) {
                    self.report(
                        Diagnostic::new(
                            "missing-reference",
                            word.span,
                            "an official value names its source".to_owned(),
                        )
                        .hint("add `reference = \"document, article\"`, or call it `assumed`"),
                    );
                    return None;
                }
                Some(Source::Official(reference.map(|text| text.text).unwrap_or_default()))
            }
            other => {
                self.report(
                    Diagnostic::new("bad-choice", word.span, format!("`{other}` is not a value of `source`"))
                        .hint("it takes `official` (with `reference`) and `assumed`"),
                );
                None
            }
        }
    }

    pub fn read_table(
        &mut self,
        table: &Table<'_>,
        ty: &Type,
        list: ListId,
        id: &Word,
    ) -> Option<BTreeMap<String, Value>> {
        let entries = table.require("value", table.table("value", "table of values"))?;
        let mut values = BTreeMap::new();
        let codes: Vec<String> =
            self.program.lists[list.index()].codes.iter().map(|code| code.code.clone()).collect();
        let mut missing = Vec::new();
        for code in &codes {
            if entries.has(code) {
                let value = self.read_value(&entries, code, ty)?;
                values.insert(code.clone(), value);
            } else {
                missing.push(code.as_str());
            }
        }
        if !missing.is_empty() {
            let list = self.program.lists[list.index()].id.clone();
            self.report(
                Diagnostic::new(
                    "table-incomplete",
                    entries.span,
                    format!("`{}` lacks {} of list `{list}`", id.text, crate::surface::list_words(&missing)),
                )
                .hint("a table over a list has a value for each code"),
            );
            return None;
        }
        entries.finish();
        Some(values)
    }

    pub fn read_brackets(
        &mut self,
        table: &Table<'_>,
        ty: &Type,
        over: &NumberType,
    ) -> Option<Vec<BracketStep>> {
        let mut steps: Vec<BracketStep> = Vec::new();
        for step in table.tables("value", "bracket") {
            let from = self.read_value(&step, "from", &Type::Number(over.clone()))?;
            let rate = self.read_value(&step, "rate", ty)?;
            step.finish();
            let (Value::Number(from), Value::Number(rate)) = (from, rate) else { return None };
            if steps.last().is_some_and(|last| last.from >= from) || (steps.is_empty() && from != 0) {
                self.report(Diagnostic::new(
                    "bad-brackets",
                    step.span,
                    "brackets start at 0 and rise".to_owned(),
                ));
                return None;
            }
            steps.push(BracketStep { from, rate });
        }
        if steps.is_empty() {
            self.report(Diagnostic::new("missing-key", table.span, "a scale needs its brackets in `value`"));
            return None;
        }
        Some(steps)
    }
}

/// Ends every value where the next begins.
fn close<T>(mut values: Vec<Dated<T>>) -> Vec<Dated<T>> {
    for position in 1..values.len() {
        let next = values[position].from;
        let earlier = &mut values[position - 1];
        if earlier.until.is_none() {
            earlier.until = Some(next);
        }
    }
    values
}

fn overlay_values<T: Clone>(base: Vec<Dated<T>>, new: Vec<Dated<T>>) -> Vec<Dated<T>> {
    let mut result = Vec::new();
    for old in base {
        // What is left of the old value outside every new one.
        let mut pieces = vec![old];
        for fresh in &new {
            pieces = pieces
                .into_iter()
                .flat_map(|piece| {
                    let before = (piece.from < fresh.from).then(|| Dated {
                        until: Some(piece.until.map_or(fresh.from, |until| until.min(fresh.from))),
                        ..piece.clone()
                    });
                    let after = fresh.until.and_then(|until| {
                        let open = piece.until.is_none_or(|end| end > until);
                        open.then(|| Dated { from: piece.from.max(until), ..piece.clone() })
                    });
                    before.into_iter().chain(after)
                })
                .collect();
        }
        result.extend(pieces);
    }
    result.extend(new);
    result.sort_by_key(|dated| dated.from);
    result
}

fn overlay(base: ParameterShape, new: ParameterShape) -> ParameterShape {
    match (base, new) {
        (ParameterShape::Scalar(base), ParameterShape::Scalar(new)) => {
            ParameterShape::Scalar(overlay_values(base, new))
        }
        (ParameterShape::Table { list, values: base }, ParameterShape::Table { values: new, .. }) => {
            ParameterShape::Table { list, values: overlay_values(base, new) }
        }
        (ParameterShape::Brackets { over, values: base }, ParameterShape::Brackets { values: new, .. }) => {
            ParameterShape::Brackets { over, values: overlay_values(base, new) }
        }
        (_, new) => new,
    }
}
