//! Which page stands where, and what every request goes through before and after it.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{DefaultBodyLimit, FromRequest as _, Multipart, RawPathParams, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, Response, StatusCode, header};
use axum::middleware::{self, Next};
use axum::routing::{MethodRouter, get, post};
use tower_http::compression::CompressionLayer;
use tower_http::csrf::CsrfLayer;

use crate::answer::{Answer, Fault, body};
use crate::ask::{Ask, Pairs, Sent, Upload};
use crate::office::Office;
use crate::pages;
use crate::session::{lang_cookie, viewer};
use crate::shell::{Desk, STYLE, STYLE_PATH};
use crate::words::Words;

/// A page: what it answers to a request at work.
type Page = fn(&Desk) -> Answer;

/// Every page by its method and path.
pub const ROUTES: &[(&str, &str)] = &[
    ("GET", "/"),
    ("GET", "/decision"),
    ("GET", "/lists"),
    ("GET", "/list/{name}"),
    ("GET", "/explain/{entity}/{key}/{rule}"),
    ("GET", "/record/{entity}/{key}"),
    ("GET", "/places"),
    ("GET", "/places/{code}"),
    ("GET", "/money/{clause}"),
    ("GET", "/today"),
    ("GET", "/cases/{case}"),
    ("POST", "/cases/{case}/act"),
    ("GET", "/run"),
    ("GET", "/sign-in"),
    ("POST", "/sign-in"),
    ("POST", "/sign-out"),
    ("POST", "/find"),
];

fn page_of(method: &str, path: &str) -> Page {
    match (method, path) {
        ("GET", "/") => pages::home,
        ("GET", "/decision") => pages::decision::page,
        ("GET", "/lists") => pages::lists::page,
        ("GET", "/list/{name}") => pages::list::page,
        ("GET", "/explain/{entity}/{key}/{rule}") => pages::explain::page,
        ("GET", "/record/{entity}/{key}") => pages::record::page,
        ("GET", "/places") => pages::places::home,
        ("GET", "/places/{code}") => pages::places::page,
        ("GET", "/money/{clause}") => pages::money::page,
        ("GET", "/today") => pages::cases::today,
        ("GET", "/cases/{case}") => pages::cases::page,
        ("POST", "/cases/{case}/act") => pages::cases::act,
        ("GET", "/run") => pages::run::page,
        ("GET", "/sign-in") => pages::sign_in::page,
        ("POST", "/sign-in") => pages::sign_in::enter,
        ("POST", "/sign-out") => pages::sign_in::leave,
        ("POST", "/find") => pages::find::page,
        _ => unreachable!("`ROUTES` and this table name the same pages"),
    }
}

/// Bytes of a form that are read.
const FORM_BYTES_MAX: usize = 64 << 10;
/// The same of one with a document.
const FILE_BYTES_MAX: usize = 16 << 20;

/// All pages of an office.
pub fn router(office: Arc<Office>) -> Router {
    let mut router = Router::new();
    for (method, path) in ROUTES {
        router = router.route(path, route(method, page_of(method, path)));
    }
    router
        .route(STYLE_PATH.as_str(), get(style))
        .fallback(|state: State<Arc<Office>>, request: Request| async move {
            let missing: Page = |_| Err(Fault::Missing);
            answer(state.0, missing, Vec::new(), request).await
        })
        .with_state(office)
        .layer(DefaultBodyLimit::max(FILE_BYTES_MAX))
        .layer(CompressionLayer::new())
        .layer(CsrfLayer::new())
        .layer(middleware::from_fn(guard))
}

fn route(method: &str, page: Page) -> MethodRouter<Arc<Office>> {
    let handler = move |state: State<Arc<Office>>, parts: RawPathParams, request: Request| async move {
        let parts = parts.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        answer(state.0, page, parts, request).await
    };
    if method == "POST" { post(handler) } else { get(handler) }
}

async fn style() -> Response<Body> {
    let mut response = body("text/css; charset=utf-8", StatusCode::OK, STYLE);
    let for_good = HeaderValue::from_static("public, max-age=31536000, immutable");
    response.headers_mut().insert(header::CACHE_CONTROL, for_good);
    response
}

/// Makes a page on a thread that may wait for the disk.
async fn answer(
    office: Arc<Office>,
    page: Page,
    named: Vec<(String, String)>,
    request: Request,
) -> Response<Body> {
    let (parts, content) = request.into_parts();
    let sent = match parts.method {
        Method::POST => read(&parts, content).await,
        _ => Some(Sent::default()),
    };
    let Some(sent) = sent else {
        return body("text/plain; charset=utf-8", StatusCode::PAYLOAD_TOO_LARGE, "文件太大 · too large\n");
    };
    let ask = Ask::new(&parts, named, sent);
    let made = tokio::task::spawn_blocking(move || make(office, page, ask)).await;
    made.unwrap_or_else(|_| broken("a page panicked"))
}

/// What was sent with a form; nothing if it is too large or no form.
async fn read(parts: &Parts, content: Body) -> Option<Sent> {
    let kind =
        parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("multipart/form-data") {
        let bytes = to_bytes(content, FORM_BYTES_MAX).await.ok()?;
        return Some(Sent { fields: Pairs::parse(&bytes), files: Vec::new() });
    }
    let bytes = to_bytes(content, FILE_BYTES_MAX).await.ok()?;
    let request = Request::from_parts(parts.clone(), Body::from(bytes));
    let mut parts = Multipart::from_request(request, &()).await.ok()?;
    let mut sent = Sent::default();
    while let Some(part) = parts.next_field().await.ok()? {
        let field = part.name().unwrap_or_default().to_owned();
        let is_file = part.file_name().is_some();
        let bytes = part.bytes().await.ok()?;
        if is_file {
            sent.files.push(Upload { field, bytes: bytes.to_vec() });
        } else {
            sent.fields.push(&field, String::from_utf8_lossy(&bytes).into_owned());
        }
    }
    Some(sent)
}

fn make(office: Arc<Office>, page: Page, ask: Ask) -> Response<Body> {
    let desk = match desk(office, ask) {
        Ok(desk) => desk,
        Err(fault) => return broken(&fault.to_string()),
    };
    let done = page(&desk).or_else(|fault| pages::fault::page(&desk, &fault));
    let mut response = done.unwrap_or_else(|fault| broken(&fault.to_string()));
    if desk.ask.lang_chosen
        && let Ok(cookie) = HeaderValue::from_str(&lang_cookie(desk.lang))
    {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

fn desk(office: Arc<Office>, ask: Ask) -> Result<Desk, Fault> {
    let reading = office.reading()?;
    let viewer = viewer(&office, &reading, &ask)?;
    let lang = ask.lang;
    Ok(Desk { office, reading, viewer, ask, lang, w: Words::of(lang) })
}

/// What is said when not even a page that says it can be made.
fn broken(why: &str) -> Response<Body> {
    eprintln!("error: {why}");
    body("text/plain; charset=utf-8", StatusCode::INTERNAL_SERVER_ERROR, "内部错误 · internal error\n")
}

/// Headers that keep pages to this office: nothing runs, nothing is fetched or framed from elsewhere, nothing personal is
/// kept by a cache.
const GUARDS: [(&str, &str); 5] = [
    (
        "content-security-policy",
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
];

async fn guard(request: Request, next: Next) -> Response<Body> {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in GUARDS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.entry(header::VARY).or_insert(HeaderValue::from_static("cookie"));
    response
}
