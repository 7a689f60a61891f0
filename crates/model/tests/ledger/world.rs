//! A book that is driven by text, one command a line, and checked after each.
//!
//! `COMMAND => OUTCOME`, where the outcome is `ok`, `again` (a success that posts nothing) or a code.
//!
//!     on 2016-03-01                          the day of what follows
//!     appropriate KEY DOCUMENT living=500,housing=100
//!     open ACCOUNT [max=FEN]                 close ACCOUNT
//!     move KEY FROM TO FEN                   reserve KEY FROM TO FEN [until=DATE]
//!     post KEY RESERVATION FEN keep|release  void KEY RESERVATION      reverse KEY TRANSFER FEN
//!     carry KEY FROM FEN                     recover KEY FROM TO FEN [idle=DATE]
//!     group KEY { COMMAND ; COMMAND }        expire
//!     see ACCOUNT AVAILABLE PENDING          what it may give, and what of it is reserved
//!
//! Accounts: `source`, `granted` (the province), `allotted:5134`, `owed:h1`, `paid:h1`; then `@purpose`, `%document`
//! and `'year`, which are `living`, `D1` and 2016 unless said. Any transfer takes `eff=DATE`, `case=KEY`, `nobasis`.

use model::ledger::{
    Account, AccountId, Action, Basis, Book, Command, DocumentLine, Draft, Event, Fund, FundDocument, Holder,
    Layer, LedgerRefusal, Remainder, TransferId, TransferKey, decide, trace_document,
};
use model::{Date, Fen, Moment, Reason, RecordKey, Text};

pub struct World {
    pub book: Book,
    pub events: Vec<Event>,
    pub now: Moment,
}

/// Runs a table on an empty book. What follows `#` is a remark.
pub fn check(table: &str) -> World {
    let mut world = World::new();
    world.check(table);
    world
}

/// A county with 1,000 fen for `living`, 500 for `housing`, and the accounts of two households.
pub fn county() -> World {
    check(
        "appropriate A D1 living=2000,housing=500 => ok
         open allotted:5134                  => ok
         open allotted:513431                => ok
         open allotted:513431@housing        => ok
         open owed:h1                        => ok
         open owed:h2                        => ok
         open paid:h1                        => ok
         open paid:h2                        => ok
         move down1 granted allotted:5134 1500        => ok
         move down2 allotted:5134 allotted:513431 1000 => ok
         move down3 granted@housing allotted:513431@housing 500 => ok",
    )
}

impl World {
    pub fn new() -> Self {
        Self { book: Book::new(), events: Vec::new(), now: noon("2016-03-01") }
    }

    pub fn check(&mut self, table: &str) {
        for line in table.lines().map(|line| line.split('#').next().unwrap_or_default().trim()) {
            if !line.is_empty() {
                self.check_line(line);
            }
        }
    }

    /// Carries a command out, if it is not refused.
    pub fn run(&mut self, command: &Command) -> Result<Vec<Event>, LedgerRefusal> {
        let events = decide(&self.book, command, self.now)?;
        for event in &events {
            self.book.apply(event).expect("decided events apply");
        }
        self.events.extend(events.iter().cloned());
        Ok(events)
    }

