//! Acts that do not complete a step: refusal, return, withdrawal, appeal, extension.

use std::collections::{BTreeMap, BTreeSet};

use super::turn::{Turn, reasoned};
use super::{Outcome, Position, StepIndex, StrandId, Target, What};
use crate::{Digest, RecordKey, Refusal, RefusalCode};

impl Turn<'_> {
    pub fn refuse(
        &mut self,
        id: StrandId,
        items: Option<&BTreeSet<RecordKey>>,
        reasons: &str,
    ) -> Result<(), Refusal> {
        self.permit_step(id)?;
        let (_, step) = self.position(id)?;
        if step.refusing.is_none() {
            return Err(RefusalCode::ActNotDeclared.into());
        }
        reasoned(reasons)?;
        let id = self.chosen(id, items)?;
        self.emit(What::Refused { strand: id, reasons: reasons.to_owned() });
        self.go(id, Target::End(Outcome::Refused))
    }

    /// The strand of the chosen records; of all where none are named.
    fn chosen(&mut self, id: StrandId, items: Option<&BTreeSet<RecordKey>>) -> Result<StrandId, Refusal> {
        let Some(items) = items else { return Ok(id) };
        self.belong(id, items)?;
        let parted = self.part(id, items);
        if parted != id {
            self.settle_clock(id)?;
        }
        Ok(parted)
    }

    pub fn deliver(&mut self, id: StrandId, letter: Digest) -> Result<(), Refusal> {
        let Position::Ended(end) = self.strand(id).position.clone() else {
            return Err(RefusalCode::ActNotDeclared.into());
        };
        let step = self.step(end.step)?;
        let refusing = step.refusing.as_ref().filter(|_| end.outcome == Outcome::Refused);
        let refusing = refusing.ok_or(RefusalCode::ActNotDeclared)?;
        self.permit(id, &step.roles, &[], step.kin_may_act)?;
        if end.delivered.is_some() {
            return Err(RefusalCode::AlreadyDone.into());
        }
        let appeal_until = refusing.appeal.map(|appeal| self.context.until(appeal.within)).transpose()?;
        self.emit(What::Delivered { strand: id, letter, appeal_until });
        Ok(())
    }

    pub fn give_back(&mut self, id: StrandId, to: StepIndex, reasons: &str) -> Result<(), Refusal> {
        self.permit_step(id)?;
        let (_, step) = self.position(id)?;
        if !step.returns.contains(&to) {
            return Err(RefusalCode::ActNotDeclared.into());
        }
        reasoned(reasons)?;
        self.emit(What::Returned { strand: id, to, reasons: reasons.to_owned() });
        self.go(id, Target::Step(to))
    }

    /// Sends back the records whose facts changed, and lets the others go on. Open to all who act here or who
    /// proposed it: nobody gains by it.
    pub fn void(&mut self, id: StrandId) -> Result<(), Refusal> {
        let (index, step) = self.position(id)?;
        let strand = self.strand(id);
        let proposing = strand.proposed_at.ok_or(RefusalCode::ActNotDeclared)?;
        let approved = !self.flow.steps[index.index()..].iter().any(|later| later.approves);
        if approved {
            return Err(RefusalCode::ActNotDeclared.into());
        }
        let changed: BTreeMap<RecordKey, (Digest, Digest)> = strand
            .proposed
            .iter()
            .filter_map(|(item, was)| Some((item.clone(), (*was, self.context.shown(item)?))))
            .filter(|(_, (was, is))| was != is)
            .collect();
        if changed.is_empty() {
            return Err(RefusalCode::FactsUnchanged.into());
        }
        let roles = [step.roles.clone(), self.step(proposing)?.roles.clone()].concat();
        self.permit(id, &roles, &[], true)?;
        let parted = self.chosen(id, Some(&changed.keys().cloned().collect()))?;
        self.emit(What::Voided { strand: parted, changed });
        self.go(parted, Target::Step(proposing))
    }

    /// Applicants act for their own; whoever may apply for others may withdraw for them.
    fn permit_applicant(&self, id: StrandId) -> Result<(), Refusal> {
        let first = self.step(StepIndex(0))?;
        self.permit(id, &first.roles, &[], first.kin_may_act)
    }

    pub fn withdraw(&mut self, id: StrandId, items: Option<&BTreeSet<RecordKey>>) -> Result<(), Refusal> {
        if !self.flow.withdrawal {
            return Err(RefusalCode::ActNotDeclared.into());
        }
        let id = self.chosen(id, items)?;
        self.permit_applicant(id)?;
        self.emit(What::Withdrawn { strand: id });
        self.go(id, Target::End(Outcome::Withdrawn))
    }

    pub fn appeal(&mut self, id: StrandId, grounds: &str) -> Result<(), Refusal> {
        let Position::Ended(end) = self.strand(id).position.clone() else {
            return Err(RefusalCode::ActNotDeclared.into());
        };
        let refusing = self.step(end.step)?.refusing.as_ref().filter(|_| end.outcome == Outcome::Refused);
        let appeal = refusing.and_then(|refusing| refusing.appeal).ok_or(RefusalCode::ActNotDeclared)?;
        if self.strand(id).appealed {
            return Err(RefusalCode::AlreadyDone.into());
        }
        if let Some(until) = end.appeal_until.filter(|until| *until < self.context.now.today) {
            return Err(Refusal::new(RefusalCode::DeadlinePassed).value(until));
        }
        let own: BTreeSet<_> = self.strand(id).items.intersection(&self.context.actor.own).cloned().collect();
        let id = if own.is_empty() { id } else { self.part(id, &own) };
        self.permit_applicant(id)?;
        reasoned(grounds)?;
        self.emit(What::Appealed { strand: id, grounds: grounds.to_owned() });
        self.enter(id, appeal.to)
    }

    pub fn extend(&mut self, id: StrandId, reasons: &str) -> Result<(), Refusal> {
        self.permit_step(id)?;
        let (_, step) = self.position(id)?;
        let days = step.deadline.and_then(|deadline| deadline.extended).ok_or(RefusalCode::ActNotDeclared)?;
        if self.strand(id).work.extended {
            return Err(RefusalCode::AlreadyDone.into());
        }
        reasoned(reasons)?;
        let due = self.context.calendar.add(self.strand(id).entered, self.context.days(days)?, days.unit)?;
        self.emit(What::Extended { strand: id, due, reasons: reasons.to_owned() });
        Ok(())
    }

    /// For kin, for what is unknown: one record does not hold up a village.
    pub fn set_apart(&mut self, id: StrandId, items: &BTreeSet<RecordKey>) -> Result<(), Refusal> {
        let (_, step) = self.position(id)?;
        // Kin may part the record that keeps them from acting; so they are let through here.
        self.permit(id, &step.roles, &step.not_by, true)?;
        self.belong(id, items)?;
        if *items == self.strand(id).items {
            return Err(RefusalCode::AlreadyDone.into());
        }
        let parted = self.part(id, items);
        self.settle_clock(id)?;
        self.settle_clock(parted)
    }
}
