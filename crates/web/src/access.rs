//! Who may see what: one function, asked by every page.
//!
//! Somebody signed in sees the records of the divisions that their grants name and of all below. Anyone sees the public
//! portal: the Decision with figures of whole counties and larger, small counts withheld, and nobody's record.
//!
//! Deliberately lacking: what is masked within a record that may be seen, which `app` decides by the pack's classes.

use app::accounts::Account;
use app::reading::{Place, Reading};
use model::DivisionLevel;
use pack::program::{EntityId, Program};

use crate::answer::Fault;

/// Who asks.
#[derive(Clone, Debug, Default)]
pub enum Viewer {
    /// Nobody has signed in.
    #[default]
    Anyone,
    Signed(Signed),
}

/// Somebody signed in.
#[derive(Clone, Debug)]
pub struct Signed {
    pub account: Account,
    /// Grants whose divisions the run knows.
    pub reach: Vec<Reach>,
}

/// A role in a division and all below it.
#[derive(Clone, Debug)]
pub struct Reach {
    pub role: String,
    pub place: Place,
}

/// What is to be seen.
#[derive(Clone, Copy, Debug)]
pub enum Wish {
    /// Counts and sums of a division.
    Figures(Place),
    /// The names of what a figure counts.
    List(Place),
    /// A record: a household, a village.
    Record(EntityId, u32),
    /// Cases of procedures, as far as their places are within reach.
    Cases,
}

/// The smallest count of persons, households and the like that anyone is told.
pub const PUBLIC_COUNT_MIN: u64 = 5;

impl Viewer {
    pub fn of(account: Account, reading: &Reading) -> Result<Self, Fault> {
        let mut reach = Vec::new();
        for grant in &account.grants {
            if let Some(place) = reading.place(&grant.place)? {
                reach.push(Reach { role: grant.role.clone(), place });
            }
        }
        Ok(Self::Signed(Signed { account, reach }))
    }

    pub fn signed(&self) -> Option<&Signed> {
        match self {
            Self::Anyone => None,
            Self::Signed(signed) => Some(signed),
        }
    }

    /// Whether counts below [`PUBLIC_COUNT_MIN`] are withheld.
    pub fn withholds(&self) -> bool {
        matches!(self, Self::Anyone)
    }

    /// Roles, each once.
    pub fn roles(&self) -> Vec<&str> {
        let mut roles: Vec<&str> =
            self.signed().iter().flat_map(|signed| &signed.reach).map(|reach| reach.role.as_str()).collect();
        roles.sort_unstable();
        roles.dedup();
        roles
    }
}

/// Whether somebody may see something.
///
/// # Errors
/// A run that cannot be read.
pub fn may(viewer: &Viewer, reading: &Reading, wish: Wish) -> Result<bool, Fault> {
    match (viewer, wish) {
        (Viewer::Anyone, Wish::Figures(place)) => Ok(is_public(reading.program(), place)),
        (Viewer::Anyone, _) => Ok(false),
        // Whoever works in a division sees how the ones above it stand, in figures.
        (Viewer::Signed(signed), Wish::Figures(place)) => {
            Ok(is_public(reading.program(), place) || reaches(signed, reading, place.level, place.row)?)
        }
        (Viewer::Signed(signed), Wish::List(place)) => reaches(signed, reading, place.level, place.row),
        (Viewer::Signed(signed), Wish::Record(entity, row)) => reaches(signed, reading, entity, row),
        (Viewer::Signed(signed), Wish::Cases) => Ok(!signed.reach.is_empty()),
    }
}

fn reaches(signed: &Signed, reading: &Reading, entity: EntityId, row: u32) -> Result<bool, Fault> {
    for reach in &signed.reach {
        if reading.is_within(entity, row, reach.place)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Figures of counties and larger divisions are public: those of a township or village would tell of single households.
fn is_public(program: &Program, place: Place) -> bool {
    let level = program.entity(place.level).division.as_deref().and_then(|level| level.parse().ok());
    matches!(level, Some(DivisionLevel::Province | DivisionLevel::Prefecture | DivisionLevel::County))
}
