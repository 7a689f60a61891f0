//! Folds events into the state.

use std::collections::BTreeSet;

use super::{
    Clock, Drawn, End, Event, LodgedObjection, Overdue, Position, Reservation, State, StepIndex, Strand,
    StrandId, What, Work,
};
use crate::{Date, RecordKey};

/// The state after the event. Events come in the order in which [`decide`](super::decide) gave them; one about a strand that
/// is not there is a bug of the store, and is asserted.
#[must_use]
pub fn apply(mut state: State, event: &Event) -> State {
    state.last_day = Some(event.day);
    match &event.what {
        What::Opened { flow, version, items } => {
            state.flow.clone_from(flow);
            state.version.clone_from(version);
            state.strands.push(opened(items, event.day));
        }
        What::Parted { from, to, items } => {
            assert_eq!(to.0 as usize, state.strands.len(), "strands are numbered without gaps");
            let parted = part(strand(&mut state, *from), *to, items);
            state.strands.push(parted);
        }
        What::Objected { strand: id, objection, item, grounds, due } => {
            state.objections = objection + 1;
            let strand = strand(&mut state, *id);
            let Position::At(step) = strand.position else { panic!("objections are made at a step") };
            strand.objections.push(LodgedObjection {
                id: *objection,
                step,
                item: item.clone(),
                by: event.actor.clone(),
                grounds: grounds.clone(),
                due: *due,
                overdue: false,
            });
        }
        what => within_strand(&mut state, event, what),
    }
    state
}

fn strand(state: &mut State, id: StrandId) -> &mut Strand {
    state.strands.get_mut(id.0 as usize).expect("events name strands that exist")
}

fn opened(items: &BTreeSet<RecordKey>, day: Date) -> Strand {
    Strand {
        id: StrandId(0),
        items: items.clone(),
        position: Position::At(StepIndex(0)),
        entered: day,
        due: None,
        overdue: false,
        work: Work::default(),
        acts: std::collections::BTreeMap::new(),
        proposed: std::collections::BTreeMap::new(),
        proposed_at: None,
        objections: Vec::new(),
        reserved: Vec::new(),
        appealed: false,
    }
}

/// Takes records out of a strand. What was done was done for them too; an objection to all holds in both.
fn part(from: &mut Strand, to: StrandId, items: &BTreeSet<RecordKey>) -> Strand {
    let mut parted = from.clone();
    parted.id = to;
    keep(&mut parted, |item| items.contains(item));
    keep(from, |item| !items.contains(item));
    parted
}

fn keep(strand: &mut Strand, kept: impl Fn(&RecordKey) -> bool) {
    strand.items.retain(&kept);
    strand.proposed.retain(|item, _| kept(item));
    strand.objections.retain(|objection| objection.item.as_ref().is_none_or(&kept));
    strand.reserved.retain(|reservation| kept(&reservation.item));
    strand.work.visited.retain(&kept);
    if let Some(sample) = &mut strand.work.sample {
        sample.drawn.retain(&kept);
        sample.musts.retain(&kept);
    }
    if let Some(tally) = &mut strand.work.vote {
        tally.ballots.retain(|item, _| kept(item));
    }
}

/// The strand that an event happens within.
fn place(what: &What) -> StrandId {
    match what {
        What::Entered { strand, .. }
        | What::Attached { strand, .. }
        | What::Investigated { strand }
        | What::Sampled { strand, .. }
        | What::Visited { strand, .. }
        | What::Voted { strand, .. }
        | What::Posted { strand, .. }
        | What::ClockStarted { strand, .. }
        | What::ClockStopped { strand, .. }
        | What::Objected { strand, .. }
        | What::Answered { strand, .. }
        | What::Proposed { strand, .. }
        | What::Completed { strand, .. }
        | What::Writes { strand, .. }
        | What::Reserved { strand, .. }
        | What::Released { strand, .. }
        | What::Refused { strand, .. }
        | What::Returned { strand, .. }
        | What::Voided { strand, .. }
        | What::Withdrawn { strand }
        | What::Extended { strand, .. }
        | What::Overdue { strand, .. }
        | What::Ended { strand, .. }
        | What::Delivered { strand, .. }
        | What::Appealed { strand, .. } => *strand,
        What::Opened { .. } => StrandId(0),
        What::Parted { from, .. } => *from,
    }
}

