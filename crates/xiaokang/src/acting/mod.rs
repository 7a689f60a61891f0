//! Commands that act: `xiaokang case`, `fund`, `pay`, `log` and `verify`.
//!
//! Each speaks as `--as ROLE[:NAME]` and is one transaction. A refusal ends with exit code 2, its stable code in
//! brackets; nothing has changed then.

pub mod case;
pub mod fund;
pub mod log;
pub mod pay;

use app::Registry;
use app::acting::{Acting, ActingError};
use app::packs::Loaded;
use model::{Lang, Moment};

use crate::arguments::acting::{Actor, Site};
use crate::console::{CommandResult, Failure, load_pack, now_ms, open_registry};

/// Values rest on one another through many columns.
const STACK_BYTES: usize = 64 << 20;

/// A registry with its pack.
pub struct Office {
    pub pack: Loaded,
    pub registry: Registry,
}

impl Office {
    pub fn open(site: &Site) -> Result<Self, Failure> {
        let pack = load_pack(&site.pack, &[], &[])?;
        let registry = open_registry(&site.registry, &pack.program)?;
        Ok(Self { pack, registry })
    }
}

/// Who acts, at this moment.
pub fn acting(actor: &Actor) -> Acting {
    let at = Moment::from_unix_ms(now_ms());
    let on = actor.on.map_or_else(|| at.day(), |day| day.0);
    Acting { role: actor.role.role.clone(), name: actor.role.name.clone(), at, on }
}

/// Bytes from the system's source.
///
/// # Panics
/// If the system gives none: nothing may be salted or drawn with anything else.
pub fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("the system gives random numbers");
    bytes
}

/// What is said of an act that came to nothing.
pub fn failure(error: ActingError, lang: Lang) -> Failure {
    let is_refusal = !matches!(
        error,
        ActingError::Store(_) | ActingError::Damaged { .. } | ActingError::Io { .. }
    );
    let message = error.message(lang);
    let code = error.code();
    let message = match message.split_once('\n') {
        _ if !is_refusal => message,
        Some((first, rest)) => format!("{first} [{code}]\n{rest}"),
        None => format!("{message} [{code}]"),
    };
    match error.hint(lang) {
        Some(hint) => Failure::with_hint(message, hint),
        None => Failure::input(message),
    }
}

/// Runs a command where there is room to follow values through many columns.
fn with_room(work: impl FnOnce() -> CommandResult + Send) -> CommandResult {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("acting".to_owned()).stack_size(STACK_BYTES);
        let thread = thread.spawn_scoped(scope, work).map_err(Failure::internal)?;
        thread.join().unwrap_or_else(|_| Err(Failure::internal("a worker panicked")))
    })
}

/// One of two words.
fn words(lang: Lang, zh: &'static str, en: &'static str) -> &'static str {
    if lang == Lang::Zh { zh } else { en }
}
