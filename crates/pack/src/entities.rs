//! Reads entities, fields and edges, and puts ancestors first.

use crate::compiler::Compiler;
use crate::declare::duplicate;
use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::program::{
    Action, Blank, Column, ColumnId, ColumnKind, DataClass, Edge, EdgeId, Entity, EntityId, Field, Format,
    Range, Type,
};
use crate::surface::{Scalar, Table, Word};
use crate::types::type_text;
use model::Text;

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
    pub fn declare_entities(&mut self, tables: &[Table<'_>]) {
        let mut accepted: Vec<&Table<'_>> = Vec::new();
        let mut additions: Vec<(EntityId, &Table<'_>)> = Vec::new();
        for table in tables {
            let Some(id) = self.identifier(table) else { continue };
            let adds = table.bool("override") == Some(true);
            if let Some(known) = self.program.entity_named(&id.text) {
                let place = self.program.entity(known).span;
                if adds && place.file != table.span.file {
                    additions.push((known, table));
                    continue;
                }
                self.report(
                    duplicate("entity", &id, place).hint(
                        "a pack that means to add fields to an entity of another says `override = true`",
                    ),
                );
                continue;
            }
            if adds {
                let message = format!("`{}` overrides nothing: no pack below declares it", id.text);
                self.report(Diagnostic::new("override", id.span, message));
            }
            let label = table.require("label", table.bilingual("label")).unwrap_or_default();
            self.program.entities.push(Entity {
                name: id.text,
                label,
                key: ColumnId(u32::MAX),
                parent: None,
                fields: Vec::new(),
                rows_max: table.integer("rows_max").unwrap_or(ROWS_MAX),
                judgement: None,
                division: table.word("division").map(|word| word.text),
                sheet: table.words("sheet").into_iter().map(|word| word.text).collect(),
                span: table.span,
            });
            accepted.push(table);
        }
        for (position, table) in accepted.iter().enumerate() {
            self.declare_fields(EntityId(position as u32), table);
        }
        for (entity, table) in &additions {
            self.add_fields(*entity, table);
        }
        for (position, table) in accepted.iter().enumerate() {
            self.declare_edges(EntityId(position as u32), table);
            table.know("case_default");
            self.declare_judgement(EntityId(position as u32), table);
            table.finish();
        }
        for (entity, table) in &additions {
            for reference in table.tables("refs", "reference") {
                self.declare_edge(*entity, &reference, false);
                reference.finish();
            }
            table.know("case_default");
            table.finish();
        }
        self.sort_entities();
    }

    /// Fields that a pack adds to an entity of a pack below it.
    fn add_fields(&mut self, entity: EntityId, table: &Table<'_>) {
        for field in table.tables("field", "field") {
            if let Some(id) = self.declare_field(entity, &field) {
                self.program.entities[entity.index()].fields.push(id);
            }
            field.finish();
        }
        let sheets = table.words("sheet").into_iter().map(|word| word.text);
        self.program.entities[entity.index()].sheet.extend(sheets);
    }

    pub fn declare_fields(&mut self, entity: EntityId, table: &Table<'_>) {
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
                self.used.insert(id);
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

    pub fn declare_field(&mut self, entity: EntityId, table: &Table<'_>) -> Option<ColumnId> {
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
                ("none", DataClass::Open),
                ("name", DataClass::Name),
                ("identity", DataClass::Identity),
                ("contact", DataClass::Contact),
                ("account", DataClass::Account),
                ("personal", DataClass::Personal),
                ("health", DataClass::Health),
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
        table.know("derived");
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
                pii: pii.unwrap_or(DataClass::Open),
                purpose,
                format: format.unwrap_or(Format::Plain),
                used: false,
                unreadable: unreadable.unwrap_or(Action::Refuse),
                derived: None,
            }),
            rule: None,
            span: id.span,
        });
        if form.is_some() {
            self.used.insert(column);
        }
        Some(column)
    }

    pub fn forbid(&mut self, entity: EntityId, id: &Word, label: &Text, aliases: &[String]) {
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

    pub fn declare_range(&mut self, table: &Table<'_>, ty: &Type, id: &Word) -> Option<Range> {
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

    pub fn declare_edges(&mut self, entity: EntityId, table: &Table<'_>) {
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

    pub fn declare_edge(&mut self, child: EntityId, table: &Table<'_>, tree: bool) -> Option<EdgeId> {
        let target = table.require("entity", table.word("entity"));
        let via = table.require("via", table.word("via"));
        let on = table.word("on");
        let name = table.word("name");
        let required = table.bool("required").unwrap_or(false);
        let key_prefix = table.integer("key_prefix").and_then(|length| u32::try_from(length).ok());
        let also_pairs = table.pairs("also");
        let (target, via) = (target?, via?);
        if name.as_ref().is_some_and(|name| !self.check_identifier(name)) {
            return None;
        }
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
            self.used.insert(used);
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

    pub fn field(&mut self, entity: EntityId, word: &Word) -> Option<ColumnId> {
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
    pub fn sort_entities(&mut self) {
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
}
