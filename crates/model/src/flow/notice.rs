//! Notices and the objections to them.

use std::collections::BTreeSet;

use super::turn::{Turn, not_permitted, reasoned};
use super::{Days, Effect, Objectors, StrandId, Target, What};
use crate::{Date, RecordKey, Refusal, RefusalCode};

impl Turn<'_> {
    /// Posts at one place; at the last of them the period begins.
    pub fn post(&mut self, id: StrandId, place: &str) -> Result<(), Refusal> {
        self.permit_step(id)?;
        let (_, step) = self.position(id)?;
        let notice = step.notice.as_ref().ok_or(RefusalCode::ActNotDeclared)?;
        if !notice.places.iter().any(|known| known.id == place) {
            let places: Vec<&str> = notice.places.iter().map(|place| place.id.as_str()).collect();
            return Err(Refusal::new(RefusalCode::ActNotDeclared).value(place).expected(places.join(", ")));
        }
        let strand = self.strand(id);
        if strand.work.posted.contains(place) {
            return Err(RefusalCode::AlreadyDone.into());
        }
        if !strand.proposed.is_empty() {
            self.unchanged(id, &strand.items)?;
        }
        self.emit(What::Posted { strand: id, place: place.to_owned() });
        let posted = &self.strand(id).work.posted;
        if notice.places.iter().all(|place| posted.contains(&place.id)) {
            self.start_clock(id, notice.days, None)?;
        }
        Ok(())
    }

    /// Starts the period, or goes on with what `hung` says has passed of what is required.
    fn start_clock(&mut self, id: StrandId, days: Days, hung: Option<(u32, u32)>) -> Result<(), Refusal> {
        let (hung, required) = match hung {
            Some(known) => known,
            None => (0, self.context.days(days)?),
        };
        let today = self.context.now.today;
        let until = self.context.calendar.add(today, required - hung, days.unit)?;
        self.emit(What::ClockStarted { strand: id, required, hung, unit: days.unit, until });
        Ok(())
    }

    /// Stops a running period: the day on which it stops does not count, as the day on which it starts does not.
    fn stop_clock(&mut self, id: StrandId) -> Result<(), Refusal> {
        let Some(clock) = self.strand(id).work.clock else { return Ok(()) };
        let Some(from) = clock.running_from else { return Ok(()) };
        let yesterday = self.context.now.today.add_days(-1).unwrap_or(Date::MIN);
        let passed = self.context.calendar.count(from, yesterday, clock.unit)?;
        self.emit(What::ClockStopped { strand: id, hung: clock.hung + passed });
        Ok(())
    }

    /// Lets the period go on, or count anew, once no objection is open.
    pub fn settle_clock(&mut self, id: StrandId) -> Result<(), Refusal> {
        let strand = self.strand(id);
        let Some(clock) = strand.work.clock else { return Ok(()) };
        if clock.running_from.is_some() || !strand.objections.is_empty() {
            return Ok(());
        }
        let (_, step) = self.position(id)?;
        let anew = step.objection.as_ref().is_some_and(|objection| objection.effect == Effect::Restart);
        let Some(notice) = &step.notice else { return Ok(()) };
        let hung = if anew { 0 } else { clock.hung };
        self.start_clock(id, notice.days, Some((hung, clock.required)))
    }

    pub fn object(&mut self, id: StrandId, item: Option<&RecordKey>, grounds: &str) -> Result<(), Refusal> {
        let (_, step) = self.position(id)?;
        let declared = step.objection.as_ref().ok_or(RefusalCode::ActNotDeclared)?;
        if let Objectors::Roles(roles) = &declared.by
            && !roles.contains(&self.context.actor.role)
        {
            return Err(not_permitted(&self.context.actor.role, roles));
        }
        reasoned(grounds)?;
        if let Some(item) = item {
            self.belong(id, &[item.clone()].into())?;
        }
        let clock = self.strand(id).work.clock.ok_or(RefusalCode::NoticeNotPosted)?;
        if let Some(until) = clock.until.filter(|until| *until < self.context.now.today) {
            return Err(Refusal::new(RefusalCode::NoticeOver).value(until));
        }
        let due = declared.within.map(|days| self.context.until(days)).transpose()?;
        let id = match item.filter(|_| declared.effect == Effect::Separate) {
            Some(item) => self.part(id, &[item.clone()].into()),
            None => id,
        };
        let objection = self.state.objections;
        self.emit(What::Objected {
            strand: id,
            objection,
            item: item.cloned(),
            grounds: grounds.to_owned(),
            due,
        });
        self.stop_clock(id)
    }

    pub fn answer(
        &mut self,
        id: StrandId,
        objection: u32,
        upheld: bool,
        reasons: &str,
    ) -> Result<(), Refusal> {
        let missing = || Refusal::new(RefusalCode::NotFound).value(objection);
        let lodged = self.strand(id).objections.iter().find(|open| open.id == objection);
        let lodged = lodged.ok_or_else(missing)?.clone();
        let declared = self.step(lodged.step)?.objection.as_ref().ok_or_else(missing)?;
        self.permit(id, &declared.answered_by, &declared.not_by, false)?;
        if lodged.by == self.context.actor.id {
            return Err(Refusal::new(RefusalCode::MakerIsChecker).value(objection));
        }
        reasoned(reasons)?;
        self.emit(What::Answered { strand: id, objection, upheld, reasons: reasons.to_owned() });
        if !upheld {
            return self.settle_clock(id);
        }
        // Only the record objected to goes back; the others go on.
        let concerned: BTreeSet<RecordKey> = match lodged.item {
            Some(item) => [item].into(),
            None => self.strand(id).items.clone(),
        };
        let parted = self.part(id, &concerned);
        // Where it was returned further back meanwhile, upholding leaves it there: nothing is skipped.
        if self.position(parted)?.0 >= declared.upheld {
            self.go(parted, Target::Step(declared.upheld))?;
        }
        if parted == id { Ok(()) } else { self.settle_clock(id) }
    }
}
