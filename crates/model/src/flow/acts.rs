//! The acts of a step, up to its completion.

use std::collections::{BTreeMap, BTreeSet};

use super::turn::{Turn, list};
use super::{BranchOn, Context, Drawn, Minutes, Step, Strand, StrandId, Tally, Target, Vote, What, draw};
use crate::{Digest, RecordKey, Refusal, RefusalCode, Text};

impl Turn<'_> {
    /// Whether the actor may act in the strand's present step.
    pub fn permit_step(&self, id: StrandId) -> Result<(), Refusal> {
        let (_, step) = self.position(id)?;
        self.permit(id, &step.roles, &step.not_by, step.kin_may_act)
    }

    pub fn attach(&mut self, id: StrandId, kind: &str, document: Digest) -> Result<(), Refusal> {
        self.permit_step(id)?;
        let (_, step) = self.position(id)?;
        if !step.evidence.iter().any(|evidence| evidence.id == kind) {
            let kinds: Vec<&str> = step.evidence.iter().map(|evidence| evidence.id.as_str()).collect();
            return Err(Refusal::new(RefusalCode::ActNotDeclared).value(kind).expected(kinds.join(", ")));
        }
        let held = self.strand(id).work.evidence.get(kind);
        if held.is_some_and(|held| held.contains(&document)) {
            return Err(RefusalCode::AlreadyDone.into());
        }
        self.emit(What::Attached { strand: id, kind: kind.to_owned(), document });
        Ok(())
    }

    pub fn investigate(&mut self, id: StrandId) -> Result<(), Refusal> {
        self.permit_step(id)?;
        let (_, step) = self.position(id)?;
        if step.investigators == 0 {
            return Err(RefusalCode::ActNotDeclared.into());
        }
        // More than are needed are not taken: everyone who investigates is lost to the later steps.
        let known = &self.strand(id).work.investigators;
        if known.contains(&self.context.actor.id) || known.len() >= usize::from(step.investigators) {
            return Err(RefusalCode::AlreadyDone.into());
        }
        self.emit(What::Investigated { strand: id });
        Ok(())
    }

    /// Once a step: whoever may draw again until it pleases has not drawn.
    pub fn draw(&mut self, id: StrandId) -> Result<(), Refusal> {
        self.permit_step(id)?;
        let (_, step) = self.position(id)?;
        let sample = step.sample.as_ref().ok_or(RefusalCode::ActNotDeclared)?;
        let strand = self.strand(id);
        if strand.work.sample.is_some() {
            return Err(RefusalCode::AlreadyDone.into());
        }
        let share = self.context.quantity(sample.share)?;
        let count = share.of_rounded_up(strand.items.len() as u32) as usize;
        let seed = self.context.seed;
        let drawn = draw(&strand.items, count, seed);
        let musts = musts(step, strand, self.context);
        self.emit(What::Sampled { strand: id, seed, drawn, musts });
        Ok(())
    }

    pub fn visit(&mut self, id: StrandId, items: &BTreeSet<RecordKey>) -> Result<(), Refusal> {
        self.permit_step(id)?;
        let (_, step) = self.position(id)?;
        if step.sample.is_none() {
            return Err(RefusalCode::ActNotDeclared.into());
        }
        self.belong(id, items)?;
        self.emit(What::Visited { strand: id, items: items.clone() });
        Ok(())
    }

    /// Refuses what is not in the strand: a command about one case never reaches another's records.
    pub fn belong(&self, id: StrandId, items: &BTreeSet<RecordKey>) -> Result<(), Refusal> {
        let foreign: BTreeSet<_> = items.difference(&self.strand(id).items).cloned().collect();
        if foreign.is_empty() && !items.is_empty() {
            Ok(())
        } else {
            Err(Refusal::new(RefusalCode::NotFound).value(list(&foreign)))
        }
    }

    pub fn vote(&mut self, id: StrandId, minutes: &Minutes) -> Result<(), Refusal> {
        self.permit_step(id)?;
        let (_, step) = self.position(id)?;
        let vote = step.vote.as_ref().ok_or(RefusalCode::ActNotDeclared)?;
        if self.strand(id).work.vote.is_some() {
            return Err(RefusalCode::AlreadyDone.into());
        }
        let tally = tally(vote, minutes, self.strand(id), self.context)?;
        self.emit(What::Voted { strand: id, tally });
        Ok(())
    }

    pub fn complete(&mut self, id: StrandId, choice: Option<&str>) -> Result<(), Refusal> {
        self.permit_step(id)?;
        let (index, step) = self.position(id)?;
        let strand = self.strand(id);
        unmet(step, strand, self.context)?;
        let lost: BTreeSet<RecordKey> = strand
            .work
            .vote
            .iter()
            .flat_map(|tally| &tally.ballots)
            .filter(|(_, (_, _, carried))| !carried)
            .map(|(item, _)| item.clone())
            .collect();
        let carried: BTreeSet<RecordKey> = strand.items.difference(&lost).cloned().collect();
        if step.approves {
            self.unchanged(id, &carried)?;
        }
        condition(step, &carried, self.context)?;
        let digests = if step.proposes { self.digests(&carried)? } else { BTreeMap::new() };
        let amounts = amounts(step, &carried, self.context)?;
        let targets = targets(step, &carried, choice, self.context)?;
        let choice = choice.map(str::to_owned);
        self.emit(What::Completed { strand: id, step: index, choice });
        if let (false, Some(vote)) = (lost.is_empty(), &step.vote) {
            let parted = self.part(id, &lost);
            self.go(parted, vote.lost)?;
        }
        if carried.is_empty() {
            return Ok(());
        }
        if step.proposes {
            self.emit(What::Proposed { strand: id, digests });
        }
        for item in &carried {
            for write in &step.records {
                self.emit(What::Writes { strand: id, item: item.clone(), write: write.clone() });
            }
        }
        if let Some(reserve) = &step.reserves {
            for (item, amount) in amounts {
                let (fund, period) = (reserve.fund.clone(), reserve.period.clone());
                self.emit(What::Reserved { strand: id, item, fund, period, amount });
            }
        }
        // The last group keeps the strand, as the records of the others have left it.
        for (target, items) in targets {
            let parted = self.part(id, &items);
            self.go(parted, target)?;
        }
        Ok(())
    }

    /// Refuses unless what is shown of the records today is what was proposed.
    pub fn unchanged(&self, id: StrandId, items: &BTreeSet<RecordKey>) -> Result<(), Refusal> {
        let proposed = &self.strand(id).proposed;
        let changed: BTreeSet<RecordKey> = items
            .iter()
            .filter(|item| proposed.get(*item).is_none_or(|digest| Some(*digest) != self.context.shown(item)))
            .cloned()
            .collect();
        if changed.is_empty() {
            Ok(())
        } else {
            Err(Refusal::new(RefusalCode::FactsChanged).value(list(&changed)))
        }
    }

    fn digests(&self, items: &BTreeSet<RecordKey>) -> Result<BTreeMap<RecordKey, Digest>, Refusal> {
        let unknown = |item: &RecordKey| Refusal::new(RefusalCode::ConditionUnknown).value(item);
        items
            .iter()
            .map(|item| Ok((item.clone(), self.context.shown(item).ok_or_else(|| unknown(item))?)))
            .collect()
    }
}

