//! Whom the story is about, found in the registry by what they are: another registry has another story.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use app::acting::{Pending, known};
use app::procedure::declared;
use model::{Date, Fen, Lang};
use pack::program::{ColumnId, EdgeId, EntityId, Program, Value};
use store::{StoreError, View};

use crate::acting::{Office, failure, in_room};
use crate::arguments::acting::Site;
use crate::console::Failure;

/// The procedure that the story goes through; the benefit that it decides on says who is in it.
pub const FLOW: &str = "minimum-living-guarantee";
/// A county gets whole multiples of this.
const ALLOTTED_STEP_FEN: i64 = 20_000_000;

/// A village with households that are owed the benefit, on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cast {
    pub village: String,
    /// Those that are owed it, at least two, by their numbers, with a year's amount.
    pub households: BTreeMap<String, Fen>,
    /// The one that is objected to: it is owed least, so that its neighbours wonder.
    pub objected: String,
    /// How many may vote, as the registry has it.
    pub entitled: u64,
}

impl Cast {
    /// The village with the fewest households that are owed the benefit, but two at least; the first of those by code.
    pub fn find(registry: &Path, pack: &Path, day: Date, lang: Lang) -> Result<Self, Failure> {
        let site = Site { registry: Some(registry.to_owned()), pack: pack.to_owned() };
        in_room(move || find(&Office::open(&site)?, day, lang))
    }

    pub fn county(&self) -> &str {
        &self.village[..6]
    }

    pub fn province(&self) -> &str {
        &self.village[..2]
    }

    /// The households that nobody objects to.
    pub fn others(&self) -> Vec<&str> {
        self.households.keys().filter(|key| **key != self.objected).map(String::as_str).collect()
    }

    /// Whole yuan that are enough for all of them, as a county gets them.
    pub fn allotted_yuan(&self) -> i64 {
        let owed: i64 = self.households.values().map(|fen| fen.fen()).sum();
        (owed / ALLOTTED_STEP_FEN + 1) * ALLOTTED_STEP_FEN / 100
    }

    /// The fewest whose presence makes a quorum of two thirds.
    pub fn quorum(&self) -> u64 {
        (2 * self.entitled).div_ceil(3)
    }
}

/// Columns that tell who is in the story.
struct Asked {
    village: EntityId,
    household: EntityId,
    below: EdgeId,
    who: ColumnId,
    amount: ColumnId,
    entitled: ColumnId,
}

fn asked(program: &Program) -> Option<Asked> {
    let flow = declared(program, FLOW).ok()?;
    let (village, household, benefit) = (flow.sheet?, flow.entity, flow.benefit?);
    let mut edges = (0..program.edges.len() as u32).map(EdgeId);
    let below = edges.find(|id| {
        let edge = program.edge(*id);
        (edge.child, edge.parent) == (household, village)
    })?;
    let entitled = program.column_named(village, "electorate")?;
    Some(Asked { village, household, below, who: benefit.who, amount: benefit.amount?, entitled })
}

fn find(office: &Office, day: Date, lang: Lang) -> Result<Cast, Failure> {
    let program = &office.pack.program;
    let view = office.registry.view();
    let stored = |error: StoreError| failure(error.into(), lang);
    let asked =
        asked(program).ok_or_else(|| Failure::input(format!("the pack has no benefit of `{FLOW}`")))?;
    let mut villages: BTreeSet<String> = BTreeSet::new();
    let add = |row: &store::ScanRow<'_>| {
        villages.extend(row.text(0).map(str::to_owned));
        Ok(())
    };
    view.scan(asked.village, &[program.entity(asked.village).key], add).map_err(stored)?;
    let mut best: Option<(String, BTreeMap<String, Fen>)> = None;
    for village in villages {
        let owed = owed(program, view, &asked, &village, day).map_err(stored)?;
        if owed.len() >= 2 && best.as_ref().is_none_or(|(_, known)| owed.len() < known.len()) {
            best = Some((village, owed));
        }
    }
    let (village, households) = best.ok_or_else(|| {
        Failure::with_hint(
            "no village has two households that are owed the minimum living guarantee",
            "the story needs one that is objected to and another: import a registry that has them",
        )
    })?;
    let least = households.iter().min_by_key(|(_, fen)| **fen);
    let objected = least.map(|(key, _)| key.clone()).expect("there are two at least");
    let (key, columns) = ([village.clone()].into(), [asked.entitled].into());
    let values = known(program, view, day, asked.village, &key, &columns, &Pending::new()).map_err(stored)?;
    let entitled = match values.value(&village, asked.entitled) {
        Some(Value::Number(count)) => u64::try_from(*count).ok(),
        _ => None,
    };
    let entitled = entitled.ok_or_else(|| {
        let hint = "record its households, or its representatives";
        Failure::with_hint(format!("how many may vote in `{village}` is not known"), hint)
    })?;
    Ok(Cast { village, households, objected, entitled })
}

/// The households of a village that are owed the benefit, with what each is owed.
fn owed(
    program: &Program,
    view: View<'_>,
    asked: &Asked,
    village: &str,
    day: Date,
) -> Result<BTreeMap<String, Fen>, StoreError> {
    let keys: BTreeSet<String> = view.children(asked.below, village)?.into_iter().collect();
    let columns = [asked.who, asked.amount].into();
    let values = known(program, view, day, asked.household, &keys, &columns, &Pending::new())?;
    let owed = keys.into_iter().filter_map(|key| {
        let fen = match (values.value(&key, asked.who), values.value(&key, asked.amount)) {
            (Some(Value::Bool(true)), Some(Value::Number(fen))) => i64::try_from(*fen).ok()?,
            _ => return None,
        };
        Some((key, Fen::from_fen(fen)))
    });
    Ok(owed.collect())
}
