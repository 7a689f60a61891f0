//! A county that pays: its book, its batches, its bank, driven by text.
//!
//! `COMMAND => OUTCOME`, where the outcome is `ok`, `again` (a success that changes nothing) or a code.
//!
//!     on 2016-03-01                        the day of what follows
//!     plan BATCH l1=100 l2=200             l1 pays household h1, and so on
//!     again BATCH EARLIER l1=100           lines of an earlier batch are paid again
//!     cancel | send FILE | reject | close
//!     ack COUNT SUM DATE                   reconcile FEN DATE
//!     return FILE l1 ok 100 DATE ; l2 back 200 DATE
//!     correct LINE                         giveup LINE
//!     see LINE DELIVERED RETURNED OPEN     stage STAGE
//!     owed HOUSEHOLD AVAILABLE PENDING     paid HOUSEHOLD FEN

use std::collections::BTreeMap;

use model::ledger::{
    self, AccountId, Action, Basis, Book, Command, Draft, Holder, Layer, Remainder, TransferId,
};
use model::payment::{
    Batch, BatchCommand, BatchEvent, BatchId, BatchPlan, Correction, Line, LineId, LineOutcome, LineRef,
    OutcomeKind, Payee, Payees, PaymentRefusal, Statement, decide, fold, openings, plan_again, postings,
    replay,
};
use model::{Date, Digest, Fen, Moment, Reason, RecordKey, Text};

pub struct Office {
    pub book: Book,
    pub book_events: Vec<ledger::Event>,
    pub batches: BTreeMap<BatchId, Batch>,
    pub events: Vec<(BatchId, BatchEvent)>,
    pub now: Moment,
    /// The batch that commands without a name are about.
    pub current: BatchId,
}

pub fn check(table: &str) -> Office {
    let mut office = Office::new();
    office.check(table);
    office
}

impl Office {
    /// A county that owes 1,000 fen to each of the households h1 to h5.
    pub fn new() -> Self {
        let mut office = Self {
            book: Book::new(),
            book_events: Vec::new(),
            batches: BTreeMap::new(),
            events: Vec::new(),
            now: noon("2016-03-01"),
            current: "B1".parse().unwrap(),
        };
        for command in set_up() {
            office.post(&command);
        }
        office
    }

    pub fn check(&mut self, table: &str) {
        for line in table.lines().map(|line| line.split('#').next().unwrap_or_default().trim()) {
            if !line.is_empty() {
                self.check_line(line);
            }
        }
    }

    pub fn batch(&self) -> &Batch {
        &self.batches[&self.current]
    }

    /// Stores the events of a batch with what they come to in the book, or neither.
    pub fn record(&mut self, id: &BatchId, events: &[BatchEvent]) {
        for event in events {
            if let BatchEvent::Planned { plan, .. } = event {
                self.post(&openings(plan));
            }
            let before = self.batches.remove(id);
            if let Some(command) = postings(before.as_ref(), event) {
                self.post(&command);
            }
            let stored = serde_json::to_string(event).unwrap();
            let event: BatchEvent = serde_json::from_str(&stored).unwrap();
            self.batches.insert(id.clone(), fold(before, &event).expect("decided events apply"));
            self.events.push((id.clone(), event));
        }
    }

    pub fn post(&mut self, command: &Command) {
        let events =
            ledger::decide(&self.book, command, self.now).unwrap_or_else(|refusal| panic!("{refusal}"));
        for event in &events {
            self.book.apply(event).expect("decided events apply");
        }
        self.book_events.extend(events);
    }

    /// What must hold after any command: batches and book agree.
    pub fn check_office(&self) {
        let mut delivered: BTreeMap<AccountId, i64> = BTreeMap::new();
        let mut open: BTreeMap<AccountId, i64> = BTreeMap::new();
        for batch in self.batches.values() {
            let is_over = batch.stage == model::payment::BatchStage::Cancelled;
            for state in batch.lines.iter().filter(|_| !is_over) {
                *delivered.entry(state.line.to.clone()).or_default() += state.delivered_fen.fen();
                *open.entry(state.line.to.clone()).or_default() += state.open_fen().fen();
                assert!(!state.open_fen().is_negative() && !state.return_open_fen().is_negative());
            }
            let own = self.events.iter().filter(|(id, _)| id == batch.id()).map(|(_, event)| event);
            assert_eq!(replay(own), Ok(Some(batch.clone())), "a batch equals replay");
        }
        for state in self.book.accounts().filter(|state| state.account.id.layer == Layer::Settled) {
            let id = &state.account.id;
            assert_eq!(delivered.get(id).copied().unwrap_or(0), state.balance.posted().fen(), "{id}");
            assert_eq!(open.get(id).copied().unwrap_or(0), state.balance.credits_pending.fen(), "{id}");
        }
        assert_eq!(Book::replay(&self.book_events).as_ref(), Ok(&self.book));
    }

