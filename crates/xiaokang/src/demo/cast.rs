//! Whom the story is about, found in the registry by what they are: another registry has another story.

use std::collections::BTreeMap;
use std::path::Path;

use app::procedure::{Promised, promised};
use model::{Date, Fen, Lang, Text, text};

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

fn find(office: &Office, day: Date, lang: Lang) -> Result<Cast, Failure> {
    let promised =
        promised(&office.registry, &office.pack.program, FLOW, day).map_err(|error| failure(error, lang))?;
    let fit = promised.into_iter().filter(|village| village.items.len() >= 2);
    let Promised { sheet: village, items, electorate } =
        fit.min_by_key(|village| village.items.len()).ok_or_else(|| {
            Failure::with_hint(
                Text::new(
                    "没有一个村有两户应享受最低生活保障",
                    "no village has two households that are promised the minimum living guarantee",
                ),
                Text::new(
                    "故事需要被异议的一户和另外一户：请导入有这样两户的登记库",
                    "the story needs one that is objected to and another: import a registry that has them",
                ),
            )
        })?;
    let known = items.into_iter().filter_map(|(key, fen)| Some((key, fen?)));
    let households: BTreeMap<String, Fen> = known.collect();
    let least = households.iter().min_by_key(|(_, fen)| **fen);
    let objected =
        least.map(|(key, _)| key.clone()).ok_or_else(|| Failure::internal("no amount is known"))?;
    let entitled = electorate.ok_or_else(|| {
        Failure::with_hint(
            text!("不知道 `{village}` 有多少人可以表决", "how many may vote in `{village}` is not known"),
            Text::new("请登记该村的户，或其村民代表", "record its households, or its representatives"),
        )
    })?;
    Ok(Cast { village, households, objected, entitled })
}
