//! Who may do what to whose data.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::fmt::Write as _;

use model::access::{
    Action, Actor, Because, DataClass, Permission, Reach, RecordRef, RoleKind, Scope, Subject, mask, may,
    scope,
};
use model::access::{Action as A, DataClass as C, RoleKind as R};
use model::{CitizenNumber, Date, DivisionCode, RecordKey, Sex};

/// Every right there is: a line is a role and what it does, a column a class of data.
#[test]
fn matrix() {
    let mut text = format!("{:<16}{:<12}", "role", "action");
    for class in DataClass::ALL {
        write!(text, "{:<10}", class.as_str()).unwrap();
    }
    for role in RoleKind::ALL {
        for action in Action::ALL {
            let scopes = DataClass::ALL.map(|class| match scope(role, action, class) {
                Some(Scope::Everywhere) => "all",
                Some(Scope::Reach) => "reach",
                None => "-",
            });
            if scopes.iter().any(|scope| *scope != "-") {
                write!(text, "\n{:<16}{:<12}", role.as_str(), action.as_str()).unwrap();
                for scope in &scopes {
                    write!(text, "{scope:<10}").unwrap();
                }
            }
        }
    }
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    insta::assert_snapshot!("matrix", lines.join("\n"));
}

fn division(code: &str) -> DivisionCode {
    code.parse().unwrap()
}

fn record(entity: &str, key: &str) -> RecordRef {
    RecordRef { entity: entity.parse().unwrap(), key: key.parse().unwrap() }
}

fn reach(divisions: &[&str], records: &[RecordRef], organisation: Option<&str>) -> Reach {
    Reach {
        divisions: divisions.iter().map(|code| division(code)).collect(),
        records: records.iter().cloned().collect::<BTreeSet<_>>(),
        organisation: organisation.map(|key| RecordKey::new(key).unwrap()),
    }
}

#[test]
fn a_role_and_a_class_count_within_the_actors_reach() {
    let village = [division("513336100204"), division("513336100"), division("513336"), division("5133")];
    let family = [record("person", "p1"), record("household", "h1")];
    let office = [RecordKey::new("bureau").unwrap()];
    let subject = |class| Subject { divisions: &village, records: &family, organisations: &office, class };
    let check = |role, reach: Reach, action, class, expected| {
        let actor = Actor { role, reach };
        assert_eq!(may(&actor, action, subject(class)), expected, "{role} {action:?} {class:?}");
    };
    let (yes, beyond) = (Permission::Yes, Permission::No(Because::Reach));
    let closed = |class| Permission::No(Because::Class(class));
    let at = |code| reach(&[code], &[], None);
    check(R::Township, at("513336100"), A::See, C::Health, yes);
    check(R::Township, at("513336101"), A::See, C::Health, beyond);
    check(R::Township, at("513336100"), A::See, C::Account, closed(C::Account));
    check(R::CountyOfficer, at("513336"), A::See, C::Identity, yes);
    check(R::CountyOfficer, at("513336100204"), A::See, C::Open, yes);
    check(R::CountyOfficer, at("513336100205"), A::See, C::Open, beyond);
    // Nobody learns from a refusal whether a record beyond their reach exists.
    check(R::VillageWorker, at("513336100205"), A::See, C::Health, closed(C::Health));
    check(R::VillageWorker, reach(&[], &[record("household", "h1")], None), A::See, C::Contact, yes);
    check(R::VillageWorker, reach(&[], &[record("household", "h2")], None), A::See, C::Contact, beyond);
    // A key says nothing without its entity.
    check(R::VillageWorker, reach(&[], &[record("loan", "h1")], None), A::See, C::Contact, beyond);
    check(R::Partner, reach(&[], &[], Some("bureau")), A::Record, C::Open, yes);
    check(R::Partner, reach(&[], &[], Some("school")), A::Record, C::Open, beyond);
    check(R::Resident, reach(&[], &[record("person", "p1")], None), A::See, C::Health, yes);
    check(
        R::Resident,
        reach(&[], &[record("person", "p1")], None),
        A::Record,
        C::Open,
        Permission::No(Because::Role),
    );
    check(R::Public, Reach::default(), A::Count, C::Open, yes);
    check(R::Public, at("5133"), A::See, C::Open, Permission::No(Because::Role));
    check(R::CountyApprover, at("513336"), A::Approve, C::Open, yes);
    check(R::CountyOfficer, at("513336"), A::Approve, C::Open, Permission::No(Because::Role));
    check(R::Auditor, at("513336"), A::Record, C::Open, Permission::No(Because::Role));
    check(R::Administrator, at("513336"), A::See, C::Open, Permission::No(Because::Role));
    check(R::Administrator, Reach::default(), A::Administer, C::Open, yes);
}

/// The makers of records, those who approve and those who pay are different people, and no one who writes audits.
#[test]
fn duties_are_separate() {
    let does = |role, action| DataClass::ALL.into_iter().any(|class| scope(role, action, class).is_some());
    for role in RoleKind::ALL {
        let duties = [Action::Record, Action::Approve, Action::Administer];
        assert!(duties.into_iter().filter(|action| does(role, *action)).count() <= 1, "{role}");
        assert!(!(does(role, Action::Pay) && does(role, Action::Approve)), "{role}");
    }
    for action in [Action::Record, Action::Act, Action::Approve, Action::Pay, Action::Publish] {
        assert!(!does(RoleKind::Auditor, action), "{action:?}");
    }
}

#[test]
fn health_is_seen_by_few() {
    let sees = |role: &RoleKind| scope(*role, Action::See, DataClass::Health).is_some();
    let seeing: Vec<&str> =
        RoleKind::ALL.iter().filter(|role| sees(role)).map(|role| role.as_str()).collect();
    assert_eq!(seeing, ["resident", "township", "county-officer", "county-approver", "auditor"]);
    let exporting =
        RoleKind::ALL.iter().filter(|role| scope(**role, Action::Export, DataClass::Health).is_some());
    assert_eq!(exporting.count(), 0, "nobody takes it out of the system");
}

/// Completes 17 digits with their check character (GB 11643, ISO 7064 MOD 11-2).
fn complete(body: &str) -> String {
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = body.bytes().zip(weights).map(|(byte, weight)| u32::from(byte - b'0') * weight).sum();
    format!("{body}{}", char::from(b"10X98765432"[sum as usize % 11]))
}

/// County, year of birth and sex stand open beside the number.
#[test]
fn a_masked_identity_number_leaves_a_thousand_candidates_and_more() {
    let check = |number: &str| {
        let number: CitizenNumber = number.parse().unwrap();
        let shown = mask(number.expose(), DataClass::Identity);
        let (county, year) = (&number.expose()[..6], number.birth().year());
        let mut day = Date::from_ymd(year, 1, 1).unwrap();
        let mut candidates = 0;
        while day.year() == year {
            for order in (0..1000).filter(|order| (order % 2 == 1) == (number.sex() == Sex::Male)) {
                let (_, month, day) = day.ymd();
                let body = format!("{county}{year}{month:02}{day:02}{order:03}");
                candidates += u32::from(mask(&complete(&body), DataClass::Identity) == shown);
            }
            day = Date::from_days(day.days() + 1).unwrap();
        }
        assert!(candidates >= 10_000, "{shown}: {candidates}");
    };
    check("513431197210162405");
    check("11010519491231002X");
}
