//! What is answered: pages, files, redirections, and what went wrong.

use app::acting::ActingError;
use app::reading::ReadingError;
use app::registry::RegistryError;
use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use model::{AsProblem as _, Text};
use thiserror::Error;

/// A page's answer.
pub type Answer = Result<Response<Body>, Fault>;

/// Why there is no page.
#[derive(Debug, Error)]
pub enum Fault {
    /// There is nothing there, or nothing that this person may know of.
    #[error("nothing there")]
    Missing,
    /// What was asked cannot be; the person can mend it.
    #[error("{}", .0.en)]
    Bad(Text),
    /// A fault of the program or the machine.
    #[error("{0}")]
    Internal(String),
}

impl Fault {
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Missing => StatusCode::NOT_FOUND,
            Self::Bad(_) => StatusCode::BAD_REQUEST,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

macro_rules! internal {
    ($($error:ty),*) => {
        $(impl From<$error> for Fault {
            fn from(error: $error) -> Self {
                Self::Internal(error.to_string())
            }
        })*
    };
}
internal!(ReadingError, RegistryError, ActingError, app::TableError, app::StoreError, askama::Error);

impl From<app::explain::ExplainError> for Fault {
    fn from(error: app::explain::ExplainError) -> Self {
        use app::explain::ExplainError as E;
        match error {
            E::UnknownEntity { .. } | E::UnknownRecord { .. } | E::UnknownRule { .. } => Self::Missing,
            E::TooMany { .. } => Self::Bad(error.problem().text),
            other => Self::Internal(other.to_string()),
        }
    }
}

/// An HTML page.
pub fn html(page: &impl askama::Template) -> Answer {
    html_with(page, StatusCode::OK)
}

pub fn html_with(page: &impl askama::Template, status: StatusCode) -> Answer {
    Ok(body("text/html; charset=utf-8", status, page.render()?))
}

/// A file to keep.
pub fn file(kind: &'static str, name: &str, content: Vec<u8>) -> Answer {
    let mut response = body(kind, StatusCode::OK, content);
    let named = format!("attachment; filename=\"{}\"", name.replace(['"', '\\'], "_"));
    if let Ok(value) = HeaderValue::from_str(&named) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, value);
    }
    Ok(response)
}

/// Text of a kind, shown where it is asked for.
pub fn body(kind: &'static str, status: StatusCode, content: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(content.into());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// Sends the reader on to another page of this office.
pub fn see(place: &str) -> Answer {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let place = HeaderValue::from_str(place).map_err(|_| Fault::Missing)?;
    response.headers_mut().insert(header::LOCATION, place);
    Ok(response)
}
