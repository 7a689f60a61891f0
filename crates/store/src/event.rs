//! Streams of events: what goes on beside records (the steps of a case, postings of the ledger, leaves of the
//! public log), in order, never changed, and written in the same transaction as the records that follow from it.
//!
//! A stream is named (`case/2016/17`, `ledger`) and begins with its first event. What events mean is for those
//! who write them; payloads are JSON and kept to the byte.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde_json::Value as Json;

use crate::conflict::{Conflict, StreamConflict};
use crate::error::{Result, StoreError};
use crate::session::ImportSession;
use crate::view::{View, moment};
use model::Moment;

/// An event to be appended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEvent {
    pub kind: String,
    /// JSON. The same command must give the same bytes, or its repetition is not known for one.
    pub payload: String,
    /// Unique in the registry: makes a repeated append known where the first reply was lost.
    pub key: Option<String>,
}

/// An event of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Among all events of the registry, from 1, in the order of commits, without gaps.
    pub sequence: u64,
    pub stream: String,
    /// In its stream, from 0, without gaps.
    pub position: u64,
    pub key: Option<String>,
    pub kind: String,
    pub payload: String,
    /// The transaction that it was written in.
    pub import: u32,
    pub actor: String,
    /// Empty if the actor wrote in no role.
    pub role: String,
    pub recorded_at: Moment,
}

/// What an append has written, or had written when it was made first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Of the first event. The others follow one by one, in both counts.
    pub sequence: u64,
    pub position: u64,
    /// Whether the events were there already, under the same keys; nothing was written then.
    pub repeated: bool,
}

/// A stream and how far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamHead {
    pub stream: String,
    /// Number of events, and so the position of the next.
    pub length: u64,
    /// Of the last event.
    pub last_sequence: u64,
    pub last_recorded_at: Moment,
}

impl ImportSession<'_> {
    /// Appends events to a stream that has `expected` events so far (0: it begins). If another has written to it
    /// meanwhile, the answer is `changed-meanwhile`, nothing is written, and the session goes on.
    ///
    /// Events with keys may be appended again: if all are there with equal kinds and payloads, the answer is
    /// that of the first time, whatever the stream has become. Panics without events.
    ///
    /// Errors: `changed-meanwhile`, `key-reused`, `event-invalid`.
    pub fn append(&mut self, stream: &str, expected: u64, events: &[NewEvent]) -> Result<Appended> {
        let result = self.try_append(stream, expected, events);
        self.settle(result)
    }

    fn try_append(&mut self, stream: &str, expected: u64, events: &[NewEvent]) -> Result<Appended> {
        assert!(!events.is_empty(), "an append has events");
        check(stream, events)?;
        if let Some(before) = repeated(&self.transaction, stream, events)? {
            return Ok(before);
        }
        let found = length(&self.transaction, stream)?;
        if found != expected {
            let conflict = StreamConflict { stream: stream.to_owned(), expected, found };
            return Err(StoreError::ChangedMeanwhile(Box::new(Conflict::Stream(conflict))));
        }
        let sequence = self.next_sequence()?;
        let mut statement = self.transaction.prepare_cached(
            "INSERT INTO event (sequence, import, stream, position, key, kind, payload, actor, role, recorded_at)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?;
        for (index, event) in (0_u64..).zip(events) {
            statement.execute(params![
                (sequence + index) as i64,
                self.writer.import,
                stream,
                (found + index) as i64,
                event.key,
                event.kind,
                event.payload,
                self.meta.actor,
                self.meta.role,
                self.writer.recorded_at.unix_ms(),
            ])?;
        }
        drop(statement);
        self.events += events.len() as u64;
        Ok(Appended { sequence, position: found, repeated: false })
    }

    fn next_sequence(&self) -> Result<u64> {
        let mut statement =
            self.transaction.prepare_cached("SELECT coalesce(max(sequence), 0) + 1 FROM event")?;
        Ok(statement.query_row([], |row| row.get::<_, i64>(0))? as u64)
    }
}

