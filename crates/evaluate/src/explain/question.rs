//! Asking about a rule or a column of one subject.

use model::{ClauseId, Date, Text};
use pack::program::{
    Benefit, Check, Column, ColumnId, Duty, EntityId, Level, Measure, Program, Rule, RuleDetail, RuleId,
    Standard, Value,
};

use super::blame::gaps;
use super::format::{both, column_label, entity_label, label_text};
use super::readings::readings;
use super::search::{Target, Test};
use super::tree::{
    Answer, Citation, Conflict, Explanation, Gap, Heading, NodeKind, Role, Subject, Turns, Verdict,
};
use super::turns::turns;
use super::walk::Walker;
use crate::Viewer;
use crate::interpret::{Cell, Evaluator, Facts};

/// What is asked about a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    Rule(RuleId),
    /// Any column, for instance the measure of one level, or a field.
    Column(ColumnId),
}

/// How much work an explanation may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// Steps after which columns are named but no longer expanded.
    pub nodes_max: u32,
    /// Trials in search of changes that would turn the verdict; 0 for none. One trial costs about as
    /// much as computing the result of one subject again.
    pub trials_max: u32,
}

impl Default for Effort {
    fn default() -> Self {
        Self { nodes_max: 2_000, trials_max: 20_000 }
    }
}

/// A column to be explained, with its part in the rule.
struct Part {
    role: Role,
    title: Text,
    column: ColumnId,
    cite: Vec<ClauseId>,
}

/// The columns of the subject that [`explain`] evaluates; what they rest on comes on top.
pub fn asked_columns(program: &Program, entity: EntityId, asked: Asked) -> Vec<ColumnId> {
    let Some((_, parts)) = outline(program, entity, asked) else { return Vec::new() };
    let mut columns: Vec<ColumnId> = parts.iter().map(|part| part.column).collect();
    if let Some((id, rule)) = rule_of(program, asked) {
        let of_rule = program.findings.iter().filter(|finding| finding.rule == Some(id));
        columns.extend(
            of_rule.map(|finding| finding.column).filter(|column| program.column(*column).entity == entity),
        );
        if let RuleDetail::Check(check) = &rule.detail {
            columns.extend(named_in(program, entity, &check.message));
        }
    }
    columns
}

/// The columns whose values a message names.
fn named_in(program: &Program, entity: EntityId, message: &Text) -> Vec<ColumnId> {
    let named = |column: &Column| {
        let place = format!("{{{}}}", column.name);
        column.entity == entity && (message.zh.contains(&place) || message.en.contains(&place))
    };
    let columns = program.columns.iter().enumerate().filter(|(_, column)| named(column));
    columns.map(|(index, _)| ColumnId(index as u32)).collect()
}

/// Explains one subject's result, as the viewer may see it. `None` if the rule computes nothing for the entity, or the
/// entity has no such row.
pub fn explain(
    viewer: &Viewer<'_>,
    facts: &Facts,
    as_of: Date,
    entity: EntityId,
    row: u32,
    asked: Asked,
    effort: Effort,
) -> Option<Explanation> {
    let program = viewer.program();
    let (heading, parts) = outline(program, entity, asked)?;
    if parts.is_empty() || row >= facts.rows(entity) {
        return None;
    }
    let mut evaluator = Evaluator::new(program, facts, as_of);
    let mut walker = Walker::new(&mut evaluator, viewer, effort.nodes_max);
    let answers: Vec<Answer> = parts
        .iter()
        .map(|part| Answer {
            role: part.role,
            title: part.title.clone(),
            tree: walker.column(Cell { column: part.column, row }),
        })
        .collect();
    let missing = missing(&mut evaluator, viewer, &parts, row);
    let rule = rule_of(program, asked);
    let failed = |answer: &&Answer| answer.role == Role::Part && answer.tree.verdict == Some(Verdict::False);
    let lacks = answers.iter().filter(failed).map(|answer| answer.title.clone()).collect();
    let (message, mend) = check_message(&mut evaluator, viewer, rule, &answers[0], row);
    let conflict = conflict(program, &parts, &answers);
    let findings = findings(&mut evaluator, rule, entity, row);
    let turned = |target: Option<Target>| match target {
        Some(target) if effort.trials_max > 0 => turns(viewer, facts, as_of, target, effort.trials_max),
        _ => Turns::NotAsked,
    };
    let (turns, amount_turns) =
        (turned(target(&parts, &answers, row)), turned(amount_target(&parts, &answers, row)));
    Some(Explanation {
        pack: (program.info.id.clone(), program.info.version.clone()),
        as_of,
        subject: Subject {
            entity: program.entities[entity.index()].name.clone(),
            label: entity_label(program, entity),
            key: viewer.key(entity, facts.key(entity, row)).into_owned(),
        },
        heading,
        answers,
        conflict,
        findings,
        lacks,
        message,
        mend,
        missing,
        readings: readings(program, as_of, parts.iter().map(|part| part.column)),
        turns,
        amount_turns,
    })
}

