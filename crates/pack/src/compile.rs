//! From the files of a pack to a checked program.

use std::cell::RefCell;

use sha2::{Digest as _, Sha256};
use toml::Spanned;
use toml::de::DeTable;

use crate::compiler::Compiler;
use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::program::{
    ColumnKind, Dated, ListId, ParameterShape, Program, Rounding, Source, SourceFile, Span, Type, Value,
};
use crate::rules::RULE_KEYS;
use crate::surface::{Decimal, Scalar, Sink, Table, span_in};

/// One pack: its files as `(name, text)`; names are paths inside the pack's folder.
#[derive(Clone, Debug, Default)]
pub struct PackSource {
    pub name: String,
    pub files: Vec<(String, String)>,
}

/// A parameter set for one run: `poverty_line=3000`, or `deductible.level1=200` for an entry of a table.
#[derive(Clone, Debug)]
pub struct Override {
    pub parameter: String,
    pub value: String,
}

/// Everything wrong with a pack, with the files that the diagnostics point into.
#[derive(Clone, Debug)]
pub struct Failure {
    pub files: Vec<SourceFile>,
    pub diagnostics: Vec<Diagnostic>,
}

impl Failure {
    /// All diagnostics, rendered one after the other.
    pub fn render(&self, colour: bool) -> String {
        let mut text = String::new();
        for diagnostic in &self.diagnostics {
            text.push_str(&diagnostic.render(&self.files, colour));
            text.push_str("\n\n");
        }
        text
    }
}

/// Whether equal hidden columns become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// They are computed once, as a run wants it.
    Once,
    /// Each place of the text has columns of its own, so that one place can be changed by itself.
    Apart,
}

/// Compiles packs laid over one another, the base first. Returns every mistake at once.
pub fn compile(packs: &[PackSource], overrides: &[Override]) -> Result<Program, Failure> {
    compile_sharing(packs, overrides, Sharing::Once)
}

/// The same, with equal hidden columns shared or not.
pub fn compile_sharing(
    packs: &[PackSource],
    overrides: &[Override],
    sharing: Sharing,
) -> Result<Program, Failure> {
    let sink: Sink = RefCell::default();
    let files = source_files(packs);
    let parsed: Vec<Spanned<DeTable<'_>>> = files
        .iter()
        .enumerate()
        .map(|(number, file)| {
            let (table, errors) = DeTable::parse_recoverable(&file.text);
            for error in errors {
                let range = error.span().unwrap_or(0..0);
                sink.borrow_mut().push(Diagnostic::new(
                    "toml",
                    span_in(number as u32, range),
                    format!("this is not TOML: {}", error.message()),
                ));
            }
            table
        })
        .collect();
    let mut roots: Vec<Table<'_>> = Vec::new();
    for (number, table) in parsed.iter().enumerate() {
        let span = Span { file: number as u32, start: 0, end: 0 };
        roots.push(Table::new(number as u32, span, table.get_ref(), "pack file", &sink));
    }
    let mut compiler = Compiler::new(&sink);
    compiler.sharing = sharing == Sharing::Once;
    compiler.program.files.clone_from(&files);
    compiler.program.digest = digest_of(&files, overrides);
    compile_roots(&mut compiler, &roots, overrides);
    let mut program = compiler.program;
    let mut diagnostics = sink.take();
    if diagnostics.is_empty() {
        program.files = files;
        program.classes = crate::classes::classes(&program);
        return Ok(program);
    }
    diagnostics.sort_by_key(|diagnostic| diagnostic.labels[0].0);
    diagnostics.dedup();
    Err(Failure { files, diagnostics })
}

fn source_files(packs: &[PackSource]) -> Vec<SourceFile> {
    let mut files = Vec::new();
    for pack in packs {
        let mut sorted: Vec<&(String, String)> = pack.files.iter().collect();
        sorted.sort();
        for (name, text) in sorted {
            files.push(SourceFile { name: format!("{}/{name}", pack.name), text: text.clone() });
        }
    }
    files
}

/// What [`Program::digest`] will be.
pub fn digest(packs: &[PackSource], overrides: &[Override]) -> String {
    digest_of(&source_files(packs), overrides)
}

