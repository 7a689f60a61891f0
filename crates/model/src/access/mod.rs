//! Who may do what to whose data: the one rule that command line, pages and interfaces ask.
//!
//! [`may`] takes an actor (a role and how far it reaches), an action and a subject (a record and the class of data in
//! question), and says yes, or no and because of what. [`DataClass`] and [`mask`] say what is left of a datum for those
//! who may not see it. The matrix of all roles, actions and classes is a text file that a test keeps
//! (`tests/snapshots/access__matrix.snap`): whoever changes a right changes a line of it.
//!
//! Deliberately lacking: accounts, sessions and where a record belongs, which the caller looks up; and which role takes
//! which step of a procedure, which the pack says ([`crate::flow`]): here it only says who takes part in procedures.

mod class;
mod grants;
mod role;

use std::collections::BTreeSet;

use crate::{DivisionCode, EntityName, RecordKey, Refusal, RefusalCode, Text};

pub use class::{DataClass, HIDDEN, mask};
pub use grants::Scope;
pub use role::RoleKind;

/// What somebody wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Look at figures of divisions.
    Count,
    /// Look at a record.
    See,
    /// See in full what is masked otherwise, for a reason that is written down first.
    Disclose,
    /// Take records out of the system: workbooks, answers to queries.
    Export,
    /// Enter, import or change records.
    Record,
    /// Apply a pack to records.
    Assess,
    /// Take part in a procedure: apply, object, survey, review.
    Act,
    /// Decide what costs money.
    Approve,
    /// Plan, send and reconcile payments, and pass money down.
    Pay,
    /// Publish the log.
    Publish,
    /// Read who did what, and who saw what in full.
    Inspect,
    /// Manage accounts, roles and packs.
    Administer,
}

impl Action {
    pub const ALL: [Self; 12] = [
        Self::Count,
        Self::See,
        Self::Disclose,
        Self::Export,
        Self::Record,
        Self::Assess,
        Self::Act,
        Self::Approve,
        Self::Pay,
        Self::Publish,
        Self::Inspect,
        Self::Administer,
    ];

    /// Stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::See => "see",
            Self::Disclose => "disclose",
            Self::Export => "export",
            Self::Record => "record",
            Self::Assess => "assess",
            Self::Act => "act",
            Self::Approve => "approve",
            Self::Pay => "pay",
            Self::Publish => "publish",
            Self::Inspect => "inspect",
            Self::Administer => "administer",
        }
    }
}

/// A record of an entity.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordRef {
    pub entity: EntityName,
    pub key: RecordKey,
}

/// What an actor is responsible for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// These divisions, with all that lies in them.
    pub divisions: BTreeSet<DivisionCode>,
    /// Records assigned to the actor, such as the households of a helper; for residents, their own.
    pub records: BTreeSet<RecordRef>,
    /// The organisation that the actor belongs to: what is its own.
    pub organisation: Option<RecordKey>,
}

/// Who acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    pub role: RoleKind,
    pub reach: Reach,
}

/// What is acted on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Subject<'a> {
    /// The divisions it lies in, from the lowest up. They are named one by one since divisions are split, merged and
    /// moved: a code does not say what lies in what.
    pub divisions: &'a [DivisionCode],
    /// The record itself and those that it belongs to: a person, and the household.
    pub records: &'a [RecordRef],
    /// The organisations that it belongs to.
    pub organisations: &'a [RecordKey],
    /// The most personal class of data in question; [`DataClass::Open`] where the action is about none.
    pub class: DataClass,
}

/// Whether it may be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    Yes,
    No(Because),
}

impl Permission {
    pub const fn is_yes(self) -> bool {
        matches!(self, Self::Yes)
    }
}

/// Why something may not be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Because {
    /// The role does this to nothing.
    Role,
    /// The role does this, not to data of this class.
    Class(DataClass),
    /// The role does this to such data, not to what is beyond the actor's reach.
    Reach,
}

/// Whether an actor may do something to a subject. What no line of the matrix grants is forbidden.
///
/// The first reason of these that applies is given: the role, the class of data, the reach. So nobody learns from
/// the answer whether a record exists that is beyond their reach.
pub fn may(actor: &Actor, action: Action, subject: Subject<'_>) -> Permission {
    match grants::granted(actor.role, action, subject.class) {
        Some(Scope::Everywhere) => Permission::Yes,
        Some(Scope::Reach) if actor.reach.holds(subject) => Permission::Yes,
        Some(Scope::Reach) => Permission::No(Because::Reach),
        None if grants::granted(actor.role, action, DataClass::Open).is_some() => {
            Permission::No(Because::Class(subject.class))
        }
        None => Permission::No(Because::Role),
    }
}

/// How far a role may do something to data of a class, whoever holds it: a line of the matrix.
pub const fn scope(role: RoleKind, action: Action, class: DataClass) -> Option<Scope> {
    grants::granted(role, action, class)
}

impl Reach {
    /// Whether a subject lies within it: in one of its divisions, among its records, or with its organisation. An
    /// empty reach holds nothing.
    pub fn holds(&self, subject: Subject<'_>) -> bool {
        subject.divisions.iter().any(|division| self.divisions.contains(division))
            || subject.records.iter().any(|record| self.records.contains(record))
            || subject.organisations.iter().any(|one| self.organisation.as_ref() == Some(one))
    }
}

impl Because {
    /// In words.
    pub fn text(self) -> Text {
        match self {
            Self::Role => Text::new("您的角色没有这项权限", "your role does not do this"),
            Self::Class(class) => Text::new(
                format!("您的角色不能接触这类信息（{}）", class.label().zh),
                format!("your role has no access to this kind of data ({})", class.label().en),
            ),
            Self::Reach => {
                Text::new("不在您负责的范围内", "it is beyond the divisions and records that you answer for")
            }
        }
    }
}

impl From<Because> for Refusal {
    fn from(because: Because) -> Self {
        let refusal = Self::new(RefusalCode::NotPermitted);
        match because {
            Because::Role => refusal,
            Because::Class(class) => refusal.value(class.as_str()),
            Because::Reach => refusal.value("reach"),
        }
    }
}