    fn check_line(&mut self, text: &str) {
        let words: Vec<&str> = text.split_whitespace().collect();
        match words[..] {
            ["on", day] => self.now = noon(day),
            ["batch", id] => self.current = id.parse().unwrap(),
            ["stage", stage] => assert_eq!(self.batch().stage.as_str(), stage),
            ["see", line, delivered, returned, open] => {
                let state = self.batch().line(&line_id(line)).unwrap();
                let found = [state.delivered_fen, state.returned_fen, state.open_fen()];
                assert_eq!(found, [delivered, returned, open].map(fen), "{text}");
            }
            ["owed", household, available, pending] => {
                let id = account(Layer::Encumbered, household);
                let pending_found = self.book.account(&id).unwrap().balance.debits_pending;
                let found = [self.book.available(&id, self.now).unwrap(), pending_found];
                assert_eq!(found, [fen(available), fen(pending)], "{text}");
            }
            ["paid", household, amount] => {
                let state = self.book.account(&account(Layer::Settled, household)).unwrap();
                assert_eq!(state.balance.posted(), fen(amount), "{text}");
            }
            _ => {
                let (command, expected) = text.split_once("=>").unwrap_or_else(|| panic!("{text}"));
                let before = (self.batches.clone(), self.book.clone());
                let found = match self.run(command.trim()) {
                    Ok(0) => "again".to_owned(),
                    Ok(_) => "ok".to_owned(),
                    Err(refusal) => refusal.code.as_str().to_owned(),
                };
                if found != "ok" {
                    assert_eq!(before, (self.batches.clone(), self.book.clone()), "{text} changes nothing");
                }
                assert_eq!(found, expected.trim(), "{text}");
                self.check_office();
            }
        }
    }

    /// The number of events that the command came to.
    pub fn run(&mut self, text: &str) -> Result<usize, PaymentRefusal> {
        let words: Vec<&str> = text.split_whitespace().collect();
        if let ["again", id, earlier, lines @ ..] = &words[..] {
            let (id, earlier): (BatchId, BatchId) = (id.parse().unwrap(), earlier.parse().unwrap());
            let plan = plan(&id, lines, Some(&earlier));
            let (of_earlier, of_next) =
                plan_again(&self.batches[&earlier], self.batches.get(&id), &plan, self.now)?;
            self.record(&earlier, &of_earlier);
            self.record(&id, &of_next);
            self.current = id;
            return Ok(of_next.len());
        }
        let id = match &words[..] {
            ["plan", id, ..] => id.parse().unwrap(),
            _ => self.current.clone(),
        };
        let events = decide(self.batches.get(&id), &command(text, &id), self.now)?;
        self.record(&id, &events);
        self.current = id;
        Ok(events.len())
    }
}

/// The payees of the lines of a batch: line `l1` is paid to 王一.
pub fn payees(batch: &Batch) -> Payees {
    let one = |state: &model::payment::LineState| (state.line.id.clone(), payee(state.line.id.as_str()));
    batch.lines.iter().map(one).collect()
}

/// `l1` and `again-l1` differ in their account, as after a correction.
pub fn payee(line: &str) -> Payee {
    let number = line.trim_start_matches("again-").trim_start_matches('l');
    let account = if line.starts_with("again-") { "6217" } else { "6228" };
    let names = ["王一", "李二", "张三", "赵四", "陈五"];
    let name = number.parse::<usize>().ok().and_then(|place| names.get(place.checked_sub(1)?));
    Payee {
        name: name.map_or_else(|| format!("某{number}"), ToString::to_string),
        account: format!("{account}48000000{number:0>4}"),
        salt: vec![7; 16],
    }
}

pub fn line_id(text: &str) -> LineId {
    text.parse().unwrap()
}

pub fn account(layer: Layer, household: &str) -> AccountId {
    let holder = Holder::Household(RecordKey::new(household).unwrap());
    granted().at(layer, holder)
}

pub fn basis(case: &str) -> Basis {
    let record = |text: &str| Some(RecordKey::new(text).unwrap());
    Basis { clause: "7.1".parse().unwrap(), decision: record("decision-1"), case: record(case) }
}

pub fn noon(day: &str) -> Moment {
    Moment::from_unix_ms(Moment::end_of(date(day)).unix_ms() - 12 * 3_600_000)
}

pub fn date(text: &str) -> Date {
    text.parse().unwrap()
}

pub fn fen(text: &str) -> Fen {
    Fen::from_fen(text.parse().unwrap())
}

