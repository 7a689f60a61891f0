//! What would follow from changes before anybody records them: for a form that is about to be saved, and for asking
//! "what if". Nothing is stored.
//!
//! The changes are held against a [`Standing`]: a run, with what the registry has recorded since. Many are checked
//! against one standing at once; each has its changes for itself, and what it reads is kept for all.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use evaluate::Viewer;
use evaluate::explain::value_text;
use evaluate::records::{Change, ChangeKind, Overlay, Patch, RecordChange, Records as _};
use model::{Lang, RefusalCode, Text};
use pack::program::{
    Action, Check, ColumnId, ColumnKind, EdgeId, EntityId, Program, Rule, RuleDetail, RuleId, Value,
};
use serde_json::{Map, Value as Json, json};
use store::Registry;

use crate::import::Severity;
use crate::json_values;
use crate::reassess::{
    Basis, ChangedTotal, Figure, ReassessError, Reassessed, Reassessment, figures, last_change,
    recorded_since,
};
use crate::run_records::RunRecords;
use crate::stored_run::StoredRun;

/// What changes are held against. It can be shared by everybody who asks, and is replaced as a whole when the
/// registry has gone on.
pub struct Standing {
    program: Arc<Program>,
    run: Arc<StoredRun>,
    basis: Arc<Basis>,
    totals: Vec<Figure>,
    /// What has been recorded since the run, with what followed from it.
    since: Arc<Patch>,
    /// Number of the last change of the registry that counts.
    change: Option<u64>,
}

type Standard<'a> = Overlay<RunRecords<'a>>;

impl Standing {
    /// A run as it is.
    ///
    /// # Errors
    /// A run of another pack.
    pub fn new(program: Arc<Program>, run: Arc<StoredRun>) -> Result<Self, ReassessError> {
        run.check_pack(&program)?;
        let (basis, totals) = (Arc::new(Basis::new(&program)), figures(&program, &run));
        Ok(Self { basis, totals, since: Arc::default(), change: run.change(), program, run })
    }

    /// The same with what the registry has recorded since.
    ///
    /// # Errors
    /// Another registry than the run's, and changes that only a run can follow.
    pub fn caught_up(&self, registry: &Registry) -> Result<Self, ReassessError> {
        let at_run = self.over(Arc::default());
        // Refuses a registry that the run was not made from.
        let (change, last) = (at_run.change_of(registry)?, last_change(registry)?);
        let from = self.change.unwrap_or(change);
        let mut caught_up = self.over(Arc::clone(&self.since));
        let recorded = recorded_since(registry, from, caught_up.reassessor().records())?;
        caught_up.apply(&recorded)?;
        let (since, totals) = caught_up.into_parts();
        Ok(Self {
            program: Arc::clone(&self.program),
            run: Arc::clone(&self.run),
            basis: Arc::clone(&self.basis),
            totals,
            since,
            change: Some(last),
        })
    }

    pub fn program(&self) -> &Program {
        &self.program
    }

    fn over(&self, patch: Arc<Patch>) -> Reassessment<'_, RunRecords<'_>> {
        let records = Overlay::with(RunRecords::new(&self.program, &self.run), patch);
        let basis = Arc::clone(&self.basis);
        Reassessment::over(&self.program, basis, self.run.as_of, records, self.totals.clone())
    }

    fn with(&self, pencilled: Arc<Patch>) -> Reassessment<'_, Standard<'_>> {
        let standard = Overlay::with(RunRecords::new(&self.program, &self.run), Arc::clone(&self.since));
        let (basis, records) = (Arc::clone(&self.basis), Overlay::with(standard, pencilled));
        Reassessment::over(&self.program, basis, self.run.as_of, records, self.totals.clone())
    }
}

/// Whether something was found before the changes, and is after them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FindingState {
    New,
    /// Neither the better nor the worse for the changes.
    Remains,
    /// The changes mend it.
    Gone,
}

/// Something about a record that a person must look at.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckFinding {
    pub entity: EntityId,
    pub key: String,
    /// As in the report of an import: that of a refusal, of a check, or of a kind of finding.
    pub code: String,
    /// Whether an import would keep the record out on its account.
    pub severity: Severity,
    pub message: Text,
    /// The field to mend.
    pub field: Option<ColumnId>,
    pub rule: Option<RuleId>,
    /// Numbers of the clauses that the rule cites.
    pub clauses: Vec<String>,
    pub state: FindingState,
}