/// Whether the actor thereby acted in the step, and may not check it later.
const fn is_act(what: &What) -> bool {
    matches!(
        what,
        What::Attached { .. }
            | What::Investigated { .. }
            | What::Sampled { .. }
            | What::Visited { .. }
            | What::Voted { .. }
            | What::Posted { .. }
            | What::Completed { .. }
            | What::Refused { .. }
            | What::Returned { .. }
            | What::Extended { .. }
    )
}

fn within_strand(state: &mut State, event: &Event, what: &What) {
    let day = event.day;
    let strand = strand(state, place(what));
    if let (true, Position::At(step)) = (is_act(what), &strand.position) {
        strand.acts.entry(*step).or_default().insert(event.actor.clone());
    }
    let work = &mut strand.work;
    match what {
        What::Entered { step, due, .. } => {
            strand.position = Position::At(*step);
            strand.entered = day;
            strand.due = *due;
            strand.overdue = false;
            strand.work = Work::default();
        }
        What::Attached { kind, document, .. } => {
            work.evidence.entry(kind.clone()).or_default().insert(*document);
        }
        What::Investigated { .. } => {
            work.investigators.insert(event.actor.clone());
        }
        What::Sampled { seed, drawn, musts, .. } => {
            work.sample = Some(Drawn { seed: *seed, drawn: drawn.clone(), musts: musts.clone() });
        }
        What::Visited { items, .. } => work.visited.extend(items.iter().cloned()),
        What::Voted { tally, .. } => work.vote = Some(tally.clone()),
        What::Posted { place, .. } => {
            work.posted.insert(place.clone());
        }
        What::ClockStarted { required, hung, unit, until, .. } => {
            let (required, hung, unit) = (*required, *hung, *unit);
            work.clock = Some(Clock { required, unit, hung, running_from: Some(day), until: Some(*until) });
        }
        What::ClockStopped { hung, .. } => {
            let clock = work.clock.as_mut().expect("a clock that stops was started");
            *clock = Clock { hung: *hung, running_from: None, until: None, ..*clock };
        }
        What::Answered { objection, .. } => strand.objections.retain(|open| open.id != *objection),
        What::Proposed { digests, .. } => {
            strand.proposed.clone_from(digests);
            let Position::At(step) = strand.position else { panic!("what is proposed is at a step") };
            strand.proposed_at = Some(step);
        }
        What::Reserved { item, fund, period, amount, .. } => strand.reserved.push(Reservation {
            item: item.clone(),
            fund: fund.clone(),
            period: period.clone(),
            amount: *amount,
        }),
        What::Released { item, fund, period, .. } => {
            strand.reserved.retain(|kept| (&kept.item, &kept.fund, &kept.period) != (item, fund, period));
        }
        What::Voided { changed, .. } => strand.proposed.retain(|item, _| !changed.contains_key(item)),
        What::Extended { due, .. } => {
            strand.due = Some(*due);
            strand.overdue = false;
            work.extended = true;
        }
        What::Overdue { what: Overdue::Answer(id), .. } => {
            strand.objections.iter_mut().filter(|open| open.id == *id).for_each(|open| open.overdue = true);
        }
        What::Overdue { what: Overdue::Step | Overdue::Letter, .. } => strand.overdue = true,
        What::Ended { outcome, step, deliver_by, .. } => {
            strand.position = Position::Ended(End {
                outcome: *outcome,
                step: *step,
                on: day,
                deliver_by: *deliver_by,
                delivered: None,
                appeal_until: None,
            });
            strand.due = None;
            strand.overdue = false;
        }
        What::Delivered { appeal_until, .. } => {
            if let Position::Ended(end) = &mut strand.position {
                end.delivered = Some(day);
                end.appeal_until = *appeal_until;
            }
        }
        What::Appealed { .. } => strand.appealed = true,
        What::Opened { .. }
        | What::Parted { .. }
        | What::Objected { .. }
        | What::Completed { .. }
        | What::Writes { .. }
        | What::Refused { .. }
        | What::Returned { .. }
        | What::Withdrawn { .. } => {}
    }
}
