//! One transaction of one actor: events, records, postings and leaves, together or not at all.

use std::path::PathBuf;

use model::ledger::{Book, Command, Event, Holder, Stage, Transfer};
use pack::program::{ColumnId, EntityId, Program, Value};
use proof::{Kind, Leaf, Object, Opening, Salt};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use store::{ImportMeta, ImportSession, NewEvent, NewSource, Record, Registry, SourceId, View};

use super::{Acting, ActingError, LEDGER_STREAM, Salts, read_book};

/// The stream of the public log's leaves, in the order in which they are published.
pub const LOG_STREAM: &str = "log";

/// 32 bytes from a cryptographic source, at each call others.
pub type Randomness<'r> = &'r mut dyn FnMut() -> [u8; 32];

/// A leaf as the registry keeps it: with what its commitment hides, and whom it is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogEntry {
    /// The bytes of the leaf, which are the text of a JSON object.
    pub leaf: String,
    /// The hidden part; none if all of the leaf is public.
    pub content: Option<Object>,
    /// Which salt hides it.
    pub salt: Option<String>,
    /// Keys of the records that it is about.
    pub about: Vec<String>,
}

/// A transaction that is under way. Dropped without [`Deed::commit`], nothing of it has happened.
pub struct Deed<'r> {
    pub program: &'r Program,
    pub acting: &'r Acting,
    session: ImportSession<'r>,
    folder: PathBuf,
    random: Randomness<'r>,
    /// The book with what this deed has posted, and how many events the registry has.
    book: Option<(Book, u64)>,
    posted: Vec<Event>,
    leaves: Vec<(Kind, LogEntry)>,
    salts: Vec<[u8; 32]>,
}

impl<'r> Deed<'r> {
    pub fn begin(
        registry: &'r mut Registry,
        program: &'r Program,
        acting: &'r Acting,
        random: Randomness<'r>,
    ) -> Result<Self, ActingError> {
        let folder = registry.folder().to_owned();
        let session = registry.begin(ImportMeta {
            actor: acting.name.clone(),
            role: acting.role.clone(),
            recorded_at: acting.recorded_at(),
            pack_digest: program.digest.clone(),
        })?;
        Ok(Self {
            program,
            acting,
            session,
            folder,
            random,
            book: None,
            posted: Vec::new(),
            leaves: Vec::new(),
            salts: Vec::new(),
        })
    }