/// A result that would be another.
#[derive(Clone, Debug, PartialEq)]
pub struct ChangedResult {
    pub entity: EntityId,
    pub key: String,
    pub kind: ChangeKind,
    pub column: ColumnId,
    pub before: Option<Value>,
    pub after: Option<Value>,
    pub rule: Option<RuleId>,
    pub clauses: Vec<String>,
}

/// What would follow.
#[derive(Clone, Debug)]
pub struct Checked {
    /// About the changed records first, then about those whom it concerns.
    pub findings: Vec<CheckFinding>,
    /// Nearest to the changes first.
    pub results: Vec<ChangedResult>,
    pub totals: Vec<ChangedTotal>,
    /// All that is pencilled now, for the next question.
    pub pencilled: Arc<Patch>,
}

impl Checked {
    /// Whether an import of the changes would keep a record out.
    pub fn is_refused(&self) -> bool {
        let counts = |finding: &&CheckFinding| finding.state != FindingState::Gone;
        self.findings.iter().filter(counts).any(|finding| finding.severity == Severity::Refused)
    }
}

impl Checked {
    /// `{"refused", "findings": [{"entity", "key", "code", "severity", "state", "message", "field", "rule", "clauses"}],
    /// "results": [{"entity", "key", "change", "result", "before", "after", "rule", "clauses"}], "totals": {id: [before,
    /// after]}}`.
    pub fn to_json(&self, program: &Program, lang: Lang) -> Json {
        let rule = |id: Option<RuleId>| id.map(|id| program.rules[id.index()].id.as_str());
        let findings = self.findings.iter().map(|it| {
            json!({
                "entity": program.entity(it.entity).name,
                "key": it.key,
                "code": it.code,
                "severity": if it.severity == Severity::Refused { "refused" } else { "warning" },
                "state": it.state.as_str(),
                "message": it.message.get(lang),
                "field": it.field.map(|field| program.column(field).name.as_str()),
                "rule": rule(it.rule),
                "clauses": it.clauses,
            })
        });
        let results = self.results.iter().map(|it| {
            let column = program.column(it.column);
            let value = |value: &Option<Value>| json_values::json(&column.ty, value.as_ref());
            json!({
                "entity": program.entity(it.entity).name,
                "key": it.key,
                "change": it.kind.as_str(),
                "result": column.name,
                "before": value(&it.before),
                "after": value(&it.after),
                "rule": rule(it.rule),
                "clauses": it.clauses,
            })
        });
        let totals = self.totals.iter().filter(|total| total.value.0 != total.value.1);
        let totals: Map<String, Json> = totals
            .map(|it| (it.id.clone(), json!([it.value.0.to_string(), it.value.1.to_string()])))
            .collect();
        json!({
            "refused": self.is_refused(),
            "findings": findings.collect::<Vec<_>>(),
            "results": results.collect::<Vec<_>>(),
            "totals": totals,
        })
    }
}

impl FindingState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Remains => "remains",
            Self::Gone => "gone",
        }
    }
}

/// Says what would follow from changes. `pencilled` are changes that this user has asked about before and that count.
///
/// # Errors
/// Changes that only a run can follow, records to be removed that are not there, and files that cannot be read.
pub fn check_change(
    base: &Standing,
    pencilled: &Arc<Patch>,
    changes: &[RecordChange],
) -> Result<Checked, ReassessError> {
    let program = base.program();
    let mut asking = Asking { program, reassessment: base.with(Arc::clone(pencilled)), findings: Vec::new() };
    let layer = asking.reassessment.reassessor().records().lay(changes)?;
    let placed = layer.changes[..changes.len()].to_vec();
    let before = asking.checks_of(&placed)?;
    let reassessed = asking.reassessment.apply(changes)?;
    for (change, placed) in changes.iter().zip(&placed) {
        asking.fields(change, placed)?;
    }
    asking.own_checks(changes, &placed, &before)?;
    asking.other_checks(changes, &reassessed)?;
    let Reassessed { records, totals, .. } =
        asking.reassessment.masked(&Viewer::masked(asking.program), reassessed);
    let mut results = Vec::new();
    for record in records.into_iter().rev() {
        let (entity, kind) = (record.entity, record.kind);
        for (column, before, after) in record.values {
            let declared = program.column(column);
            if matches!(declared.kind, ColumnKind::Field(_)) {
                continue;
            }
            let (rule, key) = (declared.rule, record.key.clone());
            let clauses = rule.map(|rule| clauses(&program.rules[rule.index()])).unwrap_or_default();
            results.push(ChangedResult { entity, key, kind, column, before, after, rule, clauses });
        }
    }
    let findings = asking.findings;
    Ok(Checked { findings, results, totals, pencilled: asking.reassessment.into_parts().0 })
}

