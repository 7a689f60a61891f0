//! Reads a command and finds what follows from it.

use std::collections::BTreeSet;

use super::turn::Turn;
use super::{
    Act, Command, Context, Event, Flow, Outcome, Overdue, Position, State, StepIndex, StrandId, Target, What,
};
use crate::{RecordKey, Refusal, RefusalCode};

/// The events that follow from a command, or why it is refused; a refusal changes nothing.
///
/// `state` is the fold of all events of the case so far, and [`State::default`] before the first. The flow is the one that
/// the case began with: another version is refused.
pub fn decide(
    flow: &Flow,
    state: &State,
    command: &Command,
    context: &Context<'_>,
) -> Result<Vec<Event>, Refusal> {
    if let Some(last) = state.last_day.filter(|last| *last > context.now.today) {
        return Err(Refusal::new(RefusalCode::DateOrder)
            .value(context.now.today)
            .expected(format!("≥ {last}")));
    }
    let mut turn = Turn { flow, context, state: state.clone(), events: Vec::new() };
    match command {
        Command::Open { items } => turn.open(items)?,
        Command::Act { strand, step, act } => {
            turn.opened()?;
            turn.act(*strand, *step, act)?;
        }
        Command::Tick => {
            turn.opened()?;
            turn.tick()?;
        }
    }
    Ok(turn.events)
}

impl Turn<'_> {
    fn opened(&self) -> Result<(), Refusal> {
        if self.state.strands.is_empty() {
            return Err(RefusalCode::NotFound.into());
        }
        if (&self.state.flow, &self.state.version) != (&self.flow.id, &self.flow.version) {
            return Err(Refusal::new(RefusalCode::FlowVersion)
                .value(&self.flow.version)
                .expected(&self.state.version));
        }
        Ok(())
    }

    fn open(&mut self, items: &BTreeSet<RecordKey>) -> Result<(), Refusal> {
        if !self.state.strands.is_empty() {
            return Err(RefusalCode::AlreadyDone.into());
        }
        if items.is_empty() {
            return Err(RefusalCode::RequiredMissing.into());
        }
        if items.len() > 1 && !self.flow.sheet {
            return Err(Refusal::new(RefusalCode::OutOfRange).value(items.len()).expected("1"));
        }
        let (flow, version) = (self.flow.id.clone(), self.flow.version.clone());
        self.emit(What::Opened { flow, version, items: items.clone() });
        let step = self.step(StepIndex(0))?;
        self.permit(StrandId(0), &step.roles, &[], step.kin_may_act)?;
        self.enter(StrandId(0), StepIndex(0))
    }

    fn act(&mut self, id: StrandId, seen: StepIndex, act: &Act) -> Result<(), Refusal> {
        let Some(strand) = self.state.strand(id) else {
            return Err(Refusal::new(RefusalCode::NotFound).value(id.0));
        };
        let (at, over) = match &strand.position {
            Position::At(step) => (*step, false),
            Position::Ended(end) => (end.step, true),
        };
        if over && !matches!(act, Act::Deliver { .. } | Act::Appeal { .. }) {
            return Err(RefusalCode::CaseClosed.into());
        }
        if at != seen {
            let expected = self.step(at)?.id.clone();
            return Err(Refusal::new(RefusalCode::StepNotCurrent).expected(expected));
        }
        let lapses = self.step(at)?.deadline.is_some_and(|deadline| deadline.lapses);
        if let Some(due) = strand.due.filter(|due| lapses && *due < self.context.now.today) {
            return Err(Refusal::new(RefusalCode::DeadlinePassed).value(due));
        }
        match act {
            Act::Attach { kind, document } => self.attach(id, kind, *document),
            Act::Investigate => self.investigate(id),
            Act::Draw => self.draw(id),
            Act::Visit { items } => self.visit(id, items),
            Act::Vote(minutes) => self.vote(id, minutes),
            Act::Post { place } => self.post(id, place),
            Act::Object { item, grounds } => self.object(id, item.as_ref(), grounds),
            Act::Answer { objection, upheld, reasons } => self.answer(id, *objection, *upheld, reasons),
            Act::Complete { choice } => self.complete(id, choice.as_deref()),
            Act::Refuse { items, reasons } => self.refuse(id, items.as_ref(), reasons),
            Act::Deliver { letter } => self.deliver(id, *letter),
            Act::Return { to, reasons } => self.give_back(id, *to, reasons),
            Act::Void => self.void(id),
            Act::Withdraw { items } => self.withdraw(id, items.as_ref()),
            Act::Appeal { grounds } => self.appeal(id, grounds),
            Act::Extend { reasons } => self.extend(id, reasons),
            Act::SetApart { items } => self.set_apart(id, items),
        }
    }

    /// What time does by itself.
    fn tick(&mut self) -> Result<(), Refusal> {
        let today = self.context.now.today;
        let missed = |due: Option<_>, marked: bool| due.is_some_and(|due| due < today) && !marked;
        for strand in self.state.strands.clone() {
            for objection in &strand.objections {
                if missed(objection.due, objection.overdue) && matches!(strand.position, Position::At(_)) {
                    self.emit(What::Overdue { strand: strand.id, what: Overdue::Answer(objection.id) });
                }
            }
            match &strand.position {
                Position::At(index) if missed(strand.due, strand.overdue) => {
                    if self.step(*index)?.deadline.is_some_and(|deadline| deadline.lapses) {
                        self.go(strand.id, Target::End(Outcome::Lapsed))?;
                    } else {
                        self.emit(What::Overdue { strand: strand.id, what: Overdue::Step });
                    }
                }
                Position::Ended(end) if end.delivered.is_none() && missed(end.deliver_by, strand.overdue) => {
                    self.emit(What::Overdue { strand: strand.id, what: Overdue::Letter });
                }
                _ => {}
            }
        }
        Ok(())
    }
}