/// The first thing that the step declares and that is not done, whoever asks.
pub(super) fn unmet(step: &Step, strand: &Strand, context: &Context<'_>) -> Result<(), Refusal> {
    let work = &strand.work;
    if let Some(open) = strand.objections.first() {
        return Err(Refusal::new(RefusalCode::ObjectionOpen).value(open.id));
    }
    let missing = step.evidence.iter().find(|evidence| !work.evidence.contains_key(&evidence.id));
    if let Some(evidence) = missing {
        return Err(Refusal::new(RefusalCode::EvidenceMissing).field(evidence.title.clone()));
    }
    if work.investigators.len() < usize::from(step.investigators) {
        return Err(Refusal::new(RefusalCode::InvestigatorsMissing)
            .value(work.investigators.len())
            .expected(step.investigators));
    }
    if step.sample.is_some() {
        let Drawn { drawn, musts: earlier, .. } = work.sample.as_ref().ok_or(RefusalCode::SampleNotDrawn)?;
        let mut due = musts(step, strand, context);
        due.extend(drawn.iter().chain(earlier).cloned());
        let left: BTreeSet<RecordKey> = due.difference(&work.visited).cloned().collect();
        if !left.is_empty() {
            return Err(Refusal::new(RefusalCode::SampleNotVisited).value(list(&left)));
        }
    }
    if step.vote.is_some() && work.vote.is_none() {
        return Err(RefusalCode::VoteMissing.into());
    }
    if step.notice.is_some() {
        let clock = work.clock.ok_or(RefusalCode::NoticeNotPosted)?;
        match clock.until {
            Some(until) if until < context.now.today => {}
            Some(until) => return Err(Refusal::new(RefusalCode::NoticeRunning).value(until)),
            None => return Err(RefusalCode::NoticeRunning.into()),
        }
    }
    Ok(())
}