struct Asking<'a> {
    program: &'a Program,
    reassessment: Reassessment<'a, Standard<'a>>,
    findings: Vec<CheckFinding>,
}

/// By record and check: whether it failed.
type Failing = BTreeSet<(EntityId, u32, ColumnId)>;

impl<'a> Asking<'a> {
    fn value(&mut self, column: ColumnId, row: u32) -> Result<Option<Value>, ReassessError> {
        Ok(self.reassessment.reassessor().value(column, row)?)
    }

    /// The checks that the records fail now.
    fn checks_of(&mut self, placed: &[Change]) -> Result<Failing, ReassessError> {
        let mut failing = Failing::new();
        for change in placed.iter().filter(|change| change.kind != ChangeKind::Added) {
            for (_, _, check) in
                checks(self.program).filter(|(_, rule, _)| rule.entity == Some(change.entity))
            {
                if self.value(check.fails, change.row)? == Some(Value::Bool(true)) {
                    failing.insert((change.entity, change.row, check.fails));
                }
            }
        }
        Ok(failing)
    }

    /// What an import would say of the fields themselves.
    fn fields(&mut self, change: &RecordChange, placed: &Change) -> Result<(), ReassessError> {
        let program = self.program;
        if placed.kind == ChangeKind::Removed {
            return Ok(());
        }
        for &id in &program.entity(change.entity).fields {
            let given = placed.fields.iter().find(|(column, _)| *column == id).map(|(_, value)| value);
            let column = program.column(id);
            let ColumnKind::Field(field) = &column.kind else { continue };
            let lacks = match given {
                Some(value) => value.is_none(),
                None => placed.kind == ChangeKind::Added,
            };
            if lacks && field.required && !program.is_derived(id) {
                self.refuse(change, id, RefusalCode::RequiredMissing, String::new());
            }
            if let (Some(Some(Value::Number(number))), Some(range)) = (given, column.range)
                && !(range.min..=range.max).contains(number)
            {
                let shown = value_text(program, &column.ty, given.and_then(Option::as_ref), Lang::En);
                self.refuse(change, id, RefusalCode::OutOfRange, shown);
            }
        }
        for (index, edge) in program.edges.iter().enumerate() {
            let named = placed.fields.iter().find(|(column, _)| *column == edge.via);
            let Some((_, Some(Value::Text(named)))) = named else { continue };
            let records = self.reassessment.reassessor().records();
            if edge.child == change.entity && records.parent(EdgeId(index as u32), placed.row)?.is_none() {
                let shown = shown(program, edge.via, Some(&Value::Text(named.clone())), Lang::En);
                self.refuse(change, edge.via, RefusalCode::ParentNotFound, shown);
            }
        }
        Ok(())
    }

    fn refuse(&mut self, change: &RecordChange, field: ColumnId, code: RefusalCode, value: String) {
        let (label, title, hint) = (&self.program.column(field).label, code.title(), code.hint());
        let said = |label: &str, title: &str, hint: &str, (open, close): (&str, &str)| {
            let value = if value.is_empty() { String::new() } else { format!(" `{value}`") };
            format!("{open}{label}{close}{value}: {title}; {hint}")
        };
        let message = Text::new(
            said(&label.zh, &title.zh, &hint.zh, ("“", "”")),
            said(&label.en, &title.en, &hint.en, ("`", "`")),
        );
        self.findings.push(CheckFinding {
            entity: change.entity,
            key: change.key.clone(),
            code: code.as_str().to_owned(),
            severity: Severity::Refused,
            message,
            field: Some(field),
            rule: None,
            clauses: Vec::new(),
            state: FindingState::New,
        });
    }

    /// The checks of the changed records, whether or not they turn.
    fn own_checks(
        &mut self,
        changes: &[RecordChange],
        placed: &[Change],
        before: &Failing,
    ) -> Result<(), ReassessError> {
        for (change, placed) in changes.iter().zip(placed) {
            for (id, rule, check) in
                checks(self.program).filter(|(_, rule, _)| rule.entity == Some(change.entity))
            {
                let failed = before.contains(&(change.entity, placed.row, check.fails));
                let fails = placed.kind != ChangeKind::Removed
                    && self.value(check.fails, placed.row)? == Some(Value::Bool(true));
                let state = match (failed, fails) {
                    (false, false) => continue,
                    (false, true) => FindingState::New,
                    (true, true) => FindingState::Remains,
                    (true, false) => FindingState::Gone,
                };
                self.found((id, rule, check), (change.entity, &change.key, placed.row), state)?;
            }
        }
        Ok(())
    }