    /// What must hold after any command.
    pub fn check_book(&self) {
        let balances = || self.book.accounts().map(|state| state.balance);
        let sum = |amounts: Vec<Fen>| amounts.iter().map(|fen| i128::from(fen.fen())).sum::<i128>();
        assert_eq!(
            sum(balances().map(|balance| balance.debits_posted).collect()),
            sum(balances().map(|balance| balance.credits_posted).collect()),
            "debits equal credits"
        );
        assert_eq!(
            sum(balances().map(|balance| balance.debits_pending).collect()),
            sum(balances().map(|balance| balance.credits_pending).collect()),
            "pending debits equal pending credits"
        );
        for state in self.book.accounts() {
            let id = &state.account.id;
            assert!(!state.available().unwrap().is_negative(), "`{id}` is not overdrawn");
            assert!(state.room().is_none_or(|room| !room.is_negative()), "`{id}` is below its ceiling");
        }
        for document in self.book.documents() {
            let descent = trace_document(&self.book, &document.number).unwrap();
            let parts =
                [descent.uncommitted, descent.committed, descent.owed, descent.with_bank, descent.delivered];
            assert_eq!(
                sum(parts.to_vec()),
                sum(vec![descent.granted]),
                "every fen of {} is somewhere",
                document.number
            );
        }
        let stored: Vec<String> =
            self.events.iter().map(|event| serde_json::to_string(event).unwrap()).collect();
        let read: Vec<Event> = stored.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
        assert_eq!(Book::replay(&read).as_ref(), Ok(&self.book), "balances equal replay of what was stored");
    }

    fn check_line(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["on", date] => self.now = noon(date),
            ["see", id, available, pending] => {
                let id = account(id);
                let state = self.book.account(&id).unwrap_or_else(|| panic!("`{id}` is open"));
                let found = (self.book.available(&id, self.now).unwrap(), state.balance.debits_pending);
                assert_eq!(found, (fen(available), fen(pending)), "{line}");
            }
            _ => {
                let (text, expected) =
                    line.split_once("=>").unwrap_or_else(|| panic!("`{line}` has an outcome"));
                let command = self.command(text.trim());
                let before = self.book.clone();
                let found = match self.run(&command) {
                    Ok(events) if events.is_empty() => "again".to_owned(),
                    Ok(_) => "ok".to_owned(),
                    Err(refusal) => {
                        assert_eq!(self.book, before, "a refusal changes nothing");
                        refusal.code.as_str().to_owned()
                    }
                };
                assert_eq!(found, expected.trim(), "{line}");
                self.check_book();
            }
        }
    }

    pub fn command(&self, text: &str) -> Command {
        let words: Vec<&str> = text.split_whitespace().collect();
        let option = |name: &str| words.iter().find_map(|word| word.strip_prefix(name));
        let effective_on = option("eff=").map_or(self.now.day(), date);
        let record = |text: &str| Some(RecordKey::new(text).unwrap());
        let basis = if words.contains(&"nobasis") {
            Basis { clause: "20.1".parse().unwrap(), decision: None, case: None }
        } else {
            let case = record(option("case=").unwrap_or("c1"));
            Basis { clause: "7.1".parse().unwrap(), decision: record("d1"), case }
        };
        match words[..] {
            ["appropriate", name, document, lines, ..] => Command::Appropriate {
                key: key(name),
                fund: fund(),
                document: self.document(document, lines),
                basis,
                effective_on,
            },
            ["open", id, ..] => {
                let balance_fen_max = option("max=").map(fen);
                let overdraft_fen_max = option("below=").map_or(Fen::ZERO, fen);
                Command::Open {
                    accounts: vec![Account { id: account(id), overdraft_fen_max, balance_fen_max }],
                }
            }
            ["close", id] => Command::Close { account: account(id) },
            ["carry", name, from, amount, ..] => Command::CarryOver {
                key: key(name),
                from: account(from),
                fen: fen(amount),
                basis,
                effective_on,
            },
            ["recover", name, from, to, amount, ..] => Command::Recover {
                key: key(name),
                from: account(from),
                to: account(to),
                fen: fen(amount),
                idle_since: option("idle=").map(date),
                basis,
                effective_on,
            },
            ["expire"] => Command::Expire,
            ["group", name, "{", ..] => {
                let inner = text.split_once('{').unwrap().1.trim_end_matches('}').trim();
                let parts = inner.split(';').map(str::trim).filter(|part| !part.is_empty());
                let drafts = parts.map(|part| match self.command(part) {
                    Command::Transfer(draft) => draft,
                    other => panic!("`{other:?}` is no transfer"),
                });
                Command::Group { group: key(name), drafts: drafts.collect() }
            }
            [_, name, ..] => {
                let action = self.action(&words, option("until=").map(noon));
                Command::Transfer(Draft { key: key(name), action, basis, effective_on })
            }
            _ => panic!("`{text}` is no command"),
        }
    }

    fn action(&self, words: &[&str], expires_at: Option<Moment>) -> Action {
        match words {
            ["move", _, debit, credit, amount, ..] => {
                Action::Move { debit: account(debit), credit: account(credit), fen: fen(amount) }
            }
            ["reserve", _, debit, credit, amount, ..] => {
                let (debit, credit) = (account(debit), account(credit));
                Action::Reserve { debit, credit, fen: fen(amount), expires_at }
            }
            ["post", _, reservation, amount, remainder, ..] => {
                let remainder = if *remainder == "keep" { Remainder::Keep } else { Remainder::Release };
                Action::Post { resolves: id(reservation), fen: fen(amount), remainder }
            }
            ["void", _, reservation, ..] => Action::Void { resolves: id(reservation) },
            ["reverse", _, transfer, amount, ..] => {
                Action::Reverse { resolves: id(transfer), fen: fen(amount) }
            }
            _ => panic!("`{words:?}` is no transfer"),
        }
    }

    fn document(&self, number: &str, lines: &str) -> FundDocument {
        let line = |text: &str| {
            let (purpose, amount) = text.split_once('=').unwrap();
            DocumentLine { purpose: purpose.parse().unwrap(), fen: fen(amount) }
        };
        FundDocument {
            number: number.parse().unwrap(),
            fund: fund().id,
            title: Text::same(number),
            issuer: "51".parse().unwrap(),
            year: self.now.day().year(),
            issued_on: self.now.day(),
            lines: lines.split(',').filter(|text| *text != "none").map(line).collect(),
        }
    }
}

