//! Accounts and sessions: who may sign in, in which roles and where, and who has.
//!
//! They stand beside the records in the same file, and are made when the first account is. They are no records: nothing
//! of them is in a snapshot, in the change table or in the public log. A password is stored as the caller's hash of it, a
//! session by the hash of its token.

use model::Moment;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::error::{Result, StoreError};
use crate::registry::Registry;
use crate::view::moment;

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS account (
    name TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    password TEXT NOT NULL,
    failures INTEGER NOT NULL DEFAULT 0,
    locked_until INTEGER,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS account_grant (
    account TEXT NOT NULL REFERENCES account (name),
    role TEXT NOT NULL,
    place TEXT NOT NULL,
    PRIMARY KEY (account, role, place)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS session (
    id BLOB PRIMARY KEY,
    account TEXT NOT NULL REFERENCES account (name),
    began_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
";

/// Somebody who may sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub name: String,
    /// What pages call them.
    pub title: String,
    /// Hash of the password, with its salt and parameters.
    pub password: String,
    /// Wrong passwords since the last right one.
    pub failures: u32,
    pub locked_until: Option<Moment>,
    pub grants: Vec<Grant>,
}

/// A role in a division and all below it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Grant {
    /// As the pack names roles.
    pub role: String,
    /// The division's code.
    pub place: String,
}

/// Hash of a session's token.
pub type SessionId = [u8; 32];

impl Registry {
    /// Makes an account or replaces it; its sessions end.
    pub fn save_account(&mut self, account: &Account, at: Moment) -> Result<()> {
        self.accounts(|connection| {
            let transaction = connection.transaction()?;
            transaction.execute_batch(TABLES)?;
            transaction.execute("DELETE FROM session WHERE account = ?1", [&account.name])?;
            transaction.execute("DELETE FROM account_grant WHERE account = ?1", [&account.name])?;
            transaction.execute(
                "INSERT INTO account (name, title, password, failures, locked_until, created_at)
                 VALUES (?1, ?2, ?3, 0, NULL, ?4)
                 ON CONFLICT (name) DO UPDATE SET title = ?2, password = ?3, failures = 0, locked_until = NULL",
                params![account.name, account.title, account.password, at.unix_ms()],
            )?;
            for grant in &account.grants {
                transaction.execute(
                    "INSERT OR IGNORE INTO account_grant (account, role, place) VALUES (?1, ?2, ?3)",
                    params![account.name, grant.role, grant.place],
                )?;
            }
            Ok(transaction.commit()?)
        })
    }

    /// The account with a name.
    pub fn account(&self, name: &str) -> Result<Option<Account>> {
        let read = || -> Result<Option<Account>> {
            if !has_tables(&self.connection)? {
                return Ok(None);
            }
            let row = self
                .connection
                .prepare_cached(
                    "SELECT title, password, failures, locked_until FROM account WHERE name = ?1",
                )?
                .query_row([name], |row| {
                    let locked: Option<i64> = row.get(3)?;
                    Ok(Account {
                        name: name.to_owned(),
                        title: row.get(0)?,
                        password: row.get(1)?,
                        failures: row.get(2)?,
                        locked_until: locked.map(moment),
                        grants: Vec::new(),
                    })
                })
                .optional()?;
            let Some(mut account) = row else { return Ok(None) };
            let mut statement = self.connection.prepare_cached(
                "SELECT role, place FROM account_grant WHERE account = ?1 ORDER BY role, place",
            )?;
            let grants =
                statement.query_map([name], |row| Ok(Grant { role: row.get(0)?, place: row.get(1)? }))?;
            account.grants = grants.collect::<rusqlite::Result<_>>()?;
            Ok(Some(account))
        };
        read().map_err(|error| error.at(&self.folder))
    }

    /// Counts one more wrong password, and locks the account until a moment if one is given.
    pub fn note_failure(&mut self, name: &str, locked_until: Option<Moment>) -> Result<()> {
        self.accounts(|connection| {
            connection.execute(
                "UPDATE account SET failures = failures + 1, locked_until = coalesce(?2, locked_until) WHERE name = ?1",
                params![name, locked_until.map(Moment::unix_ms)],
            )?;
            Ok(())
        })
    }

    /// Begins a session of an account; what was wrong before is forgotten, and so are sessions that have ended.
    pub fn begin_session(&mut self, id: &SessionId, account: &str, at: Moment, ends: Moment) -> Result<()> {
        self.accounts(|connection| {
            let transaction = connection.transaction()?;
            transaction.execute("DELETE FROM session WHERE ends_at <= ?1", [at.unix_ms()])?;
            transaction
                .execute("UPDATE account SET failures = 0, locked_until = NULL WHERE name = ?1", [account])?;
            transaction.execute(
                "INSERT INTO session (id, account, began_at, ends_at) VALUES (?1, ?2, ?3, ?4)",
                params![id.as_slice(), account, at.unix_ms(), ends.unix_ms()],
            )?;
            Ok(transaction.commit()?)
        })
    }

    /// The account whose session this is, if it has not ended.
    pub fn session_account(&self, id: &SessionId, now: Moment) -> Result<Option<Account>> {
        let read = || -> Result<Option<String>> {
            if !has_tables(&self.connection)? {
                return Ok(None);
            }
            let mut statement = self
                .connection
                .prepare_cached("SELECT account FROM session WHERE id = ?1 AND ends_at > ?2")?;
            Ok(statement.query_row(params![id.as_slice(), now.unix_ms()], |row| row.get(0)).optional()?)
        };
        match read().map_err(|error| error.at(&self.folder))? {
            Some(name) => self.account(&name),
            None => Ok(None),
        }
    }

    /// Ends a session.
    pub fn end_session(&mut self, id: &SessionId) -> Result<()> {
        self.accounts(|connection| {
            connection.execute("DELETE FROM session WHERE id = ?1", [id.as_slice()])?;
            Ok(())
        })
    }

    fn accounts(&mut self, work: impl FnOnce(&mut Connection) -> Result<()>) -> Result<()> {
        work(&mut self.connection).map_err(|error: StoreError| error.at(&self.folder))
    }
}

fn has_tables(connection: &Connection) -> Result<bool> {
    let mut statement =
        connection.prepare_cached("SELECT count(*) FROM sqlite_schema WHERE name = 'session'")?;
    let tables: i64 = statement.query_row([], |row| row.get(0))?;
    Ok(tables > 0)
}