    /// The checks of other records that turn, and what else is found of anybody.
    fn other_checks(
        &mut self,
        changes: &[RecordChange],
        reassessed: &Reassessed,
    ) -> Result<(), ReassessError> {
        let program = self.program;
        let own: BTreeSet<(EntityId, &str)> =
            changes.iter().map(|change| (change.entity, change.key.as_str())).collect();
        let by_column: BTreeMap<ColumnId, (RuleId, &Rule, &Check)> =
            checks(program).map(|found| (found.2.fails, found)).collect();
        for record in
            reassessed.records.iter().rev().filter(|it| !own.contains(&(it.entity, it.key.as_str())))
        {
            for (column, before, after) in &record.values {
                let Some(check) = by_column.get(column) else { continue };
                let key_column = program.entity(record.entity).key;
                let records = self.reassessment.reassessor().records();
                let Some(row) = records.find(key_column, &record.key)? else { continue };
                let state = match (before, after) {
                    (_, Some(Value::Bool(true))) => FindingState::New,
                    (Some(Value::Bool(true)), _) => FindingState::Gone,
                    _ => continue,
                };
                self.found(*check, (record.entity, &record.key, row), state)?;
            }
        }
        for finding in &reassessed.findings {
            let declared = program.findings.iter().find(|declared| {
                let rule = declared.rule.map(|rule| &program.rules[rule.index()].id);
                declared.code == finding.code
                    && rule == finding.rule.as_ref()
                    && program.column(declared.column).entity == finding.entity
            });
            let Some(declared) = declared else { continue };
            let rule = declared.rule.map(|rule| &program.rules[rule.index()]);
            self.findings.push(CheckFinding {
                entity: finding.entity,
                key: self.key(finding.entity, &finding.key),
                code: finding.code.clone(),
                severity: Severity::Warning,
                message: declared.message.clone(),
                field: None,
                rule: declared.rule,
                clauses: rule.map(clauses).unwrap_or_default(),
                state: if finding.found { FindingState::New } else { FindingState::Gone },
            });
        }
        Ok(())
    }

    fn found(
        &mut self,
        (id, rule, check): (RuleId, &'a Rule, &'a Check),
        (entity, key, row): (EntityId, &str, u32),
        state: FindingState,
    ) -> Result<(), ReassessError> {
        let program = self.program;
        let mut message = check.message.clone();
        for column in placeholders(program, entity, check) {
            let value = self.value(column, row)?;
            let place = format!("{{{}}}", program.column(column).name);
            let words = |lang| shown(program, column, value.as_ref(), lang);
            let (zh, en) = (words(Lang::Zh), words(Lang::En));
            message = Text::new(message.zh.replace(&place, &zh), message.en.replace(&place, &en));
        }
        self.findings.push(CheckFinding {
            entity,
            key: self.key(entity, key),
            code: rule.id.replace('_', "-"),
            severity: match (check.at_import, check.action) {
                (true, Action::Refuse) => Severity::Refused,
                _ => Severity::Warning,
            },
            message,
            field: check.mend,
            rule: Some(id),
            clauses: clauses(rule),
            state,
        });
        Ok(())
    }

    /// A key as anybody may see it.
    fn key(&self, entity: EntityId, key: &str) -> String {
        Viewer::masked(self.program).key(entity, key).into_owned()
    }
}

/// Every check with its rule.
fn checks(program: &Program) -> impl Iterator<Item = (RuleId, &Rule, &Check)> {
    program.rules.iter().enumerate().filter_map(|(index, rule)| match &rule.detail {
        RuleDetail::Check(check) => Some((RuleId(index as u32), rule, check)),
        _ => None,
    })
}

/// The columns whose values a check's message gives.
fn placeholders(program: &Program, entity: EntityId, check: &Check) -> BTreeSet<ColumnId> {
    let names = |message: &str| {
        let parts = message.split('{').skip(1).filter_map(|rest| rest.split_once('}'));
        parts.filter_map(|(name, _)| program.column_named(entity, name)).collect::<Vec<_>>()
    };
    names(&check.message.zh).into_iter().chain(names(&check.message.en)).collect()
}

/// A value in words, as anybody may see it.
fn shown(program: &Program, column: ColumnId, value: Option<&Value>, lang: Lang) -> String {
    Viewer::masked(program).text(column, value, lang)
}

fn clauses(rule: &Rule) -> Vec<String> {
    rule.cite.iter().map(ToString::to_string).collect()
}
