//! Stands in for the pack's typed flows until they are merged.
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, OnceLock};

use model::flow::*;
use model::{Date, Text};
use pack::program::{EntityId, Program};

pub struct Temporary {
    pub entity: EntityId,
    pub sheet: Option<EntityId>,
    pub machine: &'static Flow,
}

pub fn calendar(on: Date) -> WorkingCalendar {
    let _ = on;
    let day = |text: &str| text.parse::<Date>().unwrap();
    WorkingCalendar {
        first: day("2015-01-01"),
        last: day("2016-12-31"),
        holidays: ["2016-01-01", "2016-02-08", "2016-02-09", "2016-02-10", "2016-02-11", "2016-02-12", "2016-04-04", "2016-05-02", "2016-06-09", "2016-06-10", "2016-09-15", "2016-09-16", "2016-10-03", "2016-10-04", "2016-10-05", "2016-10-06", "2016-10-07"].iter().map(|text| day(text)).collect(),
        working_weekends: ["2016-02-06", "2016-02-14", "2016-06-12", "2016-09-18", "2016-10-08", "2016-10-09"].iter().map(|text| day(text)).collect(),
    }
}

pub fn flow(program: &Program, id: &str) -> Option<Temporary> {
    static MADE: OnceLock<Mutex<BTreeMap<String, &'static Flow>>> = OnceLock::new();
    if id != "benefit-approval" {
        return None;
    }
    let entity = program.entity_named("household")?;
    let sheet = program.entity_named("village");
    let made = MADE.get_or_init(Mutex::default);
    let mut made = made.lock().unwrap();
    let machine = *made.entry(program.digest.clone()).or_insert_with(|| Box::leak(Box::new(machine(program, entity, id))));
    Some(Temporary { entity, sheet, machine })
}

fn machine(program: &Program, entity: EntityId, id: &str) -> Flow {
    let column = |name: &str| ExpressionId(program.column_named(entity, name).unwrap().0);
    let days = |count: u64, unit| Days { count: Quantity::Fixed(Fraction::whole(count)), unit };
    let share = |numerator, denominator| Quantity::Fixed(Fraction::new(numerator, denominator).unwrap());
    let step = |id: &str, zh: &str, en: &str, role: &str| Step {
        id: id.into(),
        title: Text { zh: zh.into(), en: en.into() },
        roles: vec![role.into()],
        not_by: vec![],
        kin_may_act: false,
        deadline: None,
        evidence: vec![],
        investigators: 0,
        sample: None,
        vote: None,
        notice: None,
        objection: None,
        when: None,
        proposes: false,
        approves: false,
        refusing: None,
        returns: vec![],
        records: vec![],
        reserves: None,
        publishes: vec![],
        next: vec![],
    };
    let to = |index: u16| vec![Branch { on: BranchOn::Always, to: Target::Step(StepIndex(index)) }];
    let steps = vec![
        Step { kin_may_act: true, roles: vec!["household".into(), "village".into()], next: to(1), ..step("application", "申请", "application", "household") },
        Step { investigators: 2, next: to(2), proposes: true, evidence: vec![Evidence { id: "survey".into(), title: Text::new("入户调查表", "survey form") }], deadline: Some(Deadline { within: days(10, DayUnit::Working), extended: None, lapses: false }), ..step("survey", "入户调查", "survey", "township") },
        Step { vote: Some(Vote { electorate: None, quorum: share(2, 3), majority: Majority { share: share(1, 2), more_than: true, of_entitled: false }, secret: false, lost: Target::End(Outcome::Refused) }), next: to(3), ..step("appraisal", "民主评议", "appraisal", "village") },
        Step {
            notice: Some(Notice { days: days(7, DayUnit::Calendar), places: vec![Place { id: "village".into(), title: Text::new("村公示栏", "village board") }], shows: vec![column("members")] }),
            objection: Some(Objection { by: Objectors::Anyone, answered_by: vec!["township".into()], not_by: vec![StepIndex(1)], within: Some(days(5, DayUnit::Working)), effect: Effect::Separate, upheld: StepIndex(1) }),
            next: to(4),
            ..step("village-notice", "村公示", "village notice", "village")
        },
        Step { not_by: vec![StepIndex(1)], returns: vec![StepIndex(1)], next: to(5), when: Some(column("minimum_living")), refusing: Some(Refusing { within: Some(days(3, DayUnit::Working)), appeal: None }), ..step("review", "乡镇审核", "township review", "township") },
        Step {
            not_by: vec![StepIndex(1), StepIndex(4)],
            sample: Some(Sample { share: share(3, 10), musts: vec![] }),
            when: Some(column("minimum_living")),
            approves: true,
            refusing: Some(Refusing { within: Some(days(3, DayUnit::Working)), appeal: None }),
            returns: vec![StepIndex(1)],
            reserves: Some(Reserve { fund: "minimum-living".into(), amount: column("minimum_living_amount"), period: "year".into() }),
            records: vec![Write { entity: "decision".into(), fields: vec![("amount".into(), column("minimum_living_amount"))] }],
            next: vec![Branch { on: BranchOn::Always, to: Target::End(Outcome::Done) }],
            ..step("approval", "县级审批", "county approval", "county")
        },
    ];
    Flow {
        id: id.into(),
        version: program.digest.clone(),
        sheet: true,
        applicants: BTreeSet::from(["household".into()]),
        withdrawal: true,
        shows: ["members", "income_per_person", "minimum_living_amount"].iter().map(|name| column(name)).collect(),
        steps,
    }
}
