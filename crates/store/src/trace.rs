//! Telling a process which statements its registries run.

use std::sync::OnceLock;

use rusqlite::Connection;
use rusqlite::trace::{TraceEvent, TraceEventCodes};

use crate::error::Result;

/// A statement of the database, as SQL without its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statement<'s> {
    Begins(&'s str),
    Ends(&'s str),
}

static LISTENER: OnceLock<fn(Statement<'_>)> = OnceLock::new();

/// From now on tells `listener` when a statement of any registry that this process opens later begins and ends:
/// for logs, and for tests that cut a writer off at a statement. The first listener stays; says whether it is this one.
/// Without one nothing is traced.
pub fn listen_to_statements(listener: fn(Statement<'_>)) -> bool {
    LISTENER.set(listener).is_ok()
}

pub(crate) fn attach(connection: &mut Connection) -> Result<()> {
    let Some(&listener) = LISTENER.get() else { return Ok(()) };
    let events = TraceEventCodes::SQLITE_TRACE_STMT | TraceEventCodes::SQLITE_TRACE_PROFILE;
    let tell = move |event: TraceEvent<'_>| match event {
        TraceEvent::Stmt(_, sql) => listener(Statement::Begins(sql)),
        TraceEvent::Profile(statement, _) => listener(Statement::Ends(&statement.sql())),
        _ => {}
    };
    Ok(connection.trace_v2(events, Some(tell))?)
}
