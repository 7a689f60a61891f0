//! What no case could go through, or should: steps out of reach, circles without an end, makers who check,
//! notices after the decision, conditions that come too early.

use std::collections::{BTreeSet, HashSet};

use model::flow::{Flow as Machine, Step, StepIndex, Target};

use super::StepPlaces;
use crate::compiler::Compiler;
use crate::diagnostic::Diagnostic;
use crate::program::{ColumnId, ColumnKind, Rule};
use crate::surface::list_words;

impl Compiler<'_> {
    /// Every step is reached from the first, and from every step an end is.
    pub(super) fn check_graph(&mut self, rule: &Rule, machine: &Machine, places: &[StepPlaces]) {
        let reached = closure(machine, StepIndex(0), &leads_to);
        for (position, step) in machine.steps.iter().enumerate() {
            if !reached.contains(&StepIndex(position as u16)) {
                self.report(
                    Diagnostic::new(
                        "unreachable-step",
                        places[position].id,
                        format!("no case of `{}` comes to step `{}`", rule.id, step.id),
                    )
                    .hint("lead to it by `next`, `lost`, `returns` or `upheld`, or drop it"),
                );
            }
        }
        for (position, step) in machine.steps.iter().enumerate() {
            let onward = closure(machine, StepIndex(position as u16), &onward);
            let ends = onward.iter().filter_map(|index| machine.step(*index)).any(ends);
            if !ends {
                let circle: Vec<&str> = onward
                    .iter()
                    .filter_map(|index| machine.step(*index))
                    .map(|step| step.id.as_str())
                    .collect();
                self.report(
                    Diagnostic::new(
                        "no-end",
                        places[position].id,
                        format!("from step `{}` no end is reached", step.id),
                    )
                    .label(format!("it leads to {} only", list_words(&circle)))
                    .hint("lead one of them to `done` or `refused`, or let it refuse (`refuses`)"),
                );
            }
        }
    }

    /// Whoever proposes or investigates does not approve, nor answer objections to it.
    pub(super) fn check_makers(&mut self, machine: &Machine, places: &[StepPlaces]) {
        for (position, step) in machine.steps.iter().enumerate() {
            if step.approves {
                let barred = &step.not_by;
                self.check_maker(machine, places, position, &step.roles, barred, true);
            }
            if let Some(objection) = &step.objection {
                let barred = &objection.not_by;
                self.check_maker(machine, places, position, &objection.answered_by, barred, false);
            }
        }
    }

    fn check_maker(
        &mut self,
        machine: &Machine,
        places: &[StepPlaces],
        checks: usize,
        roles: &[String],
        not_by: &[StepIndex],
        approves: bool,
    ) {
        let (verb, place) = if approves {
            ("approves in", places[checks].role)
        } else {
            ("answers objections to", places[checks].objection)
        };
        for (position, made) in machine.steps.iter().enumerate() {
            let makes =
                position != checks && (made.proposes || made.investigators > 0 || made.sample.is_some());
            let before = closure(machine, StepIndex(position as u16), &onward);
            let shared: Vec<&str> =
                roles.iter().filter(|role| made.roles.contains(role)).map(String::as_str).collect();
            let index = StepIndex(position as u16);
            let precedes = position < checks && before.contains(&StepIndex(checks as u16));
            if makes && precedes && !shared.is_empty() && !not_by.contains(&index) {
                let step = &machine.steps[checks].id;
                self.report(
                    Diagnostic::new(
                        "maker-is-checker",
                        place,
                        format!(
                            "who acts in `{}` also {verb} `{step}`: {} can do both",
                            made.id,
                            list_words(&shared)
                        ),
                    )
                    .also(places[position].id, "made here")
                    .hint(format!("add `not_by = [\"{}\"]`", made.id)),
                );
            }
        }
    }

    /// Notices come before the decision, proposals before approvals, and what is sent back goes back.
    pub(super) fn check_order(&mut self, machine: &Machine, places: &[StepPlaces]) {
        for (position, step) in machine.steps.iter().enumerate() {
            let index = StepIndex(position as u16);
            let before = |test: &dyn Fn(&Step) -> bool| {
                (0..position).find(|earlier| {
                    let leads = closure(machine, StepIndex(*earlier as u16), &onward).contains(&index);
                    leads && test(&machine.steps[*earlier])
                })
            };
            if step.approves && before(&|earlier| earlier.proposes).is_none() {
                self.report(
                    Diagnostic::new(
                        "nothing-proposed",
                        places[position].id,
                        format!("step `{}` approves, but no step before it proposes", step.id),
                    )
                    .hint("mark the step that fixes what is shown with `proposes = true`"),
                );
            }
            if step.proposes && machine.shows.is_empty() {
                self.report(
                    Diagnostic::new(
                        "nothing-proposed",
                        places[position].id,
                        format!("step `{}` proposes, but the flow shows nothing", step.id),
                    )
                    .hint("name the columns that are decided upon: `shows = [\"…\"]`"),
                );
            }
            if step.reserves.is_some() && !step.approves {
                self.report(
                    Diagnostic::new(
                        "not-approved",
                        places[position].id,
                        format!("step `{}` reserves money without approving anything", step.id),
                    )
                    .hint("add `approves = true`"),
                );
            }
            let again = machine.steps[position + 1..].iter().any(|later| later.approves);
            if let (true, false, Some(decided)) =
                (step.notice.is_some(), again, before(&|earlier| earlier.approves))
            {
                self.report(
                    Diagnostic::new(
                        "notice-after-decision",
                        places[position].notice,
                        format!(
                            "the notice of `{}` hangs after `{}` has decided",
                            step.id, machine.steps[decided].id
                        ),
                    )
                    .also(places[decided].id, "decided here")
                    .hint("post it before the decision; what only announces it is `publishes`"),
                );
            }
            if step.objection.is_some() && step.notice.is_none() {
                let message = format!("step `{}` takes objections but posts no notice", step.id);
                self.report(Diagnostic::new("missing-key", places[position].objection, message));
            }
            self.check_back(machine, places, position);
        }
        self.check_facts(machine, places);
    }

    /// What sends a case back may not send it forward, past steps that it has not been through.
    fn check_back(&mut self, machine: &Machine, places: &[StepPlaces], position: usize) {
        let step = &machine.steps[position];
        let index = StepIndex(position as u16);
        let appeal = step.refusing.as_ref().and_then(|refusing| refusing.appeal);
        let back = [
            ("upheld", step.objection.as_ref().map(|objection| objection.upheld)),
            ("appeal", appeal.map(|appeal| appeal.to)),
        ];
        let back = back.into_iter().filter_map(|(key, to)| Some((key, to?)));
        for (key, to) in back.chain(step.returns.iter().map(|to| ("returns", *to))) {
            if to > index || (key == "returns" && to == index) {
                self.report(
                    Diagnostic::new(
                        "sent-forward",
                        places[position].id,
                        format!(
                            "`{key}` of step `{}` leads on to `{}`",
                            step.id,
                            machine.steps[to.index()].id
                        ),
                    )
                    .label("what is sent back would skip the steps between")
                    .hint("name this step or an earlier one"),
                );
            }
        }
    }

    /// A condition does not rest on what only a later step writes.
    fn check_facts(&mut self, machine: &Machine, places: &[StepPlaces]) {
        for (position, step) in machine.steps.iter().enumerate() {
            let Some(when) = step.when else { continue };
            let needs = self.fields_below(ColumnId(when.0));
            for later in position..machine.steps.len() {
                for write in &machine.steps[later].records {
                    let Some(entity) = self.program.entity_named(&write.entity) else { continue };
                    let early = write
                        .fields
                        .iter()
                        .find(|(field, _)| self.known(entity, field).is_some_and(|id| needs.contains(&id)));
                    if let Some((field, _)) = early {
                        self.report(
                            Diagnostic::new(
                                "fact-comes-later",
                                places[position].when,
                                format!(
                                    "the condition of `{}` needs `{}.{field}`, which `{}` writes",
                                    step.id, write.entity, machine.steps[later].id
                                ),
                            )
                            .also(places[later].id, "written here")
                            .hint("ask for what is known by then, or move the condition to a later step"),
                        );
                    }
                }
            }
        }
    }

    /// The recorded fields that a column rests on.
    fn fields_below(&self, column: ColumnId) -> BTreeSet<ColumnId> {
        let mut seen = HashSet::new();
        let mut fields = BTreeSet::new();
        let mut waiting = vec![column];
        while let Some(id) = waiting.pop() {
            if !seen.insert(id) {
                continue;
            }
            let column = self.program.column(id);
            match &column.kind {
                ColumnKind::Field(_) => {
                    fields.insert(id);
                }
                ColumnKind::Lookup { column, .. } => waiting.push(*column),
                _ => {}
            }
            for expr in column.expressions() {
                expr.each(&mut |inner| {
                    if let crate::program::ExprKind::Column(id) = &inner.kind {
                        waiting.push(*id);
                    }
                });
            }
        }
        fields
    }
}