fn digest_of(files: &[SourceFile], overrides: &[Override]) -> String {
    let mut hash = Sha256::new();
    for file in files {
        hash.update((file.name.len() as u64).to_be_bytes());
        hash.update(&file.name);
        hash.update((file.text.len() as u64).to_be_bytes());
        hash.update(&file.text);
    }
    for change in overrides {
        hash.update(format!("{}={}\n", change.parameter, change.value));
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn compile_roots(compiler: &mut Compiler<'_>, roots: &[Table<'_>], overrides: &[Override]) {
    pack_info(compiler, roots);
    let all = |key: &str, what: &'static str| -> Vec<Table<'_>> {
        roots.iter().flat_map(|root| root.tables(key, what)).collect()
    };
    compiler.declare_clauses(&all("clause", "clause"));
    compiler.declare_parts(&all("clause_parts", "clause's parts"));
    compiler.declare_lists(&all("list", "list"));
    compiler.declare_units(&all("unit", "unit"));
    note_funds(compiler, roots);
    let entities = all("entity", "entity");
    compiler.declare_entities(&entities);
    if compiler.sink.borrow().iter().any(|diagnostic| diagnostic.code == "cycle") {
        // Nothing below can be resolved without a tree.
        return;
    }
    let pack_of = |file: &SourceFile| file.name.split('/').next().unwrap_or_default().to_owned();
    let packs: Vec<String> = compiler.program.files.iter().map(pack_of).collect();
    for (root, pack) in roots.iter().zip(&packs) {
        for table in root.tables("seed", "seed") {
            compiler.declare_seed(pack, &table);
        }
    }
    compiler.declare_funds(&all("fund", "fund"));
    compiler.declare_bank_layouts(&all("bank_layout", "bank layout"));
    compiler.declare_calendars(&all("calendar", "calendar"));
    compiler.declare_networks(&all("network", "network"));
    compiler.declare_derived(&entities);
    compiler.declare_parameters(&all("parameter", "parameter"));
    apply_overrides(compiler, overrides);
    for table in all("programme", "programme") {
        compiler.note_programme(&table);
    }
    for table in all("role", "role") {
        compiler.declare_role(&table);
    }
    let mut drafts = Vec::new();
    let mut refusing = Vec::new();
    let replaced = replaced_rules(compiler, roots);
    for (key, kind) in RULE_KEYS {
        for table in all(key, key) {
            if replaced.contains(&(table.file, table.span.start)) {
                continue;
            }
            let before = compiler.program.rules.len() as u32;
            if let Some((draft, refuse)) = compiler.declare_rule(*kind, &table) {
                if refuse {
                    refusing.push(crate::program::RuleId(before));
                }
                drafts.push(draft);
            }
        }
    }
    let totals: Vec<_> =
        all("total", "total").iter().filter_map(|table| compiler.declare_total(table)).collect();
    let case_tables = all("case", "case");
    for root in roots {
        root.finish();
    }
    compiler.compile_all();
    compiler.complete_networks();
    compiler.complete_previous();
    for draft in drafts {
        compiler.complete(draft);
    }
    for total in totals {
        compiler.complete_total(total);
    }
    compiler.program.unchanging =
        compiler.reads.iter().filter(|(rule, _)| refusing.contains(rule)).copied().collect();
    compiler.program.unchanging.sort_unstable();
    compiler.program.unchanging.dedup();
    settle_rules(compiler);
    let mut defaults = vec![Vec::new(); compiler.program.entities.len()];
    for table in &entities {
        let found = table.word("id").and_then(|id| compiler.program.entity_named(&id.text));
        if let Some(entity) = found {
            defaults[entity.index()].extend(compiler.case_defaults(entity, table));
        }
    }
    for table in &case_tables {
        if let Some(case) = compiler.declare_case(table, &defaults) {
            compiler.program.cases.push(case);
        }
    }
    report_unused(compiler);
}

/// Rules that a later pack replaces with `override = true`, as `(file, start)` of the replaced table.
fn replaced_rules(compiler: &Compiler<'_>, roots: &[Table<'_>]) -> Vec<(u32, u32)> {
    let mut replaced = Vec::new();
    for (key, _) in RULE_KEYS {
        let mut seen: Vec<(String, u32, u32)> = Vec::new();
        for table in roots.iter().flat_map(|root| root.tables(key, key)) {
            let Some(id) = table.word("id") else { continue };
            if table.bool("override") == Some(true) {
                let earlier = seen.iter().position(|(name, ..)| *name == id.text);
                match earlier {
                    Some(position) => {
                        let (_, file, start) = seen.remove(position);
                        replaced.push((file, start));
                    }
                    None => compiler.report(Diagnostic::new(
                        "override",
                        id.span,
                        format!("`{}` overrides nothing: no pack below declares it", id.text),
                    )),
                }
            }
            seen.push((id.text, table.file, table.span.start));
        }
    }
    replaced
}

