//! Parts of clauses: what each promises, and what state it is in by what the rules that cite it read.
//!
//! A rule that hands a recorded yes or no through has computed nothing, however many clauses it cites: its part is
//! *copied*. One that hands a recorded number through is *typed*. What a part takes beside computing (an act, a payment,
//! a document, something published, a judgement) has to come from rules that bring it.

use std::collections::BTreeSet;

use model::ClauseId;

use crate::compiler::Compiler;
use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::program::{
    AggregateFunction, ColumnId, ColumnKind, Comparison, EntityId, Expr, ExprKind, Judgement, Need, Part,
    PartId, Program, Rule, RuleDetail, RuleKind, Type, Value,
};
use crate::surface::{Table, Word};

/// What has become of a part of a clause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PartState {
    /// All it takes is computed from records.
    Computed,
    /// A rule reads an office's judgement on record.
    Judged,
    /// What it takes beside computing is brought by rules that cite it.
    Done,
    /// A rule hands a recorded yes or no, code, day or text through.
    Copied,
    /// A rule hands a recorded number through.
    Typed,
    /// Something that it takes beside computing is brought by no rule that cites it.
    ActMissing,
    /// No rule that computes anything cites it, where it takes one; or none at all.
    Nothing,
    Principle,
    Outside,
}

impl PartState {
    /// Stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Computed => "computed",
            Self::Judged => "judged",
            Self::Done => "done",
            Self::Copied => "copied",
            Self::Typed => "typed",
            Self::ActMissing => "act-missing",
            Self::Nothing => "nothing",
            Self::Principle => "principle",
            Self::Outside => "outside",
        }
    }

    /// Whether nothing is left to do.
    pub const fn settled(self) -> bool {
        matches!(self, Self::Computed | Self::Judged | Self::Done | Self::Principle | Self::Outside)
    }

    /// All of them, in the order of a summary.
    pub const ALL: [Self; 9] = [
        Self::Computed,
        Self::Judged,
        Self::Done,
        Self::Copied,
        Self::Typed,
        Self::ActMissing,
        Self::Nothing,
        Self::Principle,
        Self::Outside,
    ];
}

/// One part with its state and what stands behind it.
#[derive(Clone, Debug)]
pub struct PartStanding<'p> {
    pub part: &'p Part,
    pub state: PartState,
    /// What it takes and no rule brings.
    pub missing: Vec<Need>,
    /// Rules that cite it; where its clause has one part only, also those that cite the clause.
    pub by: Vec<&'p Rule>,
    /// Reports that cite it or show a column of these rules.
    pub shown_in: Vec<&'p Rule>,
}

/// Every declared part, in order of declaration.
pub fn standings(program: &Program) -> Vec<PartStanding<'_>> {
    program.parts.iter().map(|part| standing(program, part)).collect()
}

fn standing<'p>(program: &'p Program, part: &'p Part) -> PartStanding<'p> {
    let only = program.parts.iter().filter(|other| other.id.clause == part.id.clause).count() == 1;
    let cites = |rule: &Rule| {
        rule.parts.contains(&part.id)
            || (only && rule.parts.is_empty() && rule.cite.contains(&part.id.clause))
    };
    let by: Vec<&Rule> =
        program.rules.iter().filter(|rule| rule.kind != RuleKind::Report && cites(rule)).collect();
    let shows = |rule: &Rule| match &rule.detail {
        RuleDetail::Declared { columns, .. } => columns.iter().any(|(_, id)| {
            program
                .column(*id)
                .rule
                .is_some_and(|owner| by.iter().any(|rule| rule.id == program.rules[owner.index()].id))
        }),
        _ => false,
    };
    let shown_in: Vec<&Rule> = program
        .rules
        .iter()
        .filter(|rule| rule.kind == RuleKind::Report && (cites(rule) || shows(rule)))
        .collect();
    let published = shown_in.iter().any(|report| cites(report));
    let missing: Vec<Need> =
        part.needs.iter().copied().filter(|need| !brought(program, *need, &by, published)).collect();
    PartStanding { part, state: state(program, part, &by, &missing), missing, by, shown_in }
}

