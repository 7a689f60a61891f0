//! A small office: a flow with every construct, its actors, facts that may change, and a reader of scripts.

use std::collections::{BTreeMap, BTreeSet};

use model::flow::*;
use model::{Date, Digest, Fen, RecordKey, Refusal, Text};

pub const ELIGIBLE: ExpressionId = ExpressionId(1);
pub const AMOUNT: ExpressionId = ExpressionId(2);
pub const OFFICIAL_KIN: ExpressionId = ExpressionId(3);
pub const ELECTORATE: ExpressionId = ExpressionId(4);
pub const NOTICE_DAYS: ParameterId = ParameterId(0);

pub fn text(words: &str) -> Text {
    Text::same(words)
}

pub fn fixed(numerator: u64, denominator: u64) -> Quantity {
    Quantity::Fixed(Fraction::new(numerator, denominator).unwrap())
}

pub fn days(count: u64, unit: DayUnit) -> Days {
    Days { count: fixed(count, 1), unit }
}

pub fn step(id: &str, role: &str) -> Step {
    Step {
        id: id.to_owned(),
        title: text(id),
        roles: vec![role.to_owned()],
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
    }
}

/// Every step leads to the next, and the last to the end, where nothing else is declared.
pub fn chained(mut steps: Vec<Step>) -> Vec<Step> {
    let count = steps.len();
    for (position, step) in steps.iter_mut().enumerate() {
        if step.next.is_empty() {
            let to = match position + 1 {
                next if next < count => Target::Step(StepIndex(next as u16)),
                _ => Target::End(Outcome::Done),
            };
            step.next = vec![Branch { on: BranchOn::Always, to }];
        }
    }
    steps
}

pub const SURVEY: StepIndex = StepIndex(1);
pub const REVIEW: StepIndex = StepIndex(4);
pub const SAMPLING: StepIndex = StepIndex(5);
pub const DECISION: StepIndex = StepIndex(6);

/// A guarantee as a village's list goes through it.
pub fn flow(effect: Effect, unit: DayUnit) -> Flow {
    let application = Step {
        roles: vec!["household".into(), "village".into()],
        kin_may_act: true,
        evidence: vec![Evidence { id: "form".into(), title: text("form") }],
        ..step("application", "village")
    };
    let survey = Step {
        investigators: 2,
        proposes: true,
        deadline: Some(Deadline {
            within: days(10, DayUnit::Working),
            extended: Some(days(20, DayUnit::Working)),
            lapses: false,
        }),
        refusing: Some(Refusing { within: None, appeal: None }),
        ..step("survey", "township")
    };
    let half = Majority { share: fixed(1, 2), more_than: true, of_entitled: false };
    let appraisal = Step {
        vote: Some(Vote {
            electorate: Some(Quantity::Expression(ELECTORATE)),
            quorum: fixed(2, 3),
            majority: half,
            secret: true,
            lost: Target::End(Outcome::Refused),
        }),
        ..step("appraisal", "village")
    };
    let place = |id: &str| Place { id: id.into(), title: text(id) };
    let notice = Step {
        notice: Some(Notice {
            days: Days { count: Quantity::Parameter(NOTICE_DAYS), unit },
            places: vec![place("board"), place("hall")],
            shows: vec![AMOUNT],
        }),
        objection: Some(Objection {
            by: Objectors::Anyone,
            answered_by: vec!["township".into()],
            not_by: vec![SURVEY],
            within: Some(days(5, DayUnit::Working)),
            effect,
            upheld: SURVEY,
        }),
        ..step("notice", "village")
    };
    let review = Step { not_by: vec![SURVEY], returns: vec![SURVEY], ..step("review", "township") };
    let sampling = Step {
        sample: Some(Sample {
            share: fixed(3, 10),
            musts: vec![Must { title: text("kin of officials"), when: OFFICIAL_KIN }],
        }),
        ..step("sampling", "county")
    };
    let decision = Step {
        not_by: vec![SURVEY, REVIEW, SAMPLING],
        when: Some(ELIGIBLE),
        approves: true,
        reserves: Some(Reserve { fund: "minimum-living".into(), amount: AMOUNT, period: "year".into() }),
        records: vec![Write { entity: "decision".into(), fields: vec![("amount".into(), AMOUNT)] }],
        refusing: Some(Refusing {
            within: Some(days(3, DayUnit::Working)),
            appeal: Some(Appeal { within: days(60, DayUnit::Calendar), to: SURVEY }),
        }),
        ..step("decision", "county")
    };
    Flow {
        id: "guarantee".into(),
        version: "1".into(),
        sheet: true,
        applicants: ["household".to_owned()].into(),
        withdrawal: true,
        shows: vec![AMOUNT],
        steps: chained(vec![
            application,
            survey,
            appraisal,
            notice,
            review,
            sampling,
            decision,
            step("announcement", "village"),
        ]),
    }
}