/// The steps that a strand can come to from a step, itself included.
fn closure(machine: &Machine, from: StepIndex, edges: &dyn Fn(&Step) -> Vec<Target>) -> BTreeSet<StepIndex> {
    let mut found = BTreeSet::new();
    let mut waiting = vec![from];
    while let Some(index) = waiting.pop() {
        let Some(step) = machine.step(index).filter(|_| found.insert(index)) else { continue };
        waiting.extend(edges(step).into_iter().filter_map(|target| match target {
            Target::Step(next) => Some(next),
            Target::End(_) => None,
        }));
    }
    found
}

/// Where completing a step leads.
fn onward(step: &Step) -> Vec<Target> {
    let lost = step.vote.as_ref().map(|vote| vote.lost);
    step.next.iter().map(|branch| branch.to).chain(lost).collect()
}

/// Where anything leads from a step.
fn leads_to(step: &Step) -> Vec<Target> {
    let upheld = step.objection.as_ref().map(|objection| objection.upheld);
    let appeal = step.refusing.as_ref().and_then(|refusing| refusing.appeal).map(|appeal| appeal.to);
    let back = upheld.into_iter().chain(appeal).chain(step.returns.iter().copied()).map(Target::Step);
    onward(step).into_iter().chain(back).collect()
}

fn ends(step: &Step) -> bool {
    let lapses = step.deadline.is_some_and(|deadline| deadline.lapses);
    step.refusing.is_some() || lapses || onward(step).iter().any(|target| matches!(target, Target::End(_)))
}