fn pack_info(compiler: &mut Compiler<'_>, roots: &[Table<'_>]) {
    let mut found = false;
    for root in roots {
        let Some(table) = root.table("pack", "pack") else { continue };
        found = true;
        let id = compiler.identifier(&table);
        let version = table.require("version", table.word("version"));
        let title = table.require("title", table.bilingual("title"));
        let as_of = table.date("as_of");
        let round = compiler.choice(
            &table,
            "round",
            &[("half-up", Rounding::HalfUp), ("down", Rounding::Down), ("up", Rounding::Up)],
        );
        let extends = table.words("extends").into_iter().map(|word| word.text).collect();
        table.know("funds");
        let known = known_percent_min(compiler, &table);
        let blank_marks: Vec<String> = table.words("blank_marks").into_iter().map(|word| word.text).collect();
        table.finish();
        compiler.round = round.unwrap_or(compiler.round);
        let info = &mut compiler.program.info;
        info.id = id.map(|word| word.text).unwrap_or_default();
        info.version = version.map(|word| word.text).unwrap_or_default();
        info.title = title.unwrap_or_default();
        if let Some(as_of) = as_of {
            info.as_of = as_of;
        }
        info.extends = extends;
        info.known_percent_min = known.unwrap_or(info.known_percent_min);
        // Those of the pack below hold unless the pack above has its own.
        if !blank_marks.is_empty() {
            info.blank_marks = blank_marks;
        }
    }
    if !found {
        compiler.report(
            Diagnostic::new("missing-pack", Span::default(), "no file of the pack introduces it".to_owned())
                .hint("add `pack.toml` with `[pack] id, version, title, as_of`"),
        );
    }
}

/// The code list that a pack calls its funds; a later pack's word counts.
fn note_funds(compiler: &mut Compiler<'_>, roots: &[Table<'_>]) {
    for root in roots {
        let Some(word) = root.table("pack", "pack").and_then(|table| table.word("funds")) else { continue };
        let lists = &compiler.program.lists;
        match lists.iter().position(|list| list.id == word.text) {
            Some(position) => compiler.program.funds = Some(ListId(position as u32)),
            None => {
                let hint = did_you_mean(&word.text, lists.iter().map(|list| list.id.as_str()));
                let message = format!("there is no code list `{}`", word.text);
                compiler.report(Diagnostic::new("unknown-list", word.span, message).hint_opt(hint));
            }
        }
    }
}

/// `known_percent_min`, from 50 to 100: figures of which not even half is known are never to be relied on.
fn known_percent_min(compiler: &Compiler<'_>, table: &Table<'_>) -> Option<u8> {
    let percent = table.integer("known_percent_min")?;
    let fine = u8::try_from(percent).ok().filter(|percent| (50..=100).contains(percent));
    if fine.is_none() {
        compiler.report(
            Diagnostic::new(
                "bad-range",
                table.span_of("known_percent_min"),
                format!("`known_percent_min` is {percent}, and must be from 50 to 100"),
            )
            .hint(
                "it is how much of the records behind a total must be known, per cent; 95 if it is left out",
            ),
        );
    }
    fine
}