fn state(program: &Program, part: &Part, by: &[&Rule], missing: &[Need]) -> PartState {
    if part.needs.contains(&Need::Outside) {
        return PartState::Outside;
    }
    if part.needs.contains(&Need::Principle) {
        return PartState::Principle;
    }
    if by.is_empty() || missing.contains(&Need::Computed) {
        return PartState::Nothing;
    }
    if part.needs.contains(&Need::Computed) {
        let best = by.iter().filter_map(|rule| reading(program, rule)).min();
        match best {
            Some(Reading::Typed) => return PartState::Typed,
            Some(Reading::Copied) => return PartState::Copied,
            _ => {}
        }
    }
    if !missing.is_empty() {
        return PartState::ActMissing;
    }
    let beside = part.needs.iter().any(|need| !matches!(need, Need::Computed | Need::Judged));
    match (beside, part.needs.contains(&Need::Judged)) {
        (true, _) => PartState::Done,
        (false, true) => PartState::Judged,
        (false, false) => PartState::Computed,
    }
}

/// Whether rules bring what a part takes.
fn brought(program: &Program, need: Need, by: &[&Rule], published: bool) -> bool {
    by.iter().any(|rule| match (need, &rule.detail) {
        (Need::Computed, _) => reading(program, rule).is_some(),
        (Need::Judged, RuleDetail::Flow(_)) => true,
        (Need::Judged, _) => judged(program, rule),
        (
            Need::Act,
            RuleDetail::Flow(_) | RuleDetail::Duty(_) | RuleDetail::Programme(_) | RuleDetail::Asset(_),
        ) => true,
        (Need::Act, RuleDetail::Benefit(benefit)) => benefit.flow.is_some() || benefit.paid.is_some(),
        (Need::Payment, RuleDetail::Benefit(benefit)) => {
            benefit.paid.is_some() || !benefit.paid_from.is_empty()
        }
        (Need::Payment, RuleDetail::Programme(programme)) => !programme.paid_from.is_empty(),
        (Need::Payment, RuleDetail::Asset(_)) => true,
        (Need::Payment, _) => rule.kind == RuleKind::Audit,
        (Need::Document, RuleDetail::Flow(flow)) => {
            flow.machine.steps.iter().any(|step| !step.evidence.is_empty())
        }
        (Need::Document, RuleDetail::Duty(duty)) => !duty.evidence.is_empty(),
        (Need::Document, RuleDetail::Programme(programme)) => !programme.evidence.is_empty(),
        (Need::Document, RuleDetail::Benefit(benefit)) => !benefit.documents.is_empty(),
        (Need::Published, RuleDetail::Flow(flow)) => {
            flow.machine.steps.iter().any(|step| !step.publishes.is_empty() || step.notice.is_some())
        }
        (Need::Outside | Need::Principle, _) => true,
        _ => false,
    }) || (need == Need::Published && published)
        || matches!(need, Need::Outside | Need::Principle)
}

/// What a rule makes of the records, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reading {
    /// Or a judgement on record, which is handed through as it should be.
    Computed,
    Copied,
    Typed,
}

/// How a rule comes to its result; `None` of rules that compute nothing.
fn reading(program: &Program, rule: &Rule) -> Option<Reading> {
    let columns = results(rule);
    if columns.is_empty() {
        return matches!(rule.detail, RuleDetail::Scorecard(_) | RuleDetail::Asset(_))
            .then_some(Reading::Computed);
    }
    if judged(program, rule) {
        return Some(Reading::Computed);
    }
    columns
        .into_iter()
        .map(|id| {
            let mut fields = BTreeSet::new();
            if !handed(program, id, &mut fields) {
                return Reading::Computed;
            }
            let typed = |id: &ColumnId| matches!(program.column(*id).ty, Type::Number(_));
            if fields.iter().all(typed) { Reading::Typed } else { Reading::Copied }
        })
        .max()
}

