//! Reads what a pack declares before any rule: the pack itself, code lists, entities, parameters, clauses.

use std::collections::BTreeMap;

use model::{ClauseId, Date, Text};

use crate::compiler::Compiler;
use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::program::{
    Action, Blank, BracketStep, Clause, Code, CodeList, Column, ColumnId, ColumnKind, Dated, Edge, EdgeId,
    Entity, EntityId, Field, Format, ListId, NumberType, Parameter, ParameterShape, Pii, Range, Source, Span,
    Type, Value,
};
use crate::surface::{Scalar, Table, Word};
use crate::types::{parse_type, type_text};

/// Largest number of rows of an entity where nothing is said: the keys of a snapshot are 32-bit.
const ROWS_MAX: i64 = 2_147_483_647;

/// Facts about persons that no benefit needs: words that name such a field.
const FORBIDDEN: &[&str] = &[
    "ethnic",
    "ethnicity",
    "nationality",
    "religion",
    "religious",
    "political",
    "politics",
    "party_member",
    "belief",
    "faith",
    "民族",
    "族别",
    "宗教",
    "信仰",
    "政治面貌",
    "党员",
    "政治立场",
    "思想表现",
];

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
        let fine = word.text.starts_with(|letter: char| letter.is_ascii_lowercase())
            && word.text.chars().all(|letter| {
                letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_' || letter == '-'
            });
        if fine {
            return Some(word);
        }
        self.report(
            Diagnostic::new("bad-identifier", word.span, format!("`{}` is not an identifier", word.text))
                .hint("lower-case letters, digits and underscores, a letter first"),
        );
        None
    }

    pub fn declare_entities(&mut self, tables: &[Table<'_>]) {
        let mut accepted: Vec<&Table<'_>> = Vec::new();
        for table in tables {
            let Some(id) = self.identifier(table) else { continue };
            if let Some(known) = self.program.entity_named(&id.text) {
                let place = self.program.entity(known).span;
                self.report(duplicate("entity", &id, place));
                continue;
            }
            let label = table.require("label", table.bilingual("label")).unwrap_or_default();
            self.program.entities.push(Entity {
                name: id.text,
                label,
                key: ColumnId(u32::MAX),
                parent: None,
                fields: Vec::new(),
                rows_max: table.integer("rows_max").unwrap_or(ROWS_MAX),
                division: table.word("division").map(|word| word.text),
                sheet: table.words("sheet").into_iter().map(|word| word.text).collect(),
                span: table.span,
            });
            accepted.push(table);
        }
        for (position, table) in accepted.iter().enumerate() {
            self.declare_fields(EntityId(position as u32), table);
        }
        for (position, table) in accepted.iter().enumerate() {
            self.declare_edges(EntityId(position as u32), table);
            table.know("case_default");
            table.finish();
        }
        self.sort_entities();
    }

    fn declare_fields(&mut self, entity: EntityId, table: &Table<'_>) {
        for field in table.tables("field", "field") {
            if let Some(id) = self.declare_field(entity, &field) {
                self.program.entities[entity.index()].fields.push(id);
            }
            field.finish();
        }
        let Some(key) = table.require("key", table.word("key")) else { return };
        match self.known(entity, &key.text) {
            Some(id) => {
                self.program.entities[entity.index()].key = id;
                self.used.insert(id, ());
                let column = self.program.column(id).clone();
                if column.ty != Type::Text || column.nullable {
                    self.report(
                        Diagnostic::new(
                            "bad-key",
                            key.span,
                            format!("the key `{}` must be a required text", key.text),
                        )
                        .also(column.span, "declared here"),
                    );
                }
            }
            None => {
                let names = self.names_of(entity);
                let name = self.program.entity(entity).name.clone();
                self.report(
                    Diagnostic::new(
                        "unknown-name",
                        key.span,
                        format!("`{name}` has no field `{}`", key.text),
                    )
                    .hint_opt(did_you_mean(&key.text, names.iter().map(String::as_str))),
                );
            }
        }
    }

    fn declare_field(&mut self, entity: EntityId, table: &Table<'_>) -> Option<ColumnId> {
        let id = self.identifier(table)?;
        let label = table.require("label", table.bilingual("label"));
        let ty = table.require("type", table.word("type"));
        let aliases: Vec<String> = table.words("aliases").into_iter().map(|word| word.text).collect();
        let required = table.bool("required").unwrap_or(false);
        let unique = table.bool("unique").unwrap_or(false);
        let blank = self.choice(
            table,
            "blank",
            &[("unknown", Blank::Unknown), ("no", Blank::No), ("zero", Blank::Zero)],
        );
        let pii = self.choice(
            table,
            "pii",
            &[
                ("none", Pii::None),
                ("name", Pii::Name),
                ("identity", Pii::Identity),
                ("contact", Pii::Contact),
                ("account", Pii::Account),
                ("health", Pii::Health),
            ],
        );
        let format = self.choice(
            table,
            "format",
            &[
                ("plain", Format::Plain),
                ("citizen-number", Format::CitizenNumber),
                ("disability-certificate", Format::DisabilityCertificate),
                ("division-code", Format::DivisionCode),
                ("percent", Format::Percent),
            ],
        );
        let unreadable =
            self.choice(table, "unreadable", &[("refuse", Action::Refuse), ("warn", Action::Warn)]);
        let purpose = table.bilingual("purpose").unwrap_or_default();
        let form = table.word("form");
        let ty_word = ty?;
        let label = label.unwrap_or_default();
        self.forbid(entity, &id, &label, &aliases);
        let ty = self.read_type(&ty_word)?;
        let range = self.declare_range(table, &ty, &id);
        if self.known(entity, &id.text).is_some() {
            let known = self.known(entity, &id.text).map(|known| self.program.column(known).span)?;
            self.report(duplicate("field", &id, known));
            return None;
        }
        let column = self.add_column(Column {
            entity,
            name: id.text,
            label,
            ty,
            nullable: !required && matches!(blank.unwrap_or(Blank::Unknown), Blank::Unknown),
            range,
            kind: ColumnKind::Field(Field {
                required,
                unique,
                blank: blank.unwrap_or(Blank::Unknown),
                aliases,
                pii: pii.unwrap_or(Pii::None),
                purpose,
                format: format.unwrap_or(Format::Plain),
                used: false,
                unreadable: unreadable.unwrap_or(Action::Refuse),
            }),
            rule: None,
            span: id.span,
        });
        if form.is_some() {
            self.used.insert(column, ());
        }
        Some(column)
    }

    fn forbid(&mut self, entity: EntityId, id: &Word, label: &Text, aliases: &[String]) {
        let level = self.program.entity(entity).division.is_some();
        if level {
            return;
        }
        let words = id.text.split('_').map(str::to_owned);
        let english = label.en.to_lowercase();
        let texts: Vec<String> = words
            .chain(english.split_whitespace().map(str::to_owned))
            .chain([id.text.clone(), label.zh.clone()])
            .chain(aliases.iter().cloned())
            .collect();
        let found = FORBIDDEN.iter().find(|word| {
            texts.iter().any(|text| if word.is_ascii() { text == *word } else { text.contains(*word) })
        });
        if let Some(word) = found {
            self.report(
                Diagnostic::new(
                    "forbidden-field",
                    id.span,
                    format!("`{}` records something no benefit may depend on (`{word}`)", id.text),
                )
                .hint("ethnicity, religion and political opinion of a person are not recorded; use the status of the place"),
            );
        }
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

    fn declare_range(&mut self, table: &Table<'_>, ty: &Type, id: &Word) -> Option<Range> {
        let Type::Number(number) = ty else {
            if table.has("range") {
                self.report(Diagnostic::new(
                    "bad-range",
                    table.span_of("range"),
                    format!("{} has no range", type_text(ty, &self.program.lists)),
                ));
                table.know("range");
            }
            return None;
        };
        if !table.has("range") {
            self.report(
                Diagnostic::new("missing-key", id.span, format!("the number `{}` needs a `range`", id.text))
                    .hint("give the least and the greatest value that can be true: `range = [0, 100]`"),
            );
            return Some(Range::new(0, 0));
        }
        let span = table.span_of("range");
        let bounds: Vec<Option<i128>> = table
            .scalars("range")
            .unwrap_or_default()
            .iter()
            .map(|(value, _)| match value {
                Scalar::Number(value) => value.scaled(number.decimals),
                _ => None,
            })
            .collect();
        match bounds.as_slice() {
            [Some(min), Some(max)] if min <= max => Some(Range { min: *min, max: *max }),
            _ => {
                self.report(
                    Diagnostic::new(
                        "bad-range",
                        span,
                        format!(
                            "`range` of `{}` is not two rising numbers of {} decimals",
                            id.text, number.decimals
                        ),
                    )
                    .hint("write `range = [0, 100]`"),
                );
                Some(Range::new(0, 0))
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

    fn declare_edges(&mut self, entity: EntityId, table: &Table<'_>) {
        if let Some(parent) = table.table("parent", "parent") {
            if let Some(edge) = self.declare_edge(entity, &parent, true) {
                self.program.entities[entity.index()].parent = Some(edge);
            }
            parent.finish();
        }
        for reference in table.tables("refs", "reference") {
            self.declare_edge(entity, &reference, false);
            reference.finish();
        }
    }

    fn declare_edge(&mut self, child: EntityId, table: &Table<'_>, tree: bool) -> Option<EdgeId> {
        let target = table.require("entity", table.word("entity"));
        let via = table.require("via", table.word("via"));
        let on = table.word("on");
        let name = table.word("name");
        let required = table.bool("required").unwrap_or(false);
        let key_prefix = table.integer("key_prefix").and_then(|length| u32::try_from(length).ok());
        let also_pairs = table.pairs("also");
        let (target, via) = (target?, via?);
        let Some(parent) = self.program.entity_named(&target.text) else {
            let names: Vec<&str> = self.program.entities.iter().map(|entity| entity.name.as_str()).collect();
            let hint = did_you_mean(&target.text, names);
            self.report(
                Diagnostic::new(
                    "unknown-entity",
                    target.span,
                    format!("there is no entity `{}`", target.text),
                )
                .hint_opt(hint),
            );
            return None;
        };
        let via_id = self.field(child, &via)?;
        let on_id = match &on {
            Some(on) => self.field(parent, on)?,
            None => self.program.entity(parent).key,
        };
        if on_id.0 == u32::MAX {
            return None;
        }
        let unique = match &self.program.column(on_id).kind {
            ColumnKind::Field(field) => field.unique || on_id == self.program.entity(parent).key,
            _ => false,
        };
        if !unique {
            let place = on.as_ref().map_or(target.span, |on| on.span);
            self.report(
                Diagnostic::new(
                    "edge-not-unique",
                    place,
                    "an edge leads to a key or a unique field".to_owned(),
                )
                .also(self.program.column(on_id).span, "this field is not `unique = true`"),
            );
        }
        let mut also = Vec::new();
        for (own, theirs) in also_pairs {
            if let (Some(own), Some(theirs)) = (self.field(child, &own), self.field(parent, &theirs)) {
                also.push((own, theirs));
            }
        }
        let id = EdgeId(self.program.edges.len() as u32);
        for used in [via_id, on_id].into_iter().chain(also.iter().flat_map(|(a, b)| [*a, *b])) {
            self.used.insert(used, ());
        }
        let name = name.map_or(target.text, |name| name.text);
        if self.program.edges.iter().any(|edge| edge.child == child && edge.name == name) {
            self.report(
                Diagnostic::new("duplicate-name", table.span, format!("two edges are called `{name}`"))
                    .hint("give one of them a `name`"),
            );
            return None;
        }
        self.program.edges.push(Edge {
            name,
            child,
            parent,
            via: via_id,
            on: on_id,
            tree,
            required,
            also,
            key_prefix,
        });
        Some(id)
    }

    fn field(&mut self, entity: EntityId, word: &Word) -> Option<ColumnId> {
        let found = self.known(entity, &word.text);
        if found.is_none() {
            let name = self.program.entity(entity).name.clone();
            let names = self.names_of(entity);
            self.report(
                Diagnostic::new("unknown-name", word.span, format!("`{name}` has no field `{}`", word.text))
                    .hint_opt(did_you_mean(&word.text, names.iter().map(String::as_str))),
            );
        }
        found
    }

    /// Puts ancestors first; reports entities that are their own ancestors.
    fn sort_entities(&mut self) {
        let count = self.program.entities.len();
        let parents: Vec<Option<usize>> = self
            .program
            .entities
            .iter()
            .map(|entity| entity.parent.map(|edge| self.program.edge(edge).parent.index()))
            .collect();
        let mut order: Vec<usize> = Vec::new();
        while order.len() < count {
            let next = (0..count)
                .find(|at| !order.contains(at) && parents[*at].is_none_or(|parent| order.contains(&parent)));
            let Some(next) = next else {
                let at = (0..count).find(|at| !order.contains(at)).unwrap_or_default();
                let span = self.program.entities[at].span;
                let name = self.program.entities[at].name.clone();
                self.report(Diagnostic::new("cycle", span, format!("entity `{name}` hangs below itself")));
                for entity in &mut self.program.entities {
                    entity.parent = None;
                }
                return;
            };
            order.push(next);
        }
        let mut place = vec![0u32; count];
        for (new, old) in order.iter().enumerate() {
            place[*old] = new as u32;
        }
        let old = std::mem::take(&mut self.program.entities);
        let mut slots: Vec<Option<Entity>> = old.into_iter().map(Some).collect();
        self.program.entities = order.iter().filter_map(|at| slots[*at].take()).collect();
        for edge in &mut self.program.edges {
            edge.child = EntityId(place[edge.child.index()]);
            edge.parent = EntityId(place[edge.parent.index()]);
        }
        for column in &mut self.program.columns {
            column.entity = EntityId(place[column.entity.index()]);
        }
        self.rename_entities(&place);
    }

    pub fn declare_parameters(&mut self, tables: &[Table<'_>]) {
        for table in tables {
            self.declare_parameter(table);
            table.finish();
        }
    }

    fn declare_parameter(&mut self, table: &Table<'_>) -> Option<()> {
        let id = self.identifier(table);
        let replaces = table.bool("override").unwrap_or(false);
        let label = table.bilingual("label");
        let ty = table.word("type");
        let over = table.word("over");
        let brackets = table.word("brackets");
        let cite = self.citations(table);
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
            span: table.span,
        });
        Some(())
    }

    /// Values in the shape of `like`, in order of date and without overlaps.
    fn read_values(
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

    fn read_source(&mut self, table: &Table<'_>) -> Option<Source> {
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

    fn read_table(
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

    fn read_brackets(&mut self, table: &Table<'_>, ty: &Type, over: &NumberType) -> Option<Vec<BracketStep>> {
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

    pub fn citations(&mut self, table: &Table<'_>) -> Vec<ClauseId> {
        let mut cited = Vec::new();
        for word in table.words("cite") {
            match word.text.parse::<ClauseId>() {
                Ok(id) if self.program.clauses.iter().any(|clause| clause.id == id) => cited.push(id),
                Ok(_) => {
                    let names: Vec<String> =
                        self.program.clauses.iter().map(|clause| clause.id.to_string()).collect();
                    self.report(
                        Diagnostic::new(
                            "unknown-clause",
                            word.span,
                            format!("there is no clause `{}`", word.text),
                        )
                        .hint_opt(did_you_mean(&word.text, names.iter().map(String::as_str))),
                    );
                }
                Err(_) => self.report(
                    Diagnostic::new(
                        "unknown-clause",
                        word.span,
                        format!("`{}` is not a clause id", word.text),
                    )
                    .hint("write it like `7.1` or `X2.3`"),
                ),
            }
        }
        cited
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
