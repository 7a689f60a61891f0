//! How much the worked cases of a pack notice: one number or operator of a rule is changed at a time, and the
//! cases that look at it run in the direct evaluator. A change that no case notices is a mutant missed.
//!
//! Changes are made to the compiled program, at the nodes that stem from one place of the text, so that a pack
//! is compiled once. It is compiled without sharing, or a change of one place would show in another.

mod apply;
mod change;
mod mutant;
mod sites;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use evaluate::interpret::{Evaluator, Facts};
use model::Date;
use pack::Restricted;
use pack::program::{CaseRecord, ColumnId, Derived, Program};

pub use change::Change;
pub use mutant::Mutant;
pub use sites::Site;

/// Which changes to try.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Only places in files whose name starts so (behind the pack's id).
    pub files: Vec<String>,
    /// A random choice of this many.
    pub sample: Option<usize>,
    pub seed: u64,
}

#[derive(Clone, Debug)]
pub struct Mutation {
    pub mutants: Vec<Mutant>,
    /// Cases that fail without any change.
    pub failing: Vec<String>,
}

impl Mutation {
    pub fn caught(&self) -> usize {
        self.mutants.iter().filter(|mutant| mutant.caught).count()
    }

    /// Changes noticed, and all, by kind.
    pub fn kinds(&self) -> BTreeMap<&'static str, (usize, usize)> {
        let mut kinds: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        for mutant in &self.mutants {
            let counts = kinds.entry(mutant.kind).or_default();
            counts.0 += usize::from(mutant.caught);
            counts.1 += 1;
        }
        kinds
    }

    /// In ten-thousandths, rounded down; whole if there is nothing to change.
    pub fn share(&self) -> usize {
        if self.mutants.is_empty() { 10_000 } else { self.caught() * 10_000 / self.mutants.len() }
    }
}

/// Tries changes of a pack compiled apart ([`pack::Sharing::Apart`]). `progress` is told how many of the cases ran.
pub fn mutate(program: &Program, selection: &Selection, progress: &dyn Fn(usize, usize)) -> Mutation {
    let sites = select(program, sites::find(program), selection);
    let by_column = sites::by_column(&sites);
    let mut caught = vec![false; sites.len()];
    let mut failing = Vec::new();
    for (number, case) in program.cases.iter().enumerate() {
        let trial = Trial::new(program, number);
        if trial.notices(&trial.part.program, &trial.records) {
            failing.push(case.name.clone());
            continue;
        }
        let touching: HashSet<usize> =
            trial.needed.iter().filter_map(|column| by_column.get(column)).flatten().copied().collect();
        let mut touching: Vec<usize> = touching.into_iter().filter(|site| !caught[*site]).collect();
        touching.sort_unstable();
        for site in touching {
            caught[site] = trial.run(program, &sites[site]);
        }
        progress(number + 1, program.cases.len());
    }
    let mutants = sites.iter().zip(caught).map(|(site, caught)| site.mutant(program, caught)).collect();
    Mutation { mutants, failing }
}

fn select(program: &Program, mut sites: Vec<Site>, selection: &Selection) -> Vec<Site> {
    if !selection.files.is_empty() {
        sites.retain(|site| {
            let file = program.files.get(site.span.file as usize).map_or("", |file| file.name.as_str());
            let name = file.split_once('/').map_or(file, |(_, name)| name);
            selection.files.iter().any(|start| name.starts_with(start.as_str()))
        });
    }
    if let Some(sample) = selection.sample {
        // Fisher and Yates, as far as the sample goes; then back in order of the text.
        let mut state = selection.seed;
        let taken = sample.min(sites.len());
        for place in 0..taken {
            let rest = (sites.len() - place) as u64;
            sites.swap(place, place + (random(&mut state) % rest) as usize);
        }
        sites.truncate(taken);
        sites.sort_by_key(|site| site.span);
    }
    sites
}

/// SplitMix64: the same seed gives the same sample everywhere.
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// One case with the part of the program that its expectations need.
struct Trial<'p> {
    whole: &'p Program,
    case: usize,
    as_of: Date,
    part: Restricted,
    records: Vec<CaseRecord>,
    /// Columns of the whole program.
    needed: BTreeSet<ColumnId>,
    /// Columns before the snapshot: what says whether edges of a network are open.
    before: BTreeSet<ColumnId>,
}

impl<'p> Trial<'p> {
    fn new(whole: &'p Program, number: usize) -> Self {
        let case = &whole.cases[number];
        let expected = case.expect.iter().map(|expectation| expectation.column);
        let mut needed = whole.needed_by(expected);
        // Another field may be read in the place of one that is.
        let entities: HashSet<_> = needed.iter().map(|id| whole.column(*id).entity).collect();
        let fields = entities.iter().flat_map(|entity| &whole.entity(*entity).fields);
        let kept: BTreeSet<ColumnId> = needed.iter().chain(fields).copied().collect();
        let part = whole.restricted_to(&kept);
        let open = needed.iter().filter_map(|id| match whole.derived(*id) {
            Some(Derived::Network { network, .. }) => whole.networks[*network].open_column,
            _ => None,
        });
        let before = whole.needed_by(open.collect::<Vec<_>>());
        needed.extend(&before);
        let records = filled(whole, whole, number, &part);
        Self { whole, case: number, as_of: case.as_of, part, records, needed, before }
    }

    /// Whether the case fails with a site changed.
    fn run(&self, program: &Program, site: &Site) -> bool {
        let mut changed = self.part.program.clone();
        site.change(&mut changed, &|id| self.part.place.get(&id).copied());
        if self.before.is_empty() {
            return self.notices(&changed, &self.records);
        }
        // What a snapshot derives may change too.
        let mut whole = program.clone();
        site.change(&mut whole, &Some);
        self.notices(&changed, &filled(&whole, program, self.case, &self.part))
    }

    fn notices(&self, program: &Program, records: &[CaseRecord]) -> bool {
        let facts = Facts::from_records(program, records);
        let mut evaluator = Evaluator::new(program, &facts, self.as_of);
        evaluator.run_all();
        let mut rows: HashMap<(pack::program::EntityId, &str), Option<u32>> = HashMap::new();
        self.whole.cases[self.case].expect.iter().any(|expectation| {
            let (entity, key) = (expectation.entity, expectation.key.as_str());
            let row = rows.entry((entity, key)).or_insert_with(|| facts.find(entity, key));
            let column = self.part.place[&expectation.column];
            match row {
                Some(row) => evaluator.value(entity, *row, column).as_ref() != Ok(&expectation.value),
                None => true,
            }
        })
    }
}

/// The records of a case with their derived fields, as the part sees them.
fn filled(deriving: &Program, whole: &Program, case: usize, part: &Restricted) -> Vec<CaseRecord> {
    let case = &whole.cases[case];
    let mut records = case.records.clone();
    crate::derived::fill(deriving, case.as_of, &mut records);
    records.iter().map(|record| part.record(record)).collect()
}
