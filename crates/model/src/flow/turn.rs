//! One decision in the making: every event is applied at once, so that what follows it sees it.

use std::collections::BTreeSet;

use super::{
    Context, Event, Flow, Outcome, Position, State, Step, StepIndex, Strand, StrandId, Target, What, apply,
};
use crate::{RecordKey, Refusal, RefusalCode};

pub(super) struct Turn<'a> {
    pub flow: &'a Flow,
    pub context: &'a Context<'a>,
    pub state: State,
    pub events: Vec<Event>,
}

impl<'a> Turn<'a> {
    pub fn emit(&mut self, what: What) {
        let event = Event {
            at: self.context.now.at,
            day: self.context.now.today,
            actor: self.context.actor.id.clone(),
            role: self.context.actor.role.clone(),
            what,
        };
        self.state = apply(std::mem::take(&mut self.state), &event);
        self.events.push(event);
    }

    pub fn strand(&self, id: StrandId) -> &Strand {
        self.state.strand(id).expect("the strand was looked up when the command was read")
    }

    /// The step at which an open strand stands.
    pub fn position(&self, id: StrandId) -> Result<(StepIndex, &'a Step), Refusal> {
        match self.strand(id).position {
            Position::At(index) => Ok((index, self.step(index)?)),
            Position::Ended(_) => Err(RefusalCode::CaseClosed.into()),
        }
    }

    pub fn step(&self, index: StepIndex) -> Result<&'a Step, Refusal> {
        // A version that lacks the step is not the one that the case began with.
        self.flow.step(index).ok_or_else(|| Refusal::new(RefusalCode::FlowVersion))
    }

    /// Whether the actor may act for the strand in one of the roles, not having acted in `not_by`.
    pub fn permit(
        &self,
        id: StrandId,
        roles: &[String],
        not_by: &[StepIndex],
        kin_may_act: bool,
    ) -> Result<(), Refusal> {
        let actor = &self.context.actor;
        let strand = self.strand(id);
        if !roles.contains(&actor.role) {
            return Err(not_permitted(&actor.role, roles));
        }
        if self.flow.applicants.contains(&actor.role) {
            if !strand.items.is_subset(&actor.own) {
                return Err(not_permitted(&actor.role, roles));
            }
        } else if !kin_may_act {
            let own: BTreeSet<_> = actor.own.union(&actor.kin).cloned().collect();
            let close: BTreeSet<_> = strand.items.intersection(&own).cloned().collect();
            if !close.is_empty() {
                return Err(Refusal::new(RefusalCode::KinRecused).value(list(&close)));
            }
        }
        for step in not_by {
            if strand.acts.get(step).is_some_and(|who| who.contains(&actor.id)) {
                return Err(Refusal::new(RefusalCode::MakerIsChecker).field(self.step(*step)?.title.clone()));
            }
        }
        Ok(())
    }

    /// The strand with these records alone: itself if they are all, otherwise a new one.
    pub fn part(&mut self, from: StrandId, items: &BTreeSet<RecordKey>) -> StrandId {
        if *items == self.strand(from).items {
            return from;
        }
        let to = StrandId(self.state.strands.len() as u32);
        self.emit(What::Parted { from, to, items: items.clone() });
        to
    }

    /// Moves a strand on, back or to its end; what it reserved is released unless it moves on.
    pub fn go(&mut self, id: StrandId, target: Target) -> Result<(), Refusal> {
        let (current, step) = self.position(id)?;
        match target {
            Target::Step(next) => {
                if next <= current {
                    self.release(id);
                }
                self.enter(id, next)
            }
            Target::End(outcome) => {
                let refusing = step.refusing.as_ref().filter(|_| outcome == Outcome::Refused);
                let within = refusing.and_then(|refusing| refusing.within);
                let deliver_by = within.map(|days| self.context.until(days)).transpose()?;
                if outcome != Outcome::Done {
                    self.release(id);
                }
                self.emit(What::Ended { strand: id, outcome, step: current, deliver_by });
                Ok(())
            }
        }
    }

    pub fn enter(&mut self, id: StrandId, index: StepIndex) -> Result<(), Refusal> {
        let deadline = self.step(index)?.deadline;
        let due = deadline.map(|deadline| self.context.until(deadline.within)).transpose()?;
        self.emit(What::Entered { strand: id, step: index, due });
        Ok(())
    }

    fn release(&mut self, id: StrandId) {
        for kept in self.strand(id).reserved.clone() {
            self.emit(What::Released {
                strand: id,
                item: kept.item,
                fund: kept.fund,
                period: kept.period,
                amount: kept.amount,
            });
        }
    }
}

pub(super) fn not_permitted(role: &str, roles: &[String]) -> Refusal {
    Refusal::new(RefusalCode::NotPermitted).value(role).expected(roles.join(", "))
}

/// Keys for a message; a long list is cut, and says how many there are.
pub(super) fn list(items: &BTreeSet<RecordKey>) -> String {
    const SHOWN_MAX: usize = 10;
    let mut text: Vec<&str> = items.iter().take(SHOWN_MAX).map(RecordKey::as_str).collect();
    let more = format!("… ({})", items.len());
    if items.len() > SHOWN_MAX {
        text.push(&more);
    }
    text.join(", ")
}

pub(super) fn reasoned(reasons: &str) -> Result<(), Refusal> {
    if reasons.trim().is_empty() { Err(RefusalCode::ReasonsMissing.into()) } else { Ok(()) }
}
