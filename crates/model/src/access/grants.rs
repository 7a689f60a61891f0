//! What each role is granted.

use super::{Action, DataClass, RoleKind};

/// How far a grant goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// To what the actor is responsible for.
    Reach,
    Everywhere,
}

/// Classes of data, one bit each.
#[derive(Clone, Copy)]
struct Classes(u8);

impl Classes {
    const NONE: Self = Self(bit(DataClass::Open));
    const NAMED: Self = Self::NONE.with(DataClass::Name);
    const REACHABLE: Self = Self::NAMED.with(DataClass::Contact);
    /// What decides about a person without paying: everything but the account.
    const DECIDING: Self =
        Self::REACHABLE.with(DataClass::Identity).with(DataClass::Personal).with(DataClass::Health);
    const PAYABLE: Self = Self::NAMED.with(DataClass::Identity).with(DataClass::Account);
    const ALL: Self = Self::DECIDING.with(DataClass::Account);

    const fn with(self, class: DataClass) -> Self {
        Self(self.0 | bit(class))
    }

    const fn has(self, class: DataClass) -> bool {
        self.0 & bit(class) != 0
    }
}

const fn bit(class: DataClass) -> u8 {
    1 << class as u8
}

/// How far a role may do something to data of a class; `None` where it may not at all.
///
/// The principle is need: who meets people sees how to reach them, who decides sees what the decision rests on, who pays
/// sees the account; whoever is above a county works with figures; the administrator of the machine sees no data.
pub(super) const fn granted(role: RoleKind, action: Action, class: DataClass) -> Option<Scope> {
    let Some((scope, classes)) = grant(role, action) else { return None };
    if classes.has(class) { Some(scope) } else { None }
}

const fn grant(role: RoleKind, action: Action) -> Option<(Scope, Classes)> {
    use Action as A;
    use RoleKind as R;
    let classes = match (role, action) {
        // Figures of divisions are anybody's: they are published.
        (_, A::Count) => return Some((Scope::Everywhere, Classes::NONE)),

        // Residents see all that is recorded about them, and apply, object and appeal.
        (R::Resident, A::See) => Classes::ALL,
        (R::Resident, A::Act) => Classes::NONE,

        (R::Partner, A::See) => Classes::REACHABLE,
        (R::Partner, A::Record | A::Act) => Classes::NONE,

        // Forms are filled in the village, so every class is recorded there; what is on record already stays masked.
        (R::VillageWorker, A::See) => Classes::REACHABLE,
        (R::VillageWorker, A::Export) => Classes::NAMED,
        (R::VillageWorker, A::Record) => Classes::ALL,
        (R::VillageWorker, A::Act) => Classes::NONE,

        (R::Township, A::See) => Classes::DECIDING,
        (R::Township, A::Disclose) => Classes::ALL,
        (R::Township, A::Export) => Classes::REACHABLE,
        (R::Township, A::Record) => Classes::ALL,
        (R::Township, A::Act | A::Assess) => Classes::NONE,

        (R::CountyOfficer, A::See) => Classes::DECIDING,
        (R::CountyOfficer, A::Disclose) => Classes::ALL,
        (R::CountyOfficer, A::Export) => Classes::REACHABLE,
        (R::CountyOfficer, A::Record) => Classes::ALL,
        (R::CountyOfficer, A::Act | A::Assess | A::Publish | A::Inspect) => Classes::NONE,

        (R::CountyApprover, A::See) => Classes::DECIDING,
        (R::CountyApprover, A::Act | A::Approve | A::Inspect) => Classes::NONE,

        (R::Finance, A::See | A::Export) => Classes::PAYABLE,
        (R::Finance, A::Act | A::Pay | A::Inspect) => Classes::NONE,

        (R::Prefecture | R::Province, A::See) => Classes::NAMED,
        (R::Prefecture | R::Province, A::Export | A::Act | A::Assess | A::Pay | A::Inspect) => Classes::NONE,
        (R::Province, A::Publish) => Classes::NONE,

        (R::Auditor, A::See | A::Disclose) => Classes::ALL,
        (R::Auditor, A::Export) => Classes::PAYABLE,
        (R::Auditor, A::Inspect) => Classes::NONE,

        (R::Analyst, A::See | A::Export | A::Assess) => Classes::NONE,

        (R::Administrator, A::Administer) => return Some((Scope::Everywhere, Classes::NONE)),
        _ => return None,
    };
    Some((Scope::Reach, classes))
}