impl View<'_> {
    /// Events of a stream in order, from a position on, at most `limit`.
    pub fn stream(&self, stream: &str, from: u64, limit: usize) -> Result<Vec<Event>> {
        let sql = format!("{SELECT} WHERE stream = ? AND position >= ? ORDER BY position LIMIT ?");
        let events = || -> Result<Vec<Event>> {
            let mut statement = self.connection.prepare_cached(&sql)?;
            let rows = statement.query_map(params![stream, from as i64, limit as i64], event)?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        };
        events().map_err(|error| error.at(self.folder))
    }

    /// Number of events in a stream; 0 if there is none of this name.
    pub fn stream_length(&self, stream: &str) -> Result<u64> {
        length(self.connection, stream).map_err(|error| error.at(self.folder))
    }

    /// Streams whose names begin with `prefix`, by name, behind `after` (the last of the page before), at most
    /// `limit`.
    pub fn streams(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<StreamHead>> {
        let streams = || -> Result<Vec<StreamHead>> {
            let mut heads: Vec<StreamHead> = Vec::new();
            // From name to name along the index: a stream may have millions of events.
            let mut first =
                self.connection.prepare_cached("SELECT min(stream) FROM event WHERE stream >= ?")?;
            let mut next =
                self.connection.prepare_cached("SELECT min(stream) FROM event WHERE stream > ?")?;
            let mut last = self.connection.prepare_cached(
                "SELECT position + 1, sequence, recorded_at FROM event WHERE stream = ?
                 ORDER BY position DESC LIMIT 1",
            )?;
            let mut found: Option<String> = match after.filter(|after| *after >= prefix) {
                Some(after) => next.query_row([after], |row| row.get(0))?,
                None => first.query_row([prefix], |row| row.get(0))?,
            };
            while heads.len() < limit
                && let Some(stream) = found.take().filter(|stream| stream.starts_with(prefix))
            {
                let head = last.query_row([&stream], |row| {
                    Ok(StreamHead {
                        stream: stream.clone(),
                        length: row.get::<_, i64>(0)? as u64,
                        last_sequence: row.get::<_, i64>(1)? as u64,
                        last_recorded_at: moment(row.get(2)?),
                    })
                })?;
                heads.push(head);
                found = next.query_row([&stream], |row| row.get(0))?;
            }
            Ok(heads)
        };
        streams().map_err(|error| error.at(self.folder))
    }

    /// Events of all streams in the order of their sequence, behind one of them (0: from the first), at most
    /// `limit`.
    pub fn events_after(&self, sequence: u64, limit: usize) -> Result<Vec<Event>> {
        let sql = format!("{SELECT} WHERE sequence > ? ORDER BY sequence LIMIT ?");
        let events = || -> Result<Vec<Event>> {
            let mut statement = self.connection.prepare_cached(&sql)?;
            let rows = statement.query_map(params![sequence as i64, limit as i64], event)?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        };
        events().map_err(|error| error.at(self.folder))
    }

    /// The event that was appended with a key.
    pub fn event_with_key(&self, key: &str) -> Result<Option<Event>> {
        by_key(self.connection, key).map_err(|error| error.at(self.folder))
    }
}

const SELECT: &str = "SELECT sequence, stream, position, key, kind, payload, import, actor, role, recorded_at
    FROM event";

fn event(row: &Row<'_>) -> rusqlite::Result<Event> {
    Ok(Event {
        sequence: row.get::<_, i64>(0)? as u64,
        stream: row.get(1)?,
        position: row.get::<_, i64>(2)? as u64,
        key: row.get(3)?,
        kind: row.get(4)?,
        payload: row.get(5)?,
        import: row.get(6)?,
        actor: row.get(7)?,
        role: row.get(8)?,
        recorded_at: moment(row.get(9)?),
    })
}

fn length(connection: &Connection, stream: &str) -> Result<u64> {
    let mut statement =
        connection.prepare_cached("SELECT coalesce(max(position) + 1, 0) FROM event WHERE stream = ?")?;
    Ok(statement.query_row([stream], |row| row.get::<_, i64>(0))? as u64)
}

fn by_key(connection: &Connection, key: &str) -> Result<Option<Event>> {
    let mut statement = connection.prepare_cached(&format!("{SELECT} WHERE key = ?"))?;
    Ok(statement.query_row([key], event).optional()?)
}

/// Refuses what could not be read back.
fn check(stream: &str, events: &[NewEvent]) -> Result<()> {
    let invalid = |detail: String| StoreError::EventInvalid { stream: stream.to_owned(), detail };
    if stream.is_empty() {
        return Err(invalid("the stream has no name".into()));
    }
    for (index, event) in events.iter().enumerate() {
        if event.kind.is_empty() {
            return Err(invalid(format!("event {index} has no kind")));
        }
        if let Err(error) = serde_json::from_str::<Json>(&event.payload) {
            return Err(invalid(format!("the payload of event {index} is no JSON ({error})")));
        }
        let key = event.key.as_ref();
        if key.is_some() && events[..index].iter().any(|before| before.key.as_ref() == key) {
            return Err(invalid(format!("event {index} has the key of one before it")));
        }
    }
    Ok(())
}

/// What these events were answered when they were appended before; an error if some of their keys stand for
/// something else.
fn repeated(connection: &Connection, stream: &str, events: &[NewEvent]) -> Result<Option<Appended>> {
    let mut first = None;
    for (index, event) in (0_u64..).zip(events) {
        let Some(key) = &event.key else { continue };
        let Some(known) = by_key(connection, key)? else { continue };
        let reused = || StoreError::KeyReused {
            key: key.clone(),
            stream: known.stream.clone(),
            position: known.position,
        };
        let same = known.stream == stream && known.kind == event.kind && known.payload == event.payload;
        let start = known.sequence.checked_sub(index).zip(known.position.checked_sub(index));
        let start = start.filter(|_| same).ok_or_else(reused)?;
        // Every key before this one must have led to the same first event.
        if *first.get_or_insert(start) != start {
            return Err(reused());
        }
    }
    let Some((sequence, position)) = first else { return Ok(None) };
    for (index, event) in (0_u64..).zip(events) {
        let sql = format!("{SELECT} WHERE sequence = ?");
        let mut statement = connection.prepare_cached(&sql)?;
        let known = statement.query_row([(sequence + index) as i64], self::event).optional()?;
        let same = known.as_ref().is_some_and(|known| {
            let body = (&known.key, &known.kind, &known.payload) == (&event.key, &event.kind, &event.payload);
            body && known.stream == stream && known.position == position + index
        });
        if !same {
            let key = event.key.clone().or_else(|| events.iter().find_map(|event| event.key.clone()));
            let key = key.expect("a key was found, so one was given");
            return Err(StoreError::KeyReused { key, stream: stream.to_owned(), position });
        }
    }
    Ok(Some(Appended { sequence, position, repeated: true }))
}