pub fn key(text: &str) -> RecordKey {
    RecordKey::new(text).unwrap()
}

pub fn keys<'a>(texts: impl IntoIterator<Item = &'a str>) -> BTreeSet<RecordKey> {
    texts.into_iter().map(key).collect()
}

/// Who works here: name, role, kin of, own records.
pub const ACTORS: &[(&str, &str, &[&str], &[&str])] = &[
    ("clerk", "village", &[], &[]),
    ("chief", "village", &["h2"], &[]),
    ("tang", "township", &[], &[]),
    ("tian", "township", &[], &[]),
    ("tong", "township", &[], &[]),
    ("tie", "township", &["h2"], &[]),
    ("cai", "county", &[], &[]),
    ("chen", "county", &[], &[]),
    ("cui", "county", &["h3"], &[]),
    ("wang", "household", &[], &["h1"]),
    ("sun", "villager", &[], &[]),
    ("clock", "system", &[], &[]),
];

/// Who is appointed where nobody else is left to act.
pub const STAND_INS: &[(&str, &str, &[&str], &[&str])] =
    &[("ting", "township", &[], &[]), ("cong", "county", &[], &[])];

pub fn actor(name: &str) -> Actor {
    let found = ACTORS.iter().chain(STAND_INS).find(|(known, ..)| *known == name);
    let (id, role, kin, own) = found.unwrap_or_else(|| panic!("nobody is called {name}"));
    Actor {
        id: (*id).into(),
        role: (*role).into(),
        kin: keys(kin.iter().copied()),
        own: keys(own.iter().copied()),
    }
}

pub fn date(text: &str) -> Date {
    text.parse().unwrap()
}

/// 2015, with the holidays of May and October and one Saturday made up for.
pub fn calendar() -> WorkingCalendar {
    let mut holidays: BTreeSet<Date> = (1..=7).map(|day| Date::from_ymd(2015, 10, day).unwrap()).collect();
    holidays.insert(date("2015-05-01"));
    WorkingCalendar {
        first: date("2015-01-01"),
        last: date("2018-12-31"),
        holidays,
        working_weekends: [date("2015-10-10")].into(),
    }
}

/// What is so of a record.
#[derive(Clone, Debug)]
pub struct Truth {
    pub eligible: Option<bool>,
    pub amount: Option<i64>,
    pub kin: Option<bool>,
}

#[derive(Clone)]
pub struct World {
    pub flow: Flow,
    pub calendar: WorkingCalendar,
    pub today: Date,
    pub truths: BTreeMap<RecordKey, Truth>,
    pub notice_days: u64,
    pub electorate: u64,
    pub state: State,
    pub events: Vec<Event>,
}

impl World {
    pub fn new(flow: Flow, items: &[&str]) -> Self {
        let truth = Truth { eligible: Some(true), amount: Some(120_000), kin: Some(false) };
        Self {
            flow,
            calendar: calendar(),
            today: date("2015-03-02"),
            truths: items.iter().map(|item| (key(item), truth.clone())).collect(),
            notice_days: 7,
            electorate: 30,
            state: State::default(),
            events: vec![],
        }
    }

    pub fn facts(&self) -> BTreeMap<RecordKey, Facts> {
        let fact = |value: Option<bool>, field: &str| match value {
            Some(value) => Fact::known(value),
            None => Fact::unknown([field.to_owned()]),
        };
        self.truths
            .iter()
            .map(|(item, truth)| {
                let conditions = [
                    (ELIGIBLE, fact(truth.eligible, "household.income")),
                    (OFFICIAL_KIN, fact(truth.kin, "household.kin")),
                ];
                let amounts = truth.amount.map(|fen| (AMOUNT, Fen::from_fen(fen)));
                let shown = truth.amount.map(digest_of);
                (
                    item.clone(),
                    Facts { conditions: conditions.into(), amounts: amounts.into_iter().collect(), shown },
                )
            })
            .collect()
    }

