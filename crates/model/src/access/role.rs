//! What a role is to the office.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::Text;

/// What a role is to the office, whatever a pack calls it. A pack's `[[role]]` is of one of these kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum RoleKind {
    /// Anybody.
    #[default]
    Public,
    /// A household or person, for what is their own.
    Resident,
    /// Staff of an organisation that helps, operates or posts, for what is its own or assigned to them.
    Partner,
    VillageWorker,
    Township,
    /// Prepares what the county decides.
    CountyOfficer,
    /// Decides.
    CountyApprover,
    Finance,
    Prefecture,
    Province,
    /// Sees everything within its reach and changes nothing.
    Auditor,
    /// Works with figures and with records that name nobody.
    Analyst,
    /// Runs the system and sees nobody's data.
    Administrator,
}

impl RoleKind {
    pub const ALL: [Self; 13] = [
        Self::Public,
        Self::Resident,
        Self::Partner,
        Self::VillageWorker,
        Self::Township,
        Self::CountyOfficer,
        Self::CountyApprover,
        Self::Finance,
        Self::Prefecture,
        Self::Province,
        Self::Auditor,
        Self::Analyst,
        Self::Administrator,
    ];

    /// Stable name, as in packs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Resident => "resident",
            Self::Partner => "partner",
            Self::VillageWorker => "village-worker",
            Self::Township => "township",
            Self::CountyOfficer => "county-officer",
            Self::CountyApprover => "county-approver",
            Self::Finance => "finance",
            Self::Prefecture => "prefecture",
            Self::Province => "province",
            Self::Auditor => "auditor",
            Self::Analyst => "analyst",
            Self::Administrator => "administrator",
        }
    }

    pub fn label(self) -> Text {
        match self {
            Self::Public => Text::new("公众", "public"),
            Self::Resident => Text::new("农户", "resident"),
            Self::Partner => Text::new("帮扶、实施单位人员", "staff of a partner"),
            Self::VillageWorker => Text::new("村级人员", "village worker"),
            Self::Township => Text::new("乡镇人员", "township officer"),
            Self::CountyOfficer => Text::new("县级经办人员", "county officer"),
            Self::CountyApprover => Text::new("县级审批人员", "county approver"),
            Self::Finance => Text::new("财政人员", "finance officer"),
            Self::Prefecture => Text::new("市（州）人员", "prefecture officer"),
            Self::Province => Text::new("省级人员", "province officer"),
            Self::Auditor => Text::new("审计人员", "auditor"),
            Self::Analyst => Text::new("分析人员", "analyst"),
            Self::Administrator => Text::new("系统管理员", "administrator"),
        }
    }

    /// The kind of a pack's role that does not say it: by the level whose records its holders belong to, and whether
    /// they act for their own alone. Of a level that is no division the holders are an organisation's; of none they
    /// are anybody.
    pub fn of_level(level: Option<&str>, own: bool) -> Self {
        match level {
            _ if own => Self::Resident,
            Some("village") => Self::VillageWorker,
            Some("township") => Self::Township,
            Some("county") => Self::CountyOfficer,
            Some("prefecture") => Self::Prefecture,
            Some("province") => Self::Province,
            Some(_) => Self::Partner,
            None => Self::Public,
        }
    }
}

impl fmt::Display for RoleKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The word names no kind of role.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no kind of role")]
pub struct UnknownRoleKind(pub String);

impl FromStr for RoleKind {
    type Err = UnknownRoleKind;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        found.ok_or_else(|| UnknownRoleKind(text.to_owned()))
    }
}
