//! What must be so of every finished case, judged by its events alone and without the machine's own state.

use std::collections::{BTreeMap, BTreeSet};

use model::flow::*;
use model::{Date, Digest, RecordKey};

use crate::world::*;

fn strand_of(what: &What) -> Option<StrandId> {
    let value = serde_json::to_value(what).unwrap();
    let fields = value.as_object()?.values().next()?;
    let id = fields.get("strand")?.as_u64()?;
    Some(StrandId(id as u32))
}

/// All that happened to what is now this strand, before it parted from others too.
fn history(events: &[Event], strand: StrandId) -> Vec<Event> {
    let parted =
        events.iter().position(|event| matches!(&event.what, What::Parted { to, .. } if *to == strand));
    let mut found = match parted {
        Some(position) => {
            let What::Parted { from, .. } = &events[position].what else { unreachable!("it was matched") };
            history(&events[..position], *from)
        }
        None => vec![],
    };
    let start = parted.map_or(0, |position| position + 1);
    found.extend(events[start..].iter().filter(|event| strand_of(&event.what) == Some(strand)).cloned());
    found
}

/// The step at which each event happened.
fn placed(history: &[Event]) -> Vec<(StepIndex, &Event)> {
    let mut at = StepIndex(0);
    history
        .iter()
        .map(|event| {
            if let What::Entered { step, .. } = &event.what {
                at = *step;
            }
            (at, event)
        })
        .collect()
}

fn members(events: &[Event], strand: StrandId) -> BTreeSet<RecordKey> {
    let mut members: BTreeMap<StrandId, BTreeSet<RecordKey>> = BTreeMap::new();
    for event in events {
        match &event.what {
            What::Opened { items, .. } => {
                members.insert(StrandId(0), items.clone());
            }
            What::Parted { from, to, items } => {
                members.get_mut(from).unwrap().retain(|item| !items.contains(item));
                members.insert(*to, items.clone());
            }
            _ => {}
        }
    }
    members.remove(&strand).unwrap()
}

fn counts(day: Date, unit: DayUnit) -> bool {
    unit == DayUnit::Calendar || calendar().is_working(day).unwrap()
}

/// Days on which the notice hung from morning to evening, up to and without `end`: neither the days on which
/// the clock was started nor those on which it was stopped.
fn hung(visit: &[(StepIndex, &Event)], end: Date, anew: bool) -> u32 {
    let mut days = 0;
    let mut running: Option<(Date, DayUnit)> = None;
    let whole = |from: Date, to: Date, unit| {
        let between = (from.days() + 1..to.days()).map(|day| Date::from_days(day).unwrap());
        between.filter(|day| counts(*day, unit)).count() as u32
    };
    for (_, event) in visit {
        match &event.what {
            What::ClockStarted { unit, .. } => {
                days = if anew { 0 } else { days };
                running = Some((event.day, *unit));
            }
            What::ClockStopped { .. } => {
                let (from, unit) = running.take().expect("only a running clock stops");
                days += whole(from, event.day, unit);
            }
            _ => {}
        }
    }
    let (from, unit) = running.expect("the clock runs when the notice is over");
    days + whole(from, end, unit)
}

/// Panics if a strand was approved, or came to its end, in a way that the declaration forbids.
pub fn judge(world: &World) {
    let events = &world.events;
    for strand in &world.state.strands {
        let items = members(events, strand.id);
        assert_eq!(items, strand.items);
        let history = history(events, strand.id);
        let placed = placed(&history);
        for position in 0..placed.len() {
            if let What::Completed { step, .. } = &placed[position].1.what {
                completed(world, &items, &placed[..position], *step, placed[position].1);
            }
        }
        ended(strand, &placed);
    }
    money(world);
}

/// The events since the step was last entered.
fn last_visit<'h, 'e>(before: &'h [(StepIndex, &'e Event)], step: StepIndex) -> &'h [(StepIndex, &'e Event)] {
    let entered = |(_, event): &(StepIndex, &Event)| matches!(&event.what, What::Entered { step: at, .. } if *at == step);
    let from = before.iter().rposition(entered).unwrap_or_else(|| panic!("{step:?} was never entered"));
    let rest = &before[from..];
    let len = rest.iter().position(|(at, _)| *at != step).unwrap_or(rest.len());
    &rest[..len]
}

