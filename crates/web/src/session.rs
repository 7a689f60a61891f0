//! Who asks: the viewer of a request, from the token in its cookie.

use app::accounts;
use app::reading::Reading;

use crate::access::Viewer;
use crate::answer::Fault;
use crate::ask::{Ask, LANG_COOKIE, SESSION_COOKIE};
use crate::office::Office;

/// Days for which a chosen language is remembered, in seconds.
const LANG_SECONDS: i64 = 365 * 86_400;

/// The viewer of a request. A token that is no session's is nobody's.
pub fn viewer(office: &Office, reading: &Reading, ask: &Ask) -> Result<Viewer, Fault> {
    let Some(token) = &ask.session else { return Ok(Viewer::Anyone) };
    let account = office.with_registry(reading, |registry| {
        accounts::of_session(registry, token, office.now())
            .map_err(|error| Fault::Internal(error.to_string()))
    })?;
    account.map_or(Ok(Viewer::Anyone), |account| Viewer::of(account, reading))
}

/// The cookie of a session; without a token, the one that ends it.
pub fn session_cookie(token: Option<&str>, https: bool) -> String {
    let (token, seconds) = match token {
        Some(token) => (token, accounts::SESSION_MS / 1000),
        None => ("", 0),
    };
    let secure = if https { "; Secure" } else { "" };
    format!("{SESSION_COOKIE}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}")
}

pub fn lang_cookie(lang: model::Lang) -> String {
    format!("{LANG_COOKIE}={lang}; Path=/; SameSite=Lax; Max-Age={LANG_SECONDS}")
}