/// Records that have to be visited in any case. Where it is not known, visiting is how to find out.
fn musts(step: &Step, strand: &Strand, context: &Context<'_>) -> BTreeSet<RecordKey> {
    let musts = step.sample.iter().flat_map(|sample| &sample.musts);
    musts
        .flat_map(|must| {
            strand.items.iter().filter(|item| context.fact(item, must.when).value != Some(false))
        })
        .cloned()
        .collect()
}

/// The condition of the step for every record: false and unknown are refused apart.
pub(super) fn condition(
    step: &Step,
    items: &BTreeSet<RecordKey>,
    context: &Context<'_>,
) -> Result<(), Refusal> {
    let Some(when) = step.when else { return Ok(()) };
    let mut failed = BTreeSet::new();
    for item in items {
        let fact = context.fact(item, when);
        match fact.value {
            Some(true) => {}
            Some(false) => {
                failed.insert(item.clone());
            }
            None => return Err(unknown(item, &fact.missing)),
        }
    }
    if failed.is_empty() {
        Ok(())
    } else {
        Err(Refusal::new(RefusalCode::ConditionFalse).value(list(&failed)))
    }
}

fn unknown(item: &RecordKey, missing: &[String]) -> Refusal {
    let refusal = Refusal::new(RefusalCode::ConditionUnknown).value(item);
    if missing.is_empty() { refusal } else { refusal.expected(missing.join(", ")) }
}

fn amounts(
    step: &Step,
    items: &BTreeSet<RecordKey>,
    context: &Context<'_>,
) -> Result<Vec<(RecordKey, crate::Fen)>, Refusal> {
    let Some(reserve) = &step.reserves else { return Ok(Vec::new()) };
    items
        .iter()
        .map(|item| {
            let known = context.facts.get(item).and_then(|facts| facts.amounts.get(&reserve.amount));
            let amount = *known.ok_or_else(|| unknown(item, &[]))?;
            if amount.is_negative() {
                return Err(Refusal::new(RefusalCode::OutOfRange).value(amount).expected("≥ 0"));
            }
            Ok((item.clone(), amount))
        })
        .collect()
}