    /// What is recorded, with what this deed has written so far.
    pub fn view(&self) -> View<'_> {
        self.session.view()
    }

    /// Fresh bytes from the caller's source, kept in no case.
    pub fn random(&mut self) -> [u8; 32] {
        (self.random)()
    }

    /// A salt that is kept when the deed is done.
    pub fn salt(&mut self) -> [u8; 32] {
        let salt = (self.random)();
        self.salts.push(salt);
        salt
    }

    /// Appends events to a stream that has `expected` so far.
    pub fn append<E: Serialize>(
        &mut self,
        stream: &str,
        expected: u64,
        events: &[(&str, E)],
    ) -> Result<(), ActingError> {
        if events.is_empty() {
            return Ok(());
        }
        let mut new = Vec::with_capacity(events.len());
        for (kind, event) in events {
            let payload =
                serde_json::to_string(event).map_err(|error| ActingError::damaged(stream, error))?;
            new.push(NewEvent { kind: (*kind).to_owned(), payload, key: None });
        }
        self.session.append(stream, expected, &new)?;
        Ok(())
    }

    /// Where records of this deed come from.
    pub fn source(&mut self, stream: &str, step: &str) -> Result<SourceId, ActingError> {
        Ok(self.session.add_source(NewSource::step(stream, step))?)
    }

    /// Writes fields of a record; others stay as they are.
    pub fn record(
        &mut self,
        entity: EntityId,
        fields: &[(ColumnId, Option<Value>)],
        source: SourceId,
    ) -> Result<(), ActingError> {
        let (columns, values): (Vec<ColumnId>, Vec<Option<Value>>) = fields.iter().cloned().unzip();
        let record =
            Record { values, source: Some(source), valid_from: Some(self.acting.on), ..Record::default() };
        self.session.upsert(entity, &columns, &[record])?;
        Ok(())
    }

    /// Ends a record.
    pub fn remove(&mut self, entity: EntityId, key: &str) -> Result<(), ActingError> {
        self.session.delete(entity, &[key])?;
        Ok(())
    }

    /// The registry's folder.
    pub fn folder(&self) -> PathBuf {
        self.folder.clone()
    }

    /// The book, with what this deed has posted.
    pub fn book(&mut self) -> Result<&Book, ActingError> {
        if self.book.is_none() {
            self.book = Some(read_book(self.session.view())?);
        }
        let (book, _) = self.book.as_ref().expect("it was read just now");
        Ok(book)
    }

    /// Carries a command out in the book, and publishes each transfer.
    pub fn post(&mut self, command: &Command) -> Result<(), ActingError> {
        let now = self.acting.effective_at();
        let events = model::ledger::decide(self.book()?, command, now)?;
        let (book, _) = self.book.as_mut().expect("it was read to decide");
        for event in &events {
            book.apply(event)?;
        }
        for event in events {
            if let Event::Transferred(transfer) = &event {
                self.publish_transfer(transfer)?;
            }
            self.posted.push(event);
        }
        Ok(())
    }

    /// Adds a leaf to the public log. `content` is what only who it concerns may know.
    pub fn publish(
        &mut self,
        kind: Kind,
        public: Object,
        content: Option<Object>,
        about: Vec<String>,
    ) -> Result<(), ActingError> {
        let opening = content.map(|content| Opening { salt: Salt::new(self.salt()), content });
        let leaf = Leaf::new(kind, public, opening.as_ref())?;
        let leaf =
            String::from_utf8(leaf.to_bytes()).map_err(|error| ActingError::damaged(LOG_STREAM, error))?;
        let salt = opening.as_ref().map(|opening| Salts::id(opening.salt.expose()));
        let entry = LogEntry { leaf, content: opening.map(|opening| opening.content), salt, about };
        self.leaves.push((kind, entry));
        Ok(())
    }

    /// Makes it so.
    pub fn commit(mut self) -> Result<(), ActingError> {
        if let Some((_, length)) = self.book.take() {
            let events: Vec<(&str, Event)> =
                std::mem::take(&mut self.posted).into_iter().map(|event| (kind_of(&event), event)).collect();
            self.append(LEDGER_STREAM, length, &events)?;
        }
        let leaves = std::mem::take(&mut self.leaves);
        let leaves: Vec<(&str, LogEntry)> =
            leaves.into_iter().map(|(kind, entry)| (kind.as_str(), entry)).collect();
        let length = self.session.view().stream_length(LOG_STREAM)?;
        self.append(LOG_STREAM, length, &leaves)?;
        Salts::of(&self.folder).keep(&self.salts)?;
        self.session.commit()?;
        Ok(())
    }

    /// Between offices a posting is public to the fen; what a household gets is known to itself.
    fn publish_transfer(&mut self, transfer: &Transfer) -> Result<(), ActingError> {
        let office = |holder: &Holder| holder.passes_on().then(|| holder.to_string());
        let (debit, credit) = (&transfer.debit, &transfer.credit);
        let mut public = object([
            ("action", Json::from(transfer.draft.action.kind())),
            ("clause", transfer.draft.basis.clause.to_string().into()),
            ("document", debit.document.to_string().into()),
            ("effective_on", transfer.draft.effective_on.to_string().into()),
            ("purpose", debit.purpose.to_string().into()),
            ("year", debit.year.into()),
        ]);
        if let Some(stage) = Stage::of(debit, credit) {
            public.insert("stage".to_owned(), stage_word(stage).into());
        }
        let holders = [("from", &debit.holder), ("to", &credit.holder)];
        for (name, holder) in holders {
            if let Some(office) = office(holder) {
                public.insert(name.to_owned(), office.into());
            }
        }
        let fen = transfer.fen.fen();
        if holders.iter().all(|(_, holder)| holder.passes_on()) {
            public.insert("fen".to_owned(), fen.into());
            return self.publish(Kind::Posting, public, None, Vec::new());
        }
        let basis = &transfer.draft.basis;
        let text =
            |key: &Option<model::RecordKey>| key.as_ref().map_or(Json::Null, |key| key.as_str().into());
        let content = object([
            ("case", text(&basis.case)),
            ("decision", text(&basis.decision)),
            ("fen", fen.into()),
            ("from", debit.holder.to_string().into()),
            ("to", credit.holder.to_string().into()),
            ("transfer", transfer.id.to_string().into()),
        ]);
        let about = holders.iter().filter_map(|(_, holder)| beneficiary(holder)).collect();
        self.publish(Kind::Posting, public, Some(content), about)
    }
}

/// An object of a leaf.
pub(crate) fn object<const N: usize>(fields: [(&str, Json); N]) -> Object {
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// A stage by its stable name.
pub(crate) const fn stage_word(stage: Stage) -> &'static str {
    match stage {
        Stage::Appropriation => "appropriation",
        Stage::Allotment => "allotment",
        Stage::Commitment => "commitment",
        Stage::Payment => "payment",
        Stage::CarryOver => "carry-over",
        Stage::Recovery => "recovery",
        Stage::Withdrawal => "withdrawal",
    }
}

fn beneficiary(holder: &Holder) -> Option<String> {
    match holder {
        Holder::Household(key) | Holder::Person(key) => Some(key.to_string()),
        _ => None,
    }
}

fn kind_of(event: &Event) -> &'static str {
    match event {
        Event::DocumentRegistered { .. } => "document-registered",
        Event::AccountOpened { .. } => "account-opened",
        Event::AccountClosed { .. } => "account-closed",
        Event::Transferred(_) => "transferred",
        Event::ReservationExpired { .. } => "reservation-expired",
    }
}