fn apply_overrides(compiler: &mut Compiler<'_>, overrides: &[Override]) {
    for change in overrides {
        let (name, entry) = match change.parameter.split_once('.') {
            Some((name, entry)) => (name, Some(entry)),
            None => (change.parameter.as_str(), None),
        };
        let Some(id) = compiler.parameter(name, Span::NONE) else { continue };
        let ty = compiler.program.parameters[id.index()].ty.clone();
        let Some(value) = override_value(compiler, change, &ty) else { continue };
        let shape = &mut compiler.program.parameters[id.index()].shape;
        let fine = match (shape, entry) {
            (ParameterShape::Scalar(values), None) => {
                for dated in values.iter_mut() {
                    dated.value = value.clone();
                    dated.source = Source::Override;
                }
                true
            }
            (ParameterShape::Table { values, .. }, Some(code)) => set_entry(values, code, &value),
            _ => false,
        };
        if !fine {
            compiler.report(
                Diagnostic::new(
                    "override",
                    Span::NONE,
                    format!("`{}` cannot be set to one value", change.parameter),
                )
                .hint("tables: `name.code=value`; scales of brackets change in an overlay pack"),
            );
        }
    }
}

fn set_entry(
    values: &mut [Dated<std::collections::BTreeMap<String, Value>>],
    code: &str,
    value: &Value,
) -> bool {
    let mut any = false;
    for dated in values {
        if let Some(slot) = dated.value.get_mut(code) {
            *slot = value.clone();
            dated.source = Source::Override;
            any = true;
        }
    }
    any
}

fn override_value(compiler: &mut Compiler<'_>, change: &Override, ty: &Type) -> Option<Value> {
    let text = change.value.trim();
    let scalar = match ty {
        Type::Bool => text.parse::<bool>().ok().map(Scalar::Bool),
        Type::Date => text.parse().ok().map(Scalar::Date),
        Type::Number(_) | Type::Index => Decimal::parse(text).map(Scalar::Number),
        Type::Text | Type::Code(_) => Some(Scalar::Text(text.to_owned())),
    };
    match scalar {
        Some(scalar) => compiler.value_of(&scalar, ty, Span::NONE),
        None => {
            let message = format!(
                "`{text}` is not a value of `{}`, which is {}",
                change.parameter,
                compiler.type_name(ty)
            );
            compiler.report(Diagnostic::new("wrong-type", Span::NONE, message));
            None
        }
    }
}

/// Totals have no rule of their own; what they announced must not point at one.
fn settle_rules(compiler: &mut Compiler<'_>) {
    let count = compiler.program.rules.len() as u32;
    for column in &mut compiler.program.columns {
        column.rule = column.rule.filter(|rule| rule.0 < count);
    }
    for finding in &mut compiler.program.findings {
        finding.rule = finding.rule.filter(|rule| rule.0 < count);
    }
}

/// Data minimisation: every field serves something.
fn report_unused(compiler: &mut Compiler<'_>) {
    let mut unused = Vec::new();
    for (position, column) in compiler.program.columns.iter_mut().enumerate() {
        let id = crate::program::ColumnId(position as u32);
        if let ColumnKind::Field(field) = &mut column.kind {
            field.used = compiler.used.contains(&id);
            if !field.used {
                unused.push((column.name.clone(), column.entity, column.span));
            }
        }
    }
    // With other mistakes about, a rule that would have read the field may not have been understood.
    if !compiler.sink.borrow().is_empty() {
        return;
    }
    for (name, entity, span) in unused {
        let entity = compiler.program.entity(entity).name.clone();
        compiler.report(
            Diagnostic::new(
                "unused-field",
                span,
                format!("nothing uses the field `{entity}.{name}`: what serves nothing is not recorded"),
            )
            .hint("use it in a rule, check, total or report, name the `form` it stands on, or drop it"),
        );
    }
}

/// The packs that a pack says it extends, as far as its text can be read.
pub fn extends(source: &PackSource) -> Vec<String> {
    let sink: Sink = RefCell::default();
    for (_, text) in &source.files {
        let (table, _) = DeTable::parse_recoverable(text);
        let root = Table::new(0, Span::default(), table.get_ref(), "pack file", &sink);
        if root.has("pack") {
            return root
                .table("pack", "pack")
                .map(|pack| pack.words("extends").into_iter().map(|word| word.text).collect())
                .unwrap_or_default();
        }
    }
    Vec::new()
}