    pub fn context(&self, name: &str) -> Context<'_> {
        Context {
            now: Now { at: UnixSecond(i64::from(self.today.days()) * 86_400), today: self.today },
            calendar: &self.calendar,
            actor: actor(name),
            facts: self.facts(),
            parameters: [(NOTICE_DAYS, Fraction::whole(self.notice_days))].into(),
            numbers: [(ELECTORATE, Fraction::whole(self.electorate))].into(),
            seed: 42,
        }
    }

    pub fn decide(&self, name: &str, command: &Command) -> Result<Vec<Event>, Refusal> {
        decide(&self.flow, &self.state, command, &self.context(name))
    }

    /// Does it, if it is allowed.
    pub fn command(&mut self, name: &str, command: &Command) -> Result<Vec<Event>, Refusal> {
        let events = self.decide(name, command)?;
        for event in &events {
            self.state = apply(std::mem::take(&mut self.state), event);
        }
        self.events.extend(events.iter().cloned());
        Ok(events)
    }

    /// Runs a script, line by line: `2015-03-02 clerk open h1 h2 => opened, entered 0 application`. A day that is
    /// left out is the one before; what follows `=>` is what happened, or `refused` with the code.
    pub fn check(&mut self, script: &str) {
        for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (given, expected) = line.split_once("=>").unwrap_or_else(|| panic!("no `=>` in `{line}`"));
            let found = self.line(given.trim());
            assert_eq!(found.trim(), expected.trim(), "{given}");
        }
    }

    /// Runs lines of which every one is allowed.
    pub fn run(&mut self, script: &str) {
        for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let found = self.line(line);
            assert!(!found.starts_with("refused"), "{line}: {found}");
        }
    }

    fn line(&mut self, line: &str) -> String {
        let mut words: Vec<&str> = line.split_whitespace().collect();
        if words[0].starts_with("201") {
            self.today = date(words.remove(0));
        }
        if words[0] == "fact" {
            self.change(&words[1..]);
            return "noted".into();
        }
        let command = self.read(&words[1..]);
        match self.command(words[0], &command) {
            Ok(events) => {
                let events: Vec<String> = events.iter().map(|event| self.summary(&event.what)).collect();
                events.join(", ")
            }
            Err(refusal) => match &refusal.value {
                Some(value) => format!("refused {} {value}", refusal.code),
                None => format!("refused {}", refusal.code),
            },
        }
    }

    /// `fact h1 amount 5`, `fact h1 eligible no`, `fact h1 kin unknown`.
    fn change(&mut self, words: &[&str]) {
        let truth = self.truths.get_mut(words[0]).unwrap();
        let flag = match words[2] {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        };
        match words[1] {
            "amount" => truth.amount = words[2].parse().ok(),
            "eligible" => truth.eligible = flag,
            "kin" => truth.kin = flag,
            other => panic!("no fact is called {other}"),
        }
    }

    /// `open h1 h2`, `tick`, or an act with the strand after a colon where it is not the first: `complete:1`.
    pub fn read(&self, words: &[&str]) -> Command {
        let (act, strand) = words[0].split_once(':').unwrap_or((words[0], "0"));
        let strand = StrandId(strand.parse().unwrap());
        let rest = &words[1..];
        let items = || keys(rest.iter().copied());
        let some = || (!rest.is_empty()).then(items);
        let reasons = || rest.join(" ");
        let act = match act {
            "open" => return Command::Open { items: items() },
            "tick" => return Command::Tick,
            "attach" => Act::Attach {
                kind: rest[0].into(),
                document: Digest::from_bytes([rest[1].parse().unwrap(); 32]),
            },
            "investigate" => Act::Investigate,
            "draw" => Act::Draw,
            "visit" => Act::Visit { items: items() },
            "vote" => Act::Vote(self.minutes(strand, rest)),
            "post" => Act::Post { place: rest[0].into() },
            "object" => {
                let item = rest[0].starts_with('h').then(|| key(rest[0]));
                Act::Object { item, grounds: rest.get(1..).unwrap_or_default().join(" ") }
            }
            "uphold" | "dismiss" => Act::Answer {
                objection: rest[0].parse().unwrap(),
                upheld: act == "uphold",
                reasons: rest[1..].join(" "),
            },
            "complete" => Act::Complete { choice: rest.first().map(|choice| (*choice).into()) },
            "refuse" => {
                let named: Vec<&str> =
                    rest.iter().copied().take_while(|word| word.starts_with('h')).collect();
                let items = (!named.is_empty()).then(|| keys(named.iter().copied()));
                Act::Refuse { items, reasons: rest[named.len()..].join(" ") }
            }
            "deliver" => Act::Deliver { letter: Digest::from_bytes([9; 32]) },
            "return" => {
                Act::Return { to: self.flow.step_named(rest[0]).unwrap(), reasons: rest[1..].join(" ") }
            }
            "void" => Act::Void,
            "withdraw" => Act::Withdraw { items: some() },
            "appeal" => Act::Appeal { grounds: reasons() },
            "extend" => Act::Extend { reasons: reasons() },
            "apart" => Act::SetApart { items: items() },
            other => panic!("no act is called {other}"),
        };
        Command::Act { strand, step: self.position(strand), act }
    }

    /// `vote 30 20 11`, and `h2=10` for a record with other votes in favour.
    fn minutes(&self, strand: StrandId, words: &[&str]) -> Minutes {
        let number = |position: usize| words[position].parse::<u32>().unwrap();
        let (entitled, present) = (number(0), number(1));
        let items = self.state.strand(strand).map(|strand| strand.items.clone()).unwrap_or_default();
        let ballot = |in_favour: u32| Ballot { in_favour, against: present.saturating_sub(in_favour) };
        let mut ballots: BTreeMap<_, _> = items.into_iter().map(|item| (item, ballot(number(2)))).collect();
        for word in &words[3..] {
            let (item, votes) = word.split_once('=').unwrap();
            ballots.insert(key(item), ballot(votes.parse().unwrap()));
        }
        Minutes { entitled, present, secret: true, ballots }
    }

    pub fn position(&self, strand: StrandId) -> StepIndex {
        match self.state.strand(strand).map(|strand| &strand.position) {
            Some(Position::At(step)) => *step,
            Some(Position::Ended(end)) => end.step,
            None => StepIndex(0),
        }
    }

    /// A short form of an event; strands by number, steps by id.
    pub fn summary(&self, what: &What) -> String {
        let name = |step: &StepIndex| self.flow.steps[step.index()].id.clone();
        let list =
            |items: &BTreeSet<RecordKey>| items.iter().map(RecordKey::as_str).collect::<Vec<_>>().join(" ");
        match what {
            What::Opened { .. } => "opened".into(),
            What::Entered { strand, step, due: None } => format!("entered {} {}", strand.0, name(step)),
            What::Entered { strand, step, due: Some(due) } => {
                format!("entered {} {} due {due}", strand.0, name(step))
            }
            What::Parted { from, to, items } => format!("parted {}>{} {}", from.0, to.0, list(items)),
            What::Attached { .. } => "attached".into(),
            What::Investigated { .. } => "investigated".into(),
            What::Sampled { drawn, musts, .. } => format!("sampled {} and {}", list(drawn), list(musts)),
            What::Visited { .. } => "visited".into(),
            What::Voted { tally, .. } => {
                let carried = tally.ballots.iter().filter(|(_, (_, _, carried))| *carried);
                format!("voted for {}", list(&carried.map(|(item, _)| item.clone()).collect()))
            }
            What::Posted { .. } => "posted".into(),
            What::ClockStarted { strand, required, hung, until, .. } => {
                format!("clock {} from {hung}/{required} until {until}", strand.0)
            }
            What::ClockStopped { strand, hung } => format!("clock {} stopped at {hung}", strand.0),
            What::Objected { strand, objection, due, .. } => {
                let due = due.map_or_else(|| "-".into(), |due| due.to_string());
                format!("objected {}#{objection} due {due}", strand.0)
            }
            What::Answered { objection, upheld, .. } => {
                format!("{} #{objection}", if *upheld { "upheld" } else { "dismissed" })
            }
            What::Proposed { digests, .. } => {
                format!("proposed {}", list(&digests.keys().cloned().collect()))
            }
            What::Completed { step, .. } => format!("completed {}", name(step)),
            What::Writes { item, write, .. } => format!("writes {} of {item}", write.entity),
            What::Reserved { item, amount, .. } => format!("reserved {item} {}", amount.fen()),
            What::Released { item, amount, .. } => format!("released {item} {}", amount.fen()),
            What::Refused { strand, .. } => format!("refusal {}", strand.0),
            What::Returned { to, .. } => format!("returned {}", name(to)),
            What::Voided { changed, .. } => format!("voided {}", list(&changed.keys().cloned().collect())),
            What::Withdrawn { strand } => format!("withdrawn {}", strand.0),
            What::Extended { due, .. } => format!("extended {due}"),
            What::Overdue { what, .. } => format!("overdue {what:?}"),
            What::Ended { strand, outcome, deliver_by: None, .. } => {
                format!("ended {} {outcome:?}", strand.0)
            }
            What::Ended { strand, outcome, deliver_by: Some(by), .. } => {
                format!("ended {} {outcome:?} letter by {by}", strand.0)
            }
            What::Delivered { appeal_until, .. } => {
                format!(
                    "delivered{}",
                    appeal_until.map_or_else(String::new, |until| format!(" appeal until {until}"))
                )
            }
            What::Appealed { .. } => "appealed".into(),
        }
    }
}

fn digest_of(amount: i64) -> Digest {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&amount.to_be_bytes());
    Digest::from_bytes(bytes)
}