fn command(text: &str, id: &BatchId) -> BatchCommand {
    let words: Vec<&str> = text.split_whitespace().collect();
    match &words[..] {
        ["plan", _, lines @ ..] => BatchCommand::Plan(plan(id, lines, None)),
        ["cancel"] => BatchCommand::Cancel,
        ["send", file] => BatchCommand::Send { digest: Digest::of(file.as_bytes()) },
        ["reject"] => BatchCommand::Reject { reason: "格式错误".into() },
        ["ack", count, sum, on] => {
            BatchCommand::Acknowledge { on: date(on), count: count.parse().unwrap(), sum: fen(sum) }
        }
        ["return", file, ..] => {
            let rows = text.splitn(3, ' ').nth(2).unwrap_or_default();
            let outcomes = rows.split(';').filter(|row| !row.trim().is_empty()).map(outcome).collect();
            BatchCommand::ApplyReturn { digest: Digest::of(file.as_bytes()), outcomes }
        }
        ["correct", line] => {
            let payee = payee(&format!("again-{line}"));
            let decision = RecordKey::new("correction-1").unwrap();
            let correction = Correction { decision, commitment: payee.commitment(), shown: payee.masked() };
            BatchCommand::Correct { line: line_id(line), correction }
        }
        ["giveup", line] => {
            BatchCommand::GiveUp { line: line_id(line), decision: RecordKey::new("decision-9").unwrap() }
        }
        ["reconcile", amount, on] => {
            BatchCommand::Reconcile { statement: Statement { on: date(on), delivered_fen: fen(amount) } }
        }
        ["close"] => BatchCommand::Close,
        _ => panic!("`{text}` is no command"),
    }
}

fn outcome(row: &str) -> LineOutcome {
    let words: Vec<&str> = row.split_whitespace().collect();
    let [line, kind, amount, on] = words[..] else { panic!("`{row}` is no outcome") };
    let kind = match kind {
        "ok" => OutcomeKind::Delivered,
        _ => OutcomeKind::Returned { reason: "账号不存在".into() },
    };
    LineOutcome { line: line_id(line), kind, fen: fen(amount), on: date(on) }
}

/// Lines as `l1=100`, with `@CASE` if it is not that of the household, `^account` to name another payer.
fn plan(id: &BatchId, lines: &[&str], earlier: Option<&BatchId>) -> BatchPlan {
    let one = |text: &&str| {
        let (name, rest) = text.split_once('=').unwrap();
        let (amount, case) = rest.split_once('@').unwrap_or((rest, "case"));
        let number = name.trim_start_matches("again-").trim_start_matches('l');
        let household = format!("h{}", number.chars().next().unwrap_or('1'));
        let payee = payee(name);
        let again = name
            .strip_prefix("again-")
            .and_then(|line| Some(LineRef { batch: earlier?.clone(), line: line_id(line) }));
        Line {
            id: line_id(name),
            from: account(Layer::Encumbered, &household),
            to: account(Layer::Settled, &household),
            fen: fen(amount),
            basis: basis(case),
            commitment: payee.commitment(),
            shown: payee.masked(),
            again,
        }
    };
    BatchPlan { id: id.clone(), layout: "bank".parse().unwrap(), lines: lines.iter().map(one).collect() }
}

fn granted() -> AccountId {
    "appropriated/2016/living/川财社〔2016〕12号/51".parse().unwrap()
}

fn set_up() -> Vec<Command> {
    let (granted, county) = (granted(), granted().at(Layer::Allotted, "513431".parse().unwrap()));
    let fund = ledger::Fund {
        id: "poverty".parse().unwrap(),
        title: Text::same("poverty"),
        purposes: vec![granted.purpose.clone()],
        cite: Vec::new(),
    };
    let document = ledger::FundDocument {
        number: granted.document.clone(),
        fund: fund.id.clone(),
        title: Text::new("下达补助资金的通知", "notice of allotment"),
        issuer: "51".parse().unwrap(),
        year: 2016,
        issued_on: date("2016-01-20"),
        lines: vec![ledger::DocumentLine { purpose: granted.purpose.clone(), fen: fen("8000") }],
    };
    let draft = |key: &str, action, case: &str| Draft {
        key: key.parse().unwrap(),
        action,
        basis: basis(case),
        effective_on: date("2016-02-01"),
    };
    let households = ["h1", "h2", "h3", "h4", "h5"];
    let owed = households.map(|household| account(Layer::Encumbered, household));
    let ids = owed.iter().cloned().chain([county.clone()]);
    let mut drafts = vec![draft(
        "allot",
        Action::Move { debit: granted, credit: county.clone(), fen: fen("6000") },
        "case",
    )];
    for (household, credit) in households.iter().zip(owed.iter()) {
        let (debit, credit) = (county.clone(), credit.clone());
        let commit = format!("commit-{household}");
        let resolves = TransferId::of(&commit.parse().unwrap());
        let reserve = Action::Reserve { debit, credit, fen: fen("1000"), expires_at: None };
        let post = Action::Post { resolves, fen: fen("1000"), remainder: Remainder::Keep };
        drafts.extend([draft(&commit, reserve, "case"), draft(&format!("verify-{household}"), post, "case")]);
    }
    vec![
        Command::Appropriate {
            key: "grant".parse().unwrap(),
            fund,
            document,
            basis: basis("case"),
            effective_on: date("2016-01-20"),
        },
        Command::Open { accounts: ids.map(ledger::Account::new).collect() },
        Command::Group { group: "set-up".parse().unwrap(), drafts },
    ]
}
