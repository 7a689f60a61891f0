//! The page that says why there is none.

use askama::Template;

use crate::answer::{Answer, Fault, html_with};
use crate::shell::{Desk, Section, Shell};

#[derive(Template)]
#[template(path = "fault.html")]
struct Page {
    s: Shell,
    what: String,
    hint: String,
    signed: bool,
}

pub fn page(desk: &Desk, fault: &Fault) -> Answer {
    let w = desk.w;
    let (what, hint) = match fault {
        Fault::Missing => (w.missing_page.to_owned(), w.missing_page_hint.to_owned()),
        Fault::Bad(text) => (w.wrong_request.to_owned(), text.get(desk.lang).to_owned()),
        // What is wrong with the machine is for the office's log, and not for whoever reads.
        Fault::Internal(why) => {
            eprintln!("error: {}: {why}", desk.ask.path);
            (w.internal.to_owned(), w.internal_hint.to_owned())
        }
    };
    let page = Page {
        s: desk.shell(Section::Other, what.clone()),
        what,
        hint,
        signed: desk.viewer.signed().is_some(),
    };
    html_with(&page, fault.status())
}