/// The columns that a rule stands or falls with.
fn results(rule: &Rule) -> Vec<ColumnId> {
    match &rule.detail {
        RuleDetail::Variable { column } => vec![*column],
        RuleDetail::Benefit(benefit) => vec![benefit.who],
        RuleDetail::Standard(standard) => vec![standard.holds],
        RuleDetail::Measure(measure) => match &measure.ratio {
            Some(ratio) => ratio.iter().map(|(_, numerator, _)| *numerator).collect(),
            None => measure.columns.iter().map(|(_, column)| *column).collect(),
        },
        RuleDetail::Check(check) => vec![check.fails],
        RuleDetail::Duty(duty) => vec![duty.met],
        RuleDetail::Programme(_)
        | RuleDetail::Scorecard(_)
        | RuleDetail::Asset(_)
        | RuleDetail::Flow(_)
        | RuleDetail::Declared { .. } => Vec::new(),
    }
}

/// Whether a rule reads a record that is a judgement: who, when, on what evidence.
fn judged(program: &Program, rule: &Rule) -> bool {
    let needed = program.needed_by(results(rule));
    needed.iter().any(|id| {
        let column = program.column(*id);
        matches!(column.kind, ColumnKind::Field(_)) && program.entity(column.entity).judgement.is_some()
    })
}

/// Whether a column hands recorded fields through, which are then added to `fields`.
fn handed(program: &Program, id: ColumnId, fields: &mut BTreeSet<ColumnId>) -> bool {
    match &program.column(id).kind {
        ColumnKind::Field(field) if field.derived.is_none() => {
            fields.insert(id);
            true
        }
        ColumnKind::Lookup { column, .. } => handed(program, *column, fields),
        ColumnKind::Scalar(expr) => handed_expr(program, expr, fields),
        // A total of what somebody typed in further down.
        ColumnKind::Aggregate(aggregate) => {
            aggregate.function == AggregateFunction::Sum
                && aggregate.filter.is_none()
                && aggregate.argument.as_ref().is_some_and(|argument| handed_expr(program, argument, fields))
        }
        ColumnKind::Field(_) | ColumnKind::Window(_) => false,
    }
}

fn handed_expr(program: &Program, expr: &Expr, fields: &mut BTreeSet<ColumnId>) -> bool {
    let literal = |expr: &Expr| matches!(expr.kind, ExprKind::Literal(_));
    match &expr.kind {
        ExprKind::Column(id) => handed(program, *id, fields),
        ExprKind::Not(a)
        | ExprKind::IsUnknown(a)
        | ExprKind::Rescale { a, .. }
        | ExprKind::Round { a, .. }
        | ExprKind::In { a, .. } => handed_expr(program, a, fields),
        // Whether a number is there at all is as good as the number; a threshold is a rule.
        ExprKind::Compare { op, a, b } if literal(b) => {
            let trivial = !matches!(a.ty, Type::Number(_) | Type::Date) || any_at_all(*op, b);
            trivial && handed_expr(program, a, fields)
        }
        ExprKind::Coalesce(parts) | ExprKind::And(parts) | ExprKind::Or(parts) => {
            parts.iter().all(|part| literal(part) || handed_expr(program, part, fields))
        }
        ExprKind::Case { branches, otherwise } => {
            branches.iter().all(|(when, then)| literal(then) && handed_expr(program, when, fields))
                && otherwise.as_ref().is_none_or(|otherwise| literal(otherwise))
        }
        _ => false,
    }
}

fn any_at_all(op: Comparison, b: &Expr) -> bool {
    let ExprKind::Literal(Value::Number(number)) = &b.kind else { return false };
    match op {
        Comparison::Greater | Comparison::Equal | Comparison::NotEqual => *number == 0,
        Comparison::GreaterOrEqual => matches!(number, 0 | 1),
        Comparison::Less | Comparison::LessOrEqual => false,
    }
}