fn rule_of(program: &Program, asked: Asked) -> Option<(RuleId, &Rule)> {
    let id = match asked {
        Asked::Rule(id) => id,
        Asked::Column(column) => program.columns[column.index()].rule?,
    };
    Some((id, &program.rules[id.index()]))
}

fn outline(program: &Program, entity: EntityId, asked: Asked) -> Option<(Heading, Vec<Part>)> {
    let rule = rule_of(program, asked);
    let parts = match (asked, rule) {
        (Asked::Column(column), _) => {
            let of = &program.columns[column.index()];
            if of.entity != entity {
                return None;
            }
            vec![Part { role: Role::Result, title: column_label(of), column, cite: Vec::new() }]
        }
        (Asked::Rule(_), Some((_, rule))) => {
            rule_parts(program, rule).into_iter().filter(|part| of_entity(program, part, entity)).collect()
        }
        (Asked::Rule(_), None) => return None,
    };
    let heading = match (asked, rule) {
        (_, Some((_, rule))) => Heading {
            id: rule.id.clone(),
            kind: Some(rule.kind),
            title: label_text(&rule.title, &rule.id),
            clauses: citations(program, &rule.cite),
        },
        (Asked::Column(column), None) => {
            let column = &program.columns[column.index()];
            Heading { id: column.name.clone(), kind: None, title: column_label(column), clauses: Vec::new() }
        }
        (Asked::Rule(_), None) => return None,
    };
    Some((heading, parts))
}

fn of_entity(program: &Program, part: &Part, entity: EntityId) -> bool {
    program.columns[part.column.index()].entity == entity
}