/// Where each record goes: the first branch that holds for it.
fn targets(
    step: &Step,
    items: &BTreeSet<RecordKey>,
    choice: Option<&str>,
    context: &Context<'_>,
) -> Result<Vec<(Target, BTreeSet<RecordKey>)>, Refusal> {
    let choices: Vec<&str> = step
        .next
        .iter()
        .filter_map(|branch| match &branch.on {
            BranchOn::Choice { id, .. } => Some(id.as_str()),
            _ => None,
        })
        .collect();
    let fits = choice.is_some_and(|choice| choices.contains(&choice));
    let closed = !step.next.iter().any(|branch| branch.on == BranchOn::Always);
    if (choice.is_some() && !fits) || (choice.is_none() && closed && !choices.is_empty()) {
        let code = if choices.is_empty() { RefusalCode::ActNotDeclared } else { RefusalCode::ChoiceMissing };
        return Err(Refusal::new(code).expected(choices.join(", ")));
    }
    let mut targets: Vec<(Target, BTreeSet<RecordKey>)> = Vec::new();
    for item in items {
        let target = target(step, item, choice, context)?;
        match targets.iter_mut().find(|(known, _)| *known == target) {
            Some((_, group)) => {
                group.insert(item.clone());
            }
            None => targets.push((target, [item.clone()].into())),
        }
    }
    Ok(targets)
}

fn target(
    step: &Step,
    item: &RecordKey,
    choice: Option<&str>,
    context: &Context<'_>,
) -> Result<Target, Refusal> {
    for branch in &step.next {
        let taken = match &branch.on {
            BranchOn::Always => true,
            BranchOn::Choice { id, .. } => choice == Some(id),
            BranchOn::When(expression) => {
                let fact = context.fact(item, *expression);
                fact.value.ok_or_else(|| unknown(item, &fact.missing))?
            }
        };
        if taken {
            return Ok(branch.to);
        }
    }
    Err(Refusal::new(RefusalCode::ConditionFalse).value(item))
}

/// Checks the minutes and counts them.
fn tally(vote: &Vote, minutes: &Minutes, strand: &Strand, context: &Context<'_>) -> Result<Tally, Refusal> {
    let Minutes { entitled, present, secret, ballots } = minutes;
    let wrong = |value: String, expected: String| {
        Err(Refusal::new(RefusalCode::VoteInconsistent).value(value).expected(expected))
    };
    if let Some(electorate) = vote.electorate {
        let field = Text::new("有权投票的人数", "how many are entitled to vote");
        let unknown = |_| Refusal::new(RefusalCode::ConditionUnknown).field(field);
        let registered = context.quantity(electorate).map_err(unknown)?;
        if registered.as_whole() != Some(*entitled) {
            return wrong(entitled.to_string(), registered.to_string());
        }
    }
    if *entitled == 0 || present > entitled {
        return wrong(present.to_string(), format!("1 – {entitled}"));
    }
    if vote.secret && !secret {
        return Err(RefusalCode::VoteInconsistent.into());
    }
    if ballots.keys().ne(strand.items.iter()) {
        return wrong(ballots.len().to_string(), list(&strand.items));
    }
    let quorum = context.quantity(vote.quorum)?;
    if *present == 0 || quorum.compare(*present, *entitled).is_lt() {
        let expected = format!("≥ {}", quorum.of_rounded_up(*entitled).max(1));
        return Err(Refusal::new(RefusalCode::NoQuorum).value(present).expected(expected));
    }
    let share = context.quantity(vote.majority.share)?;
    let whole = if vote.majority.of_entitled { *entitled } else { *present };
    let mut counted = BTreeMap::new();
    for (item, ballot) in ballots {
        let cast = ballot.in_favour.checked_add(ballot.against);
        if cast.is_none_or(|cast| cast > *present) {
            return wrong(format!("{} + {}", ballot.in_favour, ballot.against), format!("≤ {present}"));
        }
        let order = share.compare(ballot.in_favour, whole);
        let carried = if vote.majority.more_than { order.is_gt() } else { order.is_ge() };
        counted.insert(item.clone(), (ballot.in_favour, ballot.against, carried));
    }
    Ok(Tally { entitled: *entitled, present: *present, ballots: counted })
}