fn completed(
    world: &World,
    items: &BTreeSet<RecordKey>,
    before: &[(StepIndex, &Event)],
    step: StepIndex,
    event: &Event,
) {
    let declared = &world.flow.steps[step.index()];
    let visit = last_visit(before, step);
    assert!(declared.roles.contains(&event.role), "{} completed {}", event.role, declared.id);
    for barred in &declared.not_by {
        for (at, earlier) in before {
            let acted = matches!(
                earlier.what,
                What::Investigated { .. }
                    | What::Voted { .. }
                    | What::Posted { .. }
                    | What::Sampled { .. }
                    | What::Visited { .. }
                    | What::Completed { .. }
                    | What::Returned { .. }
            );
            assert!(
                !(acted && at == barred && earlier.actor == event.actor),
                "the maker checked {}",
                declared.id
            );
        }
    }
    if declared.investigators > 0 {
        let persons: BTreeSet<&str> = visit
            .iter()
            .filter(|(_, event)| matches!(event.what, What::Investigated { .. }))
            .map(|(_, event)| event.actor.as_str())
            .collect();
        assert!(persons.len() >= usize::from(declared.investigators));
    }
    if declared.vote.is_some() {
        let tally = visit.iter().find_map(|(_, event)| match &event.what {
            What::Voted { tally, .. } => Some(tally),
            _ => None,
        });
        let tally = tally.expect("a vote was held");
        assert!(3 * tally.present >= 2 * tally.entitled, "without quorum");
        for (in_favour, _, carried) in tally.ballots.values() {
            assert_eq!(*carried, 2 * in_favour > tally.present);
        }
    }
    if let Some(notice) = &declared.notice {
        for place in &notice.places {
            let posted =
                |event: &Event| matches!(&event.what, What::Posted { place: at, .. } if *at == place.id);
            assert!(visit.iter().any(|(_, event)| posted(event)), "not posted at {}", place.id);
        }
        let effect = declared.objection.as_ref().map(|objection| objection.effect);
        let days = hung(visit, event.day, effect == Some(Effect::Restart));
        assert!(u64::from(days) >= world.notice_days, "it hung {days} days");
        exactly(visit, world.notice_days, effect == Some(Effect::Restart));
    }
    if let Some(sample) = &declared.sample {
        let sampled = visit.iter().find(|(_, event)| matches!(event.what, What::Sampled { .. }));
        let (_, sampled) = sampled.expect("a sample was drawn");
        let What::Sampled { strand, drawn, musts, .. } = &sampled.what else {
            unreachable!("it was matched")
        };
        let place = world.events.iter().position(|event| event == *sampled).unwrap();
        let all = members(&world.events[..place], *strand);
        let Quantity::Fixed(share) = sample.share else { unreachable!("the test's share is fixed") };
        assert!(share.compare(drawn.len() as u32, all.len() as u32).is_ge(), "{drawn:?} of {all:?}");
        let visited: BTreeSet<&RecordKey> = visit
            .iter()
            .filter_map(|(_, event)| match &event.what {
                What::Visited { items, .. } => Some(items),
                _ => None,
            })
            .flatten()
            .collect();
        assert!(drawn.union(musts).filter(|item| items.contains(*item)).all(|item| visited.contains(item)));
    }
    unanswered(before, items);
}

/// From the last start of the clock to its last day, all that is required has passed, and not a day more.
fn exactly(visit: &[(StepIndex, &Event)], required: u64, anew: bool) {
    let until = visit.iter().rev().find_map(|(_, event)| match &event.what {
        What::ClockStarted { until, .. } => Some(*until),
        _ => None,
    });
    let until = until.expect("the clock was started");
    let end = until.add_days(1).unwrap();
    assert_eq!(u64::from(hung(visit, end, anew)), required, "up to {until}");
}

/// Every objection to all, or to a record that is still here, was answered before.
fn unanswered(before: &[(StepIndex, &Event)], items: &BTreeSet<RecordKey>) {
    for (position, (_, event)) in before.iter().enumerate() {
        let What::Objected { objection, item, .. } = &event.what else { continue };
        if item.as_ref().is_some_and(|item| !items.contains(item)) {
            continue;
        }
        let answer =
            |event: &Event| matches!(&event.what, What::Answered { objection: id, .. } if id == objection);
        assert!(before[position..].iter().any(|(_, event)| answer(event)), "#{objection} is not answered");
    }
}

fn ended(strand: &Strand, placed: &[(StepIndex, &Event)]) {
    let Position::Ended(end) = &strand.position else { return };
    if end.outcome != Outcome::Done {
        assert!(strand.reserved.is_empty(), "money stays reserved for what was not granted");
        return;
    }
    let at = |step: StepIndex| {
        placed.iter().rposition(
            |(_, event)| matches!(&event.what, What::Completed { step: done, .. } if *done == step),
        )
    };
    let order: Vec<usize> = (0..=7)
        .map(|step| at(StepIndex(step)).unwrap_or_else(|| panic!("step {step} was skipped")))
        .collect();
    assert!(order.is_sorted(), "the last completions are in the order of the steps: {order:?}");
    let proposed = placed.iter().rev().find_map(|(_, event)| match &event.what {
        What::Proposed { digests, .. } => Some(digests),
        _ => None,
    });
    let proposed = proposed.expect("something was proposed");
    for reserved in &strand.reserved {
        let mut shown = [0; 32];
        shown[..8].copy_from_slice(&reserved.amount.fen().to_be_bytes());
        assert_eq!(
            proposed[&reserved.item],
            Digest::from_bytes(shown),
            "what was approved is not what was shown"
        );
    }
    assert_eq!(strand.reserved.len(), strand.items.len());
}

/// What was reserved and not released is what the strands hold.
fn money(world: &World) {
    let mut sums: BTreeMap<RecordKey, i64> = BTreeMap::new();
    for event in &world.events {
        match &event.what {
            What::Reserved { item, amount, .. } => *sums.entry(item.clone()).or_default() += amount.fen(),
            What::Released { item, amount, .. } => *sums.entry(item.clone()).or_default() -= amount.fen(),
            _ => {}
        }
    }
    for strand in &world.state.strands {
        for item in &strand.items {
            let held: i64 =
                strand.reserved.iter().filter(|kept| kept.item == *item).map(|kept| kept.amount.fen()).sum();
            assert_eq!(sums.get(item).copied().unwrap_or(0), held, "{item}");
        }
    }
}