/// The columns of a rule, the verdict first.
fn rule_parts(program: &Program, rule: &Rule) -> Vec<Part> {
    let title = label_text(&rule.title, &rule.id);
    let part = |role, column: ColumnId| Part { role, title: title.clone(), column, cite: Vec::new() };
    let named = |role, column: ColumnId| Part {
        title: column_label(&program.columns[column.index()]),
        ..part(role, column)
    };
    match &rule.detail {
        RuleDetail::Variable { column } => vec![part(Role::Result, *column)],
        RuleDetail::Benefit(Benefit { who, amount, exceptions, paid, .. }) => {
            let mut parts = vec![part(Role::Result, *who)];
            parts.extend(amount.map(|amount| named(Role::Amount, amount)));
            parts.extend(
                paid.iter()
                    .flat_map(|paid| [paid.owed, paid.paid, paid.outstanding])
                    .map(|column| named(Role::Payment, column)),
            );
            parts.extend(exceptions.iter().map(|exception| Part {
                title: exception_title(&exception.cite),
                cite: exception.cite.clone(),
                ..part(Role::Exception, exception.when)
            }));
            parts
        }
        RuleDetail::Standard(Standard { holds, applies, parts: named_parts, levels, .. }) => {
            let mut parts = vec![part(Role::Result, *holds)];
            parts.extend(
                named_parts
                    .iter()
                    .map(|(title, column)| Part { title: title.clone(), ..part(Role::Part, *column) }),
            );
            parts.extend(applies.map(|applies| Part {
                title: Text::new("适用对象", "whom it is about"),
                ..part(Role::Applies, applies)
            }));
            parts.extend(level_columns(levels).map(|column| named(Role::Result, column)));
            parts
        }
        RuleDetail::Measure(Measure { columns, ratio }) => {
            let mut parts: Vec<Part> =
                columns.iter().map(|(_, column)| part(Role::Result, *column)).collect();
            for (_, numerator, denominator) in ratio.iter().flatten() {
                parts.push(Part {
                    title: Text::new("分子", "numerator"),
                    ..part(Role::Numerator, *numerator)
                });
                parts.push(Part {
                    title: Text::new("分母", "denominator"),
                    ..part(Role::Denominator, *denominator)
                });
            }
            parts
        }
        RuleDetail::Check(Check { fails, .. }) => vec![part(Role::Result, *fails)],
        RuleDetail::Duty(Duty { owed, met, levels, state, due, met_on, .. }) => {
            let mut parts = vec![
                part(Role::Result, *owed),
                Part { title: Text::new("已履行", "met"), ..part(Role::Met, *met) },
            ];
            // Where nothing says by when, whether it is owed and met says it all.
            if due.is_some() {
                parts.push(Part { title: Text::new("履行情况", "state"), ..part(Role::State, *state) });
            }
            for (title, column) in
                [(Text::new("期限", "due on"), due), (Text::new("履行日期", "met on"), met_on)]
            {
                parts.extend(column.map(|column| Part { title, ..part(Role::State, column) }));
            }
            parts.extend(level_columns(levels).map(|column| named(Role::Result, column)));
            parts
        }
        RuleDetail::Asset(asset) => {
            let columns = [asset.share, asset.complete, asset.total, asset.amount];
            let mut parts: Vec<Part> = columns.map(|column| named(Role::Result, column)).into();
            parts.extend(asset.guaranteed.map(|column| named(Role::Result, column)));
            parts
        }
        RuleDetail::Scorecard(card) => {
            let mut parts = vec![part(Role::Result, card.total)];
            parts.extend(
                [card.rank, card.vetoed].into_iter().flatten().map(|column| named(Role::Result, column)),
            );
            for item in &card.items {
                let exempt = item.exempt.into_iter().map(|column| named(Role::Exception, column));
                parts.extend([named(Role::Part, item.points)].into_iter().chain(exempt));
            }
            parts.extend(card.vetoes.iter().map(|veto| Part {
                title: veto.title.clone(),
                cite: veto.cite.clone(),
                ..part(Role::Exception, veto.when)
            }));
            parts
        }
        RuleDetail::Declared { columns, .. } => {
            columns.iter().map(|(_, column)| named(Role::Result, *column)).collect()
        }
        RuleDetail::Programme(_) | RuleDetail::Flow(_) => Vec::new(),
    }
}

/// The figures of a rule at the divisions above its subjects, the verdict first.
fn level_columns(levels: &[Level]) -> impl Iterator<Item = ColumnId> + '_ {
    levels.iter().flat_map(|level| {
        let counts = [level.share, level.subjects, level.met, level.unmet, level.unknown].map(Some);
        [level.on_target]
            .into_iter()
            .chain(counts)
            .chain([level.gap, level.gap_unknown, level.gap_cost, level.met_late, level.late])
            .flatten()
    })
}

fn exception_title(cite: &[ClauseId]) -> Text {
    let clauses = cite.iter().map(ClauseId::to_string).collect::<Vec<_>>();
    Text::new(format!("例外情形（{}）", clauses.join("、")), format!("exception ({})", clauses.join(", ")))
}

fn citations(program: &Program, cite: &[ClauseId]) -> Vec<Citation> {
    let summary = |id: &ClauseId| {
        let clause = program.clauses.iter().find(|clause| clause.id == *id);
        clause.map(|clause| clause.summary.clone()).unwrap_or_default()
    };
    cite.iter().map(|id| Citation { id: id.clone(), summary: summary(id) }).collect()
}