impl Compiler<'_> {
    /// Reads `[[clause_parts]]`: a clause and its parts, numbered from 1 as they stand.
    pub fn declare_parts(&mut self, tables: &[Table<'_>]) {
        for table in tables {
            let word = table.require("clause", table.word("clause"));
            let parts = table.tables("parts", "part");
            table.finish();
            let Some(word) = word else { continue };
            let known: Vec<String> =
                self.program.clauses.iter().map(|clause| clause.id.to_string()).collect();
            let id = word.text.parse::<ClauseId>().ok().filter(|_| known.contains(&word.text));
            let Some(clause) = id else {
                let hint = did_you_mean(&word.text, known.iter().map(String::as_str));
                self.report(
                    Diagnostic::new(
                        "unknown-clause",
                        word.span,
                        format!("there is no clause `{}`", word.text),
                    )
                    .hint_opt(hint),
                );
                continue;
            };
            if let Some(first) = self.program.parts.iter().find(|part| part.id.clause == clause) {
                let place = first.span;
                self.report(crate::declare::duplicate("parts of clause", &word, place));
                continue;
            }
            for (position, part) in parts.iter().enumerate() {
                self.declare_part(PartId { clause: clause.clone(), number: position as u32 + 1 }, part);
            }
        }
    }

    fn declare_part(&mut self, id: PartId, table: &Table<'_>) {
        let says = model::Text {
            zh: table.require("zh", table.word("zh")).map(|word| word.text).unwrap_or_default(),
            en: table.require("en", table.word("en")).map(|word| word.text).unwrap_or_default(),
        };
        let words = table.words("needs");
        let _: Option<()> = table.require("needs", (!words.is_empty()).then_some(()));
        table.finish();
        let mut needs = Vec::new();
        for word in words {
            if let Some((_, need)) = Need::CHOICES.iter().find(|(known, _)| *known == word.text) {
                needs.push(*need);
                continue;
            }
            let hint = did_you_mean(&word.text, Need::CHOICES.iter().map(|(known, _)| *known));
            let message = format!("`{}` is nothing that a part of a clause can need", word.text);
            self.report(Diagnostic::new("bad-choice", word.span, message).hint_opt(hint));
        }
        self.program.parts.push(Part { id, needs, says, span: table.span });
    }

    /// The part of a clause that a rule cites.
    pub fn cited_part(&mut self, clause: &ClauseId, number: &str, word: &Word) -> Option<PartId> {
        let found = number.parse().ok().map(|number| PartId { clause: clause.clone(), number });
        let found = found.filter(|id| self.program.parts.iter().any(|part| part.id == *id));
        if found.is_none() {
            let parts = self.program.parts.iter().filter(|part| part.id.clause == *clause).count();
            let hint = match parts {
                0 => format!("declare its parts with `[[clause_parts]]`, or cite `{clause}`"),
                _ => format!("its parts are `{clause}/1` to `{clause}/{parts}`"),
            };
            let message = format!("clause `{clause}` has no part `{number}`");
            self.report(Diagnostic::new("unknown-part", word.span, message).hint(hint));
        }
        found
    }

    /// Reads `judgement = { by, on, evidence }` of an entity whose fields are declared.
    pub fn declare_judgement(&mut self, entity: EntityId, table: &Table<'_>) {
        let Some(judgement) = table.table("judgement", "judgement") else { return };
        let mut field = |key: &str| {
            let word = judgement.require(key, judgement.word(key))?;
            let found = self.known(entity, &word.text);
            if found.is_none() {
                let name = self.program.entity(entity).name.clone();
                let names = self.names_of(entity);
                let message = format!("`{name}` has no field `{}`", word.text);
                let hint = did_you_mean(&word.text, names.iter().map(String::as_str));
                self.report(Diagnostic::new("unknown-name", word.span, message).hint_opt(hint));
            }
            self.used.extend(found);
            found
        };
        let found = (field("by"), field("on"), field("evidence"));
        judgement.finish();
        if found.1.is_some_and(|on| self.program.column(on).ty != Type::Date) {
            let message = "`on` of a judgement is the day on which it was made: a date".to_owned();
            self.report(Diagnostic::new("type-mismatch", judgement.span, message));
        }
        let (Some(by), Some(on), Some(evidence)) = found else { return };
        self.program.entities[entity.index()].judgement = Some(Judgement { by, on, evidence });
    }
}
