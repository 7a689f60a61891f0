//! The office's pages, made on the server: the Decision with its figures, the lists behind them, records with their
//! reasons, divisions, cases.
//!
//! A page works without a script and fetches nothing from elsewhere. Every text of the product stands in
//! [`words`](mod@words) in both languages; names, titles and clauses come from the pack. What a person may see is decided in
//! [`access`] alone. Work that waits for a disk is done on threads of its own, on a run that is loaded once and shared.
//!
//! Deliberately lacking: rules, SQL and files of any kind, which belong to `app`; the clock and randomness, which the
//! caller gives; encryption of the connection, which a proxy in front does.

pub mod access;
mod answer;
mod ask;
mod format;
mod link;
mod office;
mod pages;
mod phrase;
mod routes;
mod session;
mod shell;
mod words;

use std::net::SocketAddr;
use std::sync::Arc;

pub use office::{Office, OfficeError, Sources};
pub use routes::{ROUTES, router};
pub use words::{CATALOGUE, Words};

/// Explanations follow values through many columns, each a few frames of a stack.
const STACK_BYTES: usize = 64 << 20;

/// Where an office is served, before it is.
pub struct Listening {
    listener: std::net::TcpListener,
    address: SocketAddr,
}

impl Listening {
    /// Takes an address; port 0 takes any that is free.
    ///
    /// # Errors
    /// An address that is taken or not this machine's.
    pub fn at(address: SocketAddr) -> std::io::Result<Self> {
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until the process ends.
    ///
    /// # Errors
    /// A system that gives no threads or takes the address away.
    pub fn serve(self, office: Arc<Office>) -> std::io::Result<()> {
        runtime()?.block_on(async {
            let listener = tokio::net::TcpListener::from_std(self.listener)?;
            axum::serve(listener, router(office)).await
        })
    }
}

/// Threads for pages.
///
/// # Errors
/// A system that gives none.
pub fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_io().thread_stack_size(STACK_BYTES).build()
}
