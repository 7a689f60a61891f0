//! Signing in and out.

use app::accounts::{self, AccountError};
use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};

use crate::answer::{Answer, Fault, html, html_with, see};
use crate::session::session_cookie;
use crate::shell::{Desk, Section, Shell};

#[derive(Template)]
#[template(path = "sign_in.html")]
struct Page {
    s: Shell,
    name: String,
    back: String,
    fault: Option<String>,
}

pub fn page(desk: &Desk) -> Answer {
    let back = back(desk.ask.query.get("back"));
    html(&Page { s: desk.shell(Section::Other, desk.w.sign_in), name: String::new(), back, fault: None })
}

/// Pages of this office alone are gone back to.
fn back(asked: Option<&str>) -> String {
    let inside = |path: &&str| {
        path.starts_with('/')
            && !path.starts_with("//")
            && !path.contains(['\\', '\r', '\n'])
            && path.is_ascii()
    };
    asked.filter(inside).unwrap_or("/decision").to_owned()
}

pub fn enter(desk: &Desk) -> Answer {
    let form = &desk.ask.form;
    let (name, password) =
        (form.get("name").unwrap_or_default().trim(), form.get("password").unwrap_or_default());
    let back = back(form.get("back"));
    let (now, random) = (desk.office.now(), (desk.office.sources.random)());
    let entered = desk.office.with_registry(&desk.reading, |registry| {
        Ok(accounts::sign_in(registry, name, password, now, &random))
    })?;
    match entered {
        Ok(token) => with_cookie(see(&back)?, &session_cookie(Some(&token), desk.office.https)),
        Err(error) => refused(desk, name, back, &error),
    }
}

fn refused(desk: &Desk, name: &str, back: String, error: &AccountError) -> Answer {
    let Some(text) = error.text() else { return Err(Fault::Internal(error.to_string())) };
    let page = Page {
        s: desk.shell(Section::Other, desk.w.sign_in),
        name: name.to_owned(),
        back,
        fault: Some(text.get(desk.lang).to_owned()),
    };
    html_with(&page, StatusCode::UNPROCESSABLE_ENTITY)
}

pub fn leave(desk: &Desk) -> Answer {
    if let Some(token) = &desk.ask.session {
        desk.office.with_registry(&desk.reading, |registry| {
            accounts::sign_out(registry, token).map_err(|error| Fault::Internal(error.to_string()))
        })?;
    }
    with_cookie(see("/decision")?, &session_cookie(None, desk.office.https))
}

fn with_cookie(mut response: axum::http::Response<axum::body::Body>, cookie: &str) -> Answer {
    let value = HeaderValue::from_str(cookie).map_err(|error| Fault::Internal(error.to_string()))?;
    response.headers_mut().append(header::SET_COOKIE, value);
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_to_another_site() {
        for (asked, to) in [
            ("/list/household?division=51", "/list/household?division=51"),
            ("//evil.example", "/decision"),
            ("https://evil.example", "/decision"),
            ("/\\evil.example", "/decision"),
            ("", "/decision"),
        ] {
            assert_eq!(back(Some(asked)), to);
        }
    }
}