pub fn fund() -> Fund {
    Fund {
        id: "poverty".parse().unwrap(),
        title: Text::new("专项扶贫资金", "special poverty funds"),
        purposes: ["living", "housing"].map(|purpose| purpose.parse().unwrap()).to_vec(),
        cite: vec!["20.1".parse().unwrap()],
    }
}

/// The id of a transfer by its key; `~p1` is what the post `p1` kept.
pub fn id(name: &str) -> TransferId {
    name.strip_prefix('~')
        .map_or_else(|| TransferId::of(&key(name)), |post| TransferId::of_remainder(&key(post)))
}

pub fn key(name: &str) -> TransferKey {
    TransferKey::new(name).unwrap()
}

pub fn account(text: &str) -> AccountId {
    let (text, year) = text.split_once('\'').unwrap_or((text, "2016"));
    let (text, document) = text.split_once('%').unwrap_or((text, "D1"));
    let (text, purpose) = text.split_once('@').unwrap_or((text, "living"));
    let (layer, holder) = text.split_once(':').unwrap_or((text, "51"));
    let layer = match layer {
        "source" => Layer::Source,
        "granted" => Layer::Appropriated,
        "allotted" => Layer::Allotted,
        "owed" => Layer::Encumbered,
        "paid" => Layer::Settled,
        other => panic!("`{other}` is no layer"),
    };
    let holder = match holder.parse() {
        Ok(division) => Holder::Division(division),
        Err(_) => Holder::Household(RecordKey::new(holder).unwrap()),
    };
    AccountId {
        layer,
        year: year.parse().unwrap(),
        purpose: purpose.parse().unwrap(),
        document: document.parse().unwrap(),
        holder,
    }
}

pub fn noon(date_text: &str) -> Moment {
    Moment::from_unix_ms(Moment::end_of(date(date_text)).unix_ms() - 12 * 3_600_000)
}

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

fn fen(text: &str) -> Fen {
    Fen::from_fen(text.parse().unwrap())
}
