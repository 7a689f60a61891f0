//! What every page has around it: menu, language, who has signed in, where the figures come from.

use std::sync::LazyLock;

use app::reading::{Place, Reading};
use model::{Digest, Lang};

use crate::access::{Viewer, Wish, may};
use crate::answer::Fault;
use crate::ask::Ask;
use crate::link::Link;
use crate::office::Office;
use crate::words::Words;
use std::sync::Arc;

/// The style of all pages.
pub static STYLE: &str = include_str!("../assets/style.css");

/// Its address, which changes with it: browsers keep it for good.
pub static STYLE_PATH: LazyLock<String> =
    LazyLock::new(|| format!("/style-{}.css", &Digest::of(STYLE.as_bytes()).to_string()[..12]));

/// A request at work: what is asked, by whom, of which run.
pub struct Desk {
    pub office: Arc<Office>,
    pub reading: Arc<Reading>,
    pub viewer: Viewer,
    pub ask: Ask,
    pub lang: Lang,
    pub w: &'static Words,
}

/// Sections of the menu.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    Decision,
    Today,
    Places,
    Lists,
    Other,
}

/// A link with its text.
#[derive(Clone, Debug)]
pub struct Anchor {
    pub text: String,
    pub link: String,
    pub current: bool,
}

impl Anchor {
    pub fn new(text: impl Into<String>, link: &Link) -> Self {
        Self { text: text.into(), link: link.to_string(), current: false }
    }
}

/// The frame of a page.
pub struct Shell {
    pub w: &'static Words,
    /// As in `<html lang>`.
    pub tag: &'static str,
    pub title: String,
    pub style: &'static str,
    pub menu: Vec<Anchor>,
    pub crumbs: Vec<Anchor>,
    /// The same page in the other language.
    pub other: String,
    pub other_tag: &'static str,
    /// Who has signed in.
    pub who: Option<String>,
    /// Where to go to sign in, and come back from.
    pub sign_in: String,
    /// As of when, from which run and pack.
    pub as_of: String,
    pub run: String,
    /// The pack's title.
    pub law: String,
}

impl Desk {
    pub fn shell(&self, section: Section, title: impl Into<String>) -> Shell {
        let w = self.w;
        let entry = |text: &str, path: &str, of: Section| Anchor {
            text: text.to_owned(),
            link: path.to_owned(),
            current: of == section,
        };
        let mut menu = vec![entry(w.decision, "/decision", Section::Decision)];
        if self.viewer.signed().is_some() {
            menu.push(entry(w.today, "/today", Section::Today));
        }
        menu.push(entry(w.place_list, "/places", Section::Places));
        if self.viewer.signed().is_some() {
            menu.push(entry(w.lists, "/lists", Section::Lists));
        }
        let mut here = Link::at(&self.ask.path);
        for (name, value) in self.ask.query.iter().filter(|(name, _)| *name != "lang") {
            here = here.with(name, value);
        }
        let (other, tag, other_tag) = match self.lang {
            Lang::Zh => (Lang::En, "zh-CN", "en"),
            Lang::En => (Lang::Zh, "en", "zh-CN"),
        };
        let who = self.viewer.signed().map(|signed| match signed.account.title.as_str() {
            "" => self.role_names(&self.viewer.roles()),
            title => title.to_owned(),
        });
        let manifest = self.reading.manifest();
        let program = self.reading.program();
        Shell {
            w,
            tag,
            title: title.into(),
            style: STYLE_PATH.as_str(),
            menu,
            crumbs: Vec::new(),
            other: here.clone().with("lang", other.as_str()).to_string(),
            other_tag,
            who,
            sign_in: Link::at("/sign-in").with("back", here.to_string()).to_string(),
            as_of: manifest.as_of.to_string(),
            run: format!(
                "{} {} {}",
                program.info.id,
                program.info.version,
                manifest.snapshot.digest.get(..8).unwrap_or_default()
            ),
            law: program.info.title.get(self.lang).to_owned(),
        }
    }

    /// What roles are called; ids where the pack has none of that name.
    pub fn role_names(&self, roles: &[&str]) -> String {
        let known = &self.reading.program().roles;
        let names = roles.iter().map(|id| {
            let role = known.iter().find(|role| role.id == *id);
            role.map_or(*id, |role| role.label.get(self.lang))
        });
        names.collect::<Vec<_>>().join(crate::phrase::comma(self.lang))
    }

    /// Nothing but what this person may see; what they may not see is not there.
    pub fn must(&self, wish: Wish) -> Result<(), Fault> {
        if may(&self.viewer, &self.reading, wish)? { Ok(()) } else { Err(Fault::Missing) }
    }

    pub fn may(&self, wish: Wish) -> Result<bool, Fault> {
        may(&self.viewer, &self.reading, wish)
    }

    /// The division that a page is about: the one named in the address, or where this person works, or whose registry it
    /// is.
    pub fn place(&self) -> Result<Place, Fault> {
        if let Some(code) = self.ask.query.get("division") {
            return self.reading.place(code)?.ok_or(Fault::Missing);
        }
        self.own_place()
    }

    pub fn own_place(&self) -> Result<Place, Fault> {
        let own = self.viewer.signed().and_then(|signed| signed.reach.first());
        match own {
            Some(reach) => Ok(reach.place),
            None => self.reading.home()?.ok_or(Fault::Missing),
        }
    }

    /// The way to a division from the top, each step a link.
    pub fn crumbs(&self, place: Place, link: impl Fn(&str) -> Link) -> Result<Vec<Anchor>, Fault> {
        let mut crumbs = Vec::new();
        for above in self.reading.path(place)? {
            let code = self.reading.place_code(above)?;
            let mut crumb = Anchor::new(self.reading.place_name(above)?, &link(&code));
            crumb.current = above == place;
            crumbs.push(crumb);
        }
        Ok(crumbs)
    }
}