/// Gaps of the verdict and, where that is known, of the amount.
fn missing(evaluator: &mut Evaluator<'_>, viewer: &Viewer<'_>, parts: &[Part], row: u32) -> Vec<Gap> {
    let mut found: Vec<Gap> = Vec::new();
    for part in parts.iter().filter(|part| {
        matches!(part.role, Role::Result | Role::Amount | Role::Met | Role::State | Role::Payment)
    }) {
        for gap in gaps(evaluator, viewer, Cell { column: part.column, row }) {
            if !found.contains(&gap) {
                found.push(gap);
            }
        }
    }
    found
}

/// Exceptions at the same level that apply together contradict one another.
fn conflict(program: &Program, parts: &[Part], answers: &[Answer]) -> Option<Conflict> {
    let applying: Vec<Vec<Citation>> = parts
        .iter()
        .zip(answers)
        .filter(|(part, answer)| part.role == Role::Exception && answer.tree.verdict == Some(Verdict::True))
        .map(|(part, _)| citations(program, &part.cite))
        .collect();
    if applying.len() < 2 {
        return None;
    }
    let names: Vec<String> = applying
        .iter()
        .map(|clauses| clauses.iter().map(|clause| clause.id.to_string()).collect::<Vec<_>>().join("+"))
        .collect();
    let text = Text::new(
        format!("例外条款 {} 同时适用，相互冲突，须由人裁定", names.join("、")),
        format!(
            "exceptions of clauses {} apply at once and conflict; a person must decide",
            names.join(" and ")
        ),
    );
    Some(Conflict { clauses: applying, text })
}

fn findings(
    evaluator: &mut Evaluator<'_>,
    rule: Option<(RuleId, &Rule)>,
    entity: EntityId,
    row: u32,
) -> Vec<Text> {
    let program = evaluator.program();
    let Some((id, _)) = rule else { return Vec::new() };
    let mut found = Vec::new();
    for finding in program.findings.iter().filter(|finding| finding.rule == Some(id)) {
        if program.columns[finding.column.index()].entity == entity
            && evaluator.value(entity, row, finding.column) == Ok(Some(Value::Bool(true)))
        {
            found.push(finding.message.clone());
        }
    }
    found
}

/// A failing check's message with the values it names, and the field to mend.
fn check_message(
    evaluator: &mut Evaluator<'_>,
    viewer: &Viewer<'_>,
    rule: Option<(RuleId, &Rule)>,
    answer: &Answer,
    row: u32,
) -> (Option<Text>, Option<Text>) {
    let Some((_, Rule { detail: RuleDetail::Check(check), .. })) = rule else { return (None, None) };
    if answer.tree.verdict != Some(Verdict::True) {
        return (None, None);
    }
    let program = evaluator.program();
    let entity = program.columns[check.fails.index()].entity;
    let mut message = check.message.clone();
    for id in named_in(program, entity, &check.message) {
        let column = program.column(id);
        let place = format!("{{{}}}", column.name);
        let value = evaluator.value(entity, row, id).ok().flatten();
        let shown = both(|lang| viewer.text(id, value.as_ref(), lang));
        message = both(|lang| message.get(lang).replace(&place, shown.get(lang)));
    }
    let mend = check.mend.map(|mend| column_label(&program.columns[mend.index()]));
    (Some(message), mend)
}

/// What a change would have to turn: the verdict, or whether a computed number is above zero.
fn target(parts: &[Part], answers: &[Answer], row: u32) -> Option<Target> {
    let tree = &answers[0].tree;
    if tree.kind == NodeKind::Given {
        // What it rests on is not at hand.
        return None;
    }
    let test = match (tree.verdict, &tree.value) {
        (Some(Verdict::True | Verdict::False), _) => Test::True,
        (None, Some(Value::Number(_))) if tree.kind != NodeKind::Fact => Test::Positive,
        _ => return None,
    };
    Some(Target { cell: Cell { column: parts[0].column, row }, test })
}

/// The amount of a benefit that is due and comes to nothing.
fn amount_target(parts: &[Part], answers: &[Answer], row: u32) -> Option<Target> {
    let index = answers.iter().position(|answer| answer.role == Role::Amount)?;
    let nothing = answers[index].tree.value == Some(Value::Number(0));
    let due = answers[0].tree.verdict == Some(Verdict::True);
    (due && nothing).then(|| Target { cell: Cell { column: parts[index].column, row }, test: Test::Positive })
}
